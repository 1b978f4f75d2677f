"""Brings the tiles that are wanted now, and whatever comes nearest until they are there.

The canvas tells what it wants (`TileScheduler.request`), draws what is there
(`TileScheduler.pieces`), and draws again when `TileScheduler.ready` says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane, TileKey
from pathoview.layers.cache import TileCache
from pathoview.layers.source import Rgba, TileSource

_log = logging.getLogger(__name__)

Wish = tuple[TileSource, TileKey]
Post = Callable[[Callable[[], None]], None]
T = TypeVar("T")

NOTHING: Rgba = np.empty((0, 0, 4), np.uint8)
"""The tile of a place where there is nothing to draw."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Pixels and where they go: draw ``part_px`` of ``pixels`` onto ``rect_l0``."""

    pixels: Rgba
    part_px: Rect
    """The part to take, in px of ``pixels``; not always whole px."""
    rect_l0: Rect
    is_final: bool
    """False: a stand-in, until the wanted tile is there."""


class TileScheduler:
    """Reads wanted tiles in threads. All methods may be called from any thread."""

    ready = Signal(object, object)
    """(source, TileKey): a tile can be drawn, better than before. Emitted through ``post``."""
    failed = Signal(object, object, str)
    """(source, TileKey, reason): a tile cannot be read for now. Emitted through ``post``."""

    def __init__(self, cache: TileCache, post: Post, n_threads: int = 3) -> None: ...

    def request(self, wanted: Sequence[Wish]) -> None:
        """Replace all wishes, the first is the most urgent; older ones are forgotten unread.

        Tiles that are there already, or being read, cost nothing.
        """

    def add(self, source: TileSource, plane: Plane = Plane()) -> None:
        """Read the coarsest level of a source ahead of everything and keep it for good."""

    def remove(self, source: TileSource) -> None:
        """Forget a source, its wishes and its tiles."""

    def get(self, source: TileSource, key: TileKey) -> Rgba | None:
        """Return the finished tile; None: not there yet; size 0: there is nothing to draw."""

    def pieces(self, source: TileSource, key: TileKey) -> tuple[Piece, ...]:
        """Return what to draw for a tile now, in this order; best it has, empty when nothing.

        The tile itself when it is there; else its outdated version, or the nearest coarser tile
        with the finer ones that are held on top of it.
        """

    def best(self, source: TileSource, key: TileKey) -> Piece | None:
        """Return the tile or its one best stand-in (the first of `pieces`)."""

    def failure(self, source: TileSource, key: TileKey) -> str | None:
        """Return why a tile could not be read last time, as a sentence."""

    def submit(
        self, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]
    ) -> None:
        """Do short background work; ``done(result, error)`` is called through ``post``."""

    @property
    def n_pending(self) -> int:
        """Number of wishes that are not fulfilled yet."""

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is left to read; for tests and scripts. False: it took too long."""

    def close(self) -> None:
        """Stop the threads after what they are reading now."""
