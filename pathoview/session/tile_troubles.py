"""Tells that a part of the picture cannot be read, but not once a tile."""

from __future__ import annotations

from collections.abc import Callable

from pathoview.core.pyramid import TileKey
from pathoview.core.translation import _
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.source import TileSource
from pathoview.layers.wishes import Place, place_of
from pathoview.session.notices import Notice


class TileTroubles:
    """Gives one notice a slide, and another when things went wrong after they had been fine."""

    def __init__(self, scheduler: TileScheduler, tell: Callable[[Notice], None]) -> None:
        self._tell = tell
        self._failed: set[Place] = set()
        self._has_told = False
        scheduler.failed.connect(self._on_tile_failed)
        scheduler.ready.connect(self._on_tile_ready)

    def clear(self) -> None:
        """Begin anew: another slide is shown."""
        self._failed.clear()
        self._has_told = False

    def _on_tile_failed(self, source: TileSource, key: TileKey, reason: str) -> None:
        self._failed.add(place_of((source, key)))
        if not self._has_told:
            self._has_told = True
            action = (_("Try again"), "view.retry")
            self._tell(Notice(reason, "warning", action))

    def _on_tile_ready(self, source: TileSource, key: TileKey) -> None:
        # A tile that never failed says nothing about those that did.
        place = place_of((source, key))
        if place in self._failed:
            self._failed.remove(place)
            self._has_told = False
