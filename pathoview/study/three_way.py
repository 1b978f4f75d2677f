"""Who has changed something, when two studies that come from one say different things of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeVar

T = TypeVar("T")

Outcome = Literal["same", "here", "there", "both"]


def changed_by(here: T, there: T, known_here: Collection[T], known_there: Collection[T]) -> Outcome:
    """Return who has changed it; ``known_…`` is all that a study says now or ever said.

    A study that once said what the other says now is the one that has gone on.
    """
    if here == there:
        return "same"
    if there in known_here:
        return "here"
    return "there" if here in known_there else "both"
