"""Long work beside everything else: done in pieces, so that short work gets its turn between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Generic, TypeVar

from pathoview.layers.scheduler import TileScheduler

T = TypeVar("T")

_PIECE_S = 0.2


class Piecework(Generic[T]):
    """Goes through an iterator in another thread; what it yields comes back a few at a time."""

    def __init__(
        self,
        scheduler: TileScheduler,
        pieces: Iterator[T],
        on_pieces: Callable[[Sequence[T]], None],
        on_end: Callable[[BaseException | None], None],
    ) -> None:
        """``on_end`` is called once, with what went wrong if anything; not after `cancel`."""
        self._scheduler = scheduler
        self._pieces = pieces
        self._on_pieces = on_pieces
        self._on_end = on_end
        self._is_cancelled = False
        self._go_on()

    def cancel(self) -> None:
        """Stop after the piece that is in work, and say nothing any more."""
        self._is_cancelled = True

    def _go_on(self) -> None:
        self._scheduler.submit(partial(_some, self._pieces), self._on_some)

    def _on_some(self, some: tuple[list[T], bool] | None, error: BaseException | None) -> None:
        if self._is_cancelled:
            return
        if some is None:
            self._on_end(error)
            return
        found, is_end = some
        self._on_pieces(found)
        if is_end:
            self._on_end(None)
        elif not self._is_cancelled:
            self._go_on()


def _some(pieces: Iterator[T]) -> tuple[list[T], bool]:
    """Return what comes within a moment, and whether that was all."""
    until = time.monotonic() + _PIECE_S
    found: list[T] = []
    for piece in pieces:
        found.append(piece)
        if time.monotonic() > until:
            return found, False
    return found, True
