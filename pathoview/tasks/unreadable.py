"""Reading what a disk or a damaged file may refuse: once more, and the rest goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from pathoview.core.errors import SlideError
from pathoview.core.translation import _, ngettext

_MOST_UNREADABLE = 8
"""Pieces that may fail to be read before the slide is given up."""

_logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Pixels = TypeVar("Pixels")


class PatientReader(Generic[Item, Pixels]):
    """Reads pieces of a slide, each at most twice. Safe to call from several threads."""

    def __init__(self, read: Callable[[Item], Pixels]) -> None:
        self._read = read
        self._failures: list[SlideError] = []

    def read(self, item: Item) -> Pixels | None:
        """Return a piece, None when it cannot be read; raise `SlideError` when too many cannot."""
        try:
            return self._read(item)
        except SlideError:
            _logger.warning("a piece of the slide could not be read; trying once more")
        try:
            return self._read(item)
        except SlideError as error:
            self._failures.append(error)
            if len(self._failures) >= _MOST_UNREADABLE:
                raise self._given_up() from error
            return None

    def check(self) -> None:
        """Raise `SlideError` when there was a piece that could not be read."""
        if self._failures:
            raise self._given_up()

    def _given_up(self) -> SlideError:
        n = len(self._failures)
        sentence = ngettext(
            "{n} tile of the slide could not be read: {why}",
            "{n} tiles of the slide could not be read: {why}",
            n,
        )
        return SlideError(
            sentence.format(n=n, why=self._failures[0]),
            _("Finished tiles are kept. Check the file and its disk, then resume the run."),
        )
