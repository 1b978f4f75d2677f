"""Painted tiles of all sources, as many as the memory has room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pathoview.core.byte_cache import PINNED, ByteCache, Share, owned
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

    def __post_init__(self) -> None:
        self.pixels = owned(self.pixels)

    @property
    def n_bytes(self) -> int:
        return self.pixels.nbytes + _ENTRY_BYTES


@dataclass(slots=True)
class _Held:
    """The tiles of one source."""

    usual: Share[TileKey, CachedTile]
    pinned: Share[TileKey, CachedTile]
    pinned_levels: set[int] = field(default_factory=set)

    def share(self, level: int) -> Share[TileKey, CachedTile]:
        return self.pinned if level in self.pinned_levels else self.usual


class TileCache:
    """Least recently used tiles are dropped when the memory is full. Thread-safe.

    Tiles of pinned levels are never dropped: they stand in for all others.
    """

    def __init__(self, memory: ByteCache) -> None:
        self.memory = memory
        self._held: dict[int, _Held] = {}

    @property
    def n_bytes(self) -> int:
        return sum(held.usual.n_bytes + held.pinned.n_bytes for held in self._held.values())

    def __len__(self) -> int:
        return sum(len(held.usual) + len(held.pinned) for held in self._held.values())

    def get(self, source: TileSource, key: TileKey) -> CachedTile | None:
        held = self._held.get(id(source))
        return None if held is None else held.share(key.level).get(key)

    def put(self, source: TileSource, key: TileKey, tile: CachedTile) -> None:
        self._of(source).share(key.level).put(key, tile, tile.n_bytes)

    def outdate(self, source: TileSource, key: TileKey) -> None:
        """Say that the content of a tile has changed; it is held until a new one comes."""
        tile = self.get(source, key)
        if tile is not None:
            tile.is_fresh = False

    def pin(self, source: TileSource, level: int) -> None:
        """Never drop the tiles of a level."""
        held = self._of(source)
        if level not in held.pinned_levels:
            for key in [key for key in held.usual if key.level == level]:
                tile = held.usual.get(key)
                if tile is not None:
                    held.pinned.put(key, tile, tile.n_bytes)
                    held.usual.discard(key)
            held.pinned_levels.add(level)

    def keys(self, source: TileSource) -> Sequence[TileKey]:
        """Return the tiles of a source that are held."""
        held = self._held.get(id(source))
        return () if held is None else (*held.usual, *held.pinned)

    def forget(self, source: TileSource) -> None:
        """Drop all tiles of a source."""
        held = self._held.pop(id(source), None)
        if held is not None:
            held.usual.clear()
            held.pinned.clear()

    def _of(self, source: TileSource) -> _Held:
        held = self._held.get(id(source))
        if held is None:
            new = _Held(Share(self.memory), Share(self.memory, at_least=PINNED))
            held = self._held.setdefault(id(source), new)
        return held
