"""A memory of decoded tiles, so that neighbouring rectangles do not decode them again."""

from __future__ import annotations

from collections.abc import Hashable

from pathoview.core.byte_cache import ByteCache, Share, owned
from pathoview.slides.slide import Pixels

_AT_MOST = 1 / 8
"""Of a memory shared with others: most decoded tiles are never needed again."""


class DecodedTiles:
    """The tiles used last, up to a number of bytes, or in a shared memory. Thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._share: Share[Hashable, Pixels] = Share(ByteCache(max_bytes), at_most=1.0)

    def move_to(self, memory: ByteCache) -> None:
        """Keep tiles in a memory shared with others from now on."""
        self._share = Share(memory, at_most=_AT_MOST)

    def get(self, key: Hashable) -> Pixels | None:
        return self._share.get(key)

    def put(self, key: Hashable, tile: Pixels) -> Pixels:
        """Keep a tile, return it; it may be a copy that keeps less in memory."""
        tile = owned(tile)
        self._share.put(key, tile, tile.nbytes)
        return tile

    def clear(self) -> None:
        self._share.clear()
