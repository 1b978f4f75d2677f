"""Painted tiles, as many as fit into a number of bytes; those used last stay longest."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pathoview.core.pyramid import TileKey
from pathoview.layers.source import Rgba, TileSource

_ENTRY_BYTES = 500
"""What the bookkeeping of one tile takes, so that empty tiles are counted too."""


@dataclass(slots=True)
class CachedTile:
    """A painted tile; ``pixels`` of size 0 say that there is nothing to draw."""

    pixels: Rgba
    style_version: int
    is_fresh: bool = True
    """False: the content changed since; good enough until it is painted again."""

    @property
    def n_bytes(self) -> int:
        return self.pixels.nbytes + _ENTRY_BYTES


_Place = tuple[int, TileKey]


class TileCache:
    """Least recently used tiles are dropped when ``max_bytes`` are exceeded. Thread-safe.

    Tiles of pinned levels are never dropped: they stand in for all others.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._tiles: OrderedDict[_Place, CachedTile] = OrderedDict()
        self._keys: defaultdict[tuple[int, int], set[TileKey]] = defaultdict(set)
        self._pinned: set[tuple[int, int]] = set()
        self._n_bytes = 0
        self._lock = threading.Lock()

    @property
    def n_bytes(self) -> int:
        return self._n_bytes

    def __len__(self) -> int:
        return len(self._tiles)

    def get(self, source: TileSource, key: TileKey) -> CachedTile | None:
        place = (id(source), key)
        with self._lock:
            tile = self._tiles.get(place)
            if tile is not None:
                self._tiles.move_to_end(place)
            return tile

    def put(self, source: TileSource, key: TileKey, tile: CachedTile) -> None:
        place = (id(source), key)
        with self._lock:
            self._discard(place)
            self._tiles[place] = tile
            self._keys[id(source), key.level].add(key)
            self._n_bytes += tile.n_bytes
            self._shrink(place)

    def outdate(self, source: TileSource, key: TileKey) -> None:
        """Say that the content of a tile has changed; it is held until a new one comes."""
        with self._lock:
            tile = self._tiles.get((id(source), key))
            if tile is not None:
                tile.is_fresh = False

    def pin(self, source: TileSource, level: int) -> None:
        """Never drop the tiles of a level."""
        with self._lock:
            self._pinned.add((id(source), level))

    def keys(self, source: TileSource, level: int) -> Sequence[TileKey]:
        """Return the tiles of a level that are held."""
        with self._lock:
            return tuple(self._keys.get((id(source), level), ()))

    def forget(self, source: TileSource) -> None:
        """Drop all tiles of a source."""
        with self._lock:
            for owner, level in [entry for entry in self._keys if entry[0] == id(source)]:
                for key in tuple(self._keys[owner, level]):
                    self._discard((owner, key))
                del self._keys[owner, level]
                self._pinned.discard((owner, level))

    def _discard(self, place: _Place) -> None:
        tile = self._tiles.pop(place, None)
        if tile is not None:
            self._n_bytes -= tile.n_bytes
            self._keys[place[0], place[1].level].discard(place[1])

    def _shrink(self, newest: _Place) -> None:
        if self._n_bytes <= self.max_bytes:
            return
        for place in list(self._tiles):
            if place == newest or (place[0], place[1].level) in self._pinned:
                continue
            self._discard(place)
            if self._n_bytes <= self.max_bytes:
                return
