"""A small memory of decoded tiles, so that neighbouring rectangles do not decode them again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from pathoview.slides.slide import Pixels


class DecodedTiles:
    """The tiles used last, up to a number of bytes. All members are thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._tiles: OrderedDict[Hashable, Pixels] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Pixels | None:
        with self._lock:
            tile = self._tiles.get(key)
            if tile is not None:
                self._tiles.move_to_end(key)
            return tile

    def put(self, key: Hashable, tile: Pixels) -> None:
        with self._lock:
            if key in self._tiles or tile.nbytes > self._max_bytes:
                return
            self._tiles[key] = tile
            self._bytes += tile.nbytes
            while self._bytes > self._max_bytes:
                _key, oldest = self._tiles.popitem(last=False)
                self._bytes -= oldest.nbytes

    def clear(self) -> None:
        with self._lock:
            self._tiles.clear()
            self._bytes = 0
