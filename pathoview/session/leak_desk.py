"""The check for leaks: one job at a time, and the page of what it found."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Base64Bytes

from pathoview.session import orders
from pathoview.session.page_desk import PageDesk, Shown
from pathoview.session.run_desk import RunDesk
from pathoview.study.leak_params import LeakParams as LeakParams

if TYPE_CHECKING:
    from pathoview.session.session import Session


class LeakSide(Shown):
    """One of the two pictures of a pair."""

    name: str
    split: str
    label: str
    png: Base64Bytes
    """Empty: it cannot be read."""


class LeakPair(Shown):
    """Two pictures that show a leak."""

    note: str
    items: tuple[LeakSide, LeakSide]


class LeakFinding(Shown):
    """One thing that was found; see `datasets.leaks.Finding`."""

    kind: str
    severity: str
    """``error`` or ``warning``."""
    sentence: str
    n_pairs: int
    pairs: tuple[LeakPair, ...]
    """The first of them."""


class LeakPage(Shown):
    """All that was found."""

    summary: str
    n_errors: int
    splits: dict[str, int]
    findings: tuple[LeakFinding, ...]
    priors: dict[str, dict[str, int]]
    """By label and split: how many."""
    warnings: tuple[str, ...]
    """About the source, such as rows of a table that fit nothing."""


class LeakDesk(PageDesk[LeakPage]):
    """Runs the check in a worker."""

    def __init__(self, session: Session, runs: RunDesk) -> None:
        super().__init__(session, runs, LeakPage, "leaks")

    @property
    def study(self) -> Path | None:
        """The study whose slides can be checked; None: none is open, or it has no slides."""
        study = self._session.studies.study
        has_slides = self._session.studies.is_named and bool(self._session.slides.rows)
        return study.path if study is not None and has_slides else None

    def check(self, source: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        """Begin; ``source`` names ``study``, ``tiles``, or ``folders`` by split, and ``groups``."""
        order = partial(orders.leaks, source, params)
        self.begin(order, reads_study=bool(source.get("study")))
