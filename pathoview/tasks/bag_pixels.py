"""Tiles of slides as pixels, for methods that teach a network of tiles: read again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from pathoview.core.byte_cache import ByteCache, Share
from pathoview.core.machine import memory_bytes
from pathoview.datasets.bags import TileGrid
from pathoview.slides.slide import Slide
from pathoview.slides.stain_normalisation import StainNormaliser
from pathoview.tasks.feature_tiles import Block, Rgb, TileSupply
from pathoview.tasks.features import FeatureOrder
from pathoview.tasks.tile_layouts import tiles_of

_MOST_OPEN = 32
_MOST_BYTES = 2 << 30
_MEMORY_SHARE = 1 / 8
"""Of the machine's memory, for tiles that were read."""


class SlidePool:
    """The slides of a training. Few are open at once, and what was read stays while there is room.

    Safe to use from several threads.
    """

    def __init__(self, order: FeatureOrder) -> None:
        """``order``: how tiles were described; they are read at its first magnification."""
        self._order = order.model_copy(update={"mpp": order.mpp[:1]})
        most = min(_MOST_BYTES, int(_MEMORY_SHARE * memory_bytes()))
        self._memory = ByteCache(most)
        self._open: OrderedDict[str, tuple[Slide, TileSupply]] = OrderedDict()
        self._normalisers: dict[str, StainNormaliser] = {}
        self._lock = threading.Lock()

    def pixels(self, key: str, opened: Callable[[], Slide], grid: TileGrid) -> SlidePixels:
        """Return the tiles of a slide, by its hash; ``opened`` opens it when it is read."""
        return SlidePixels(
            partial(self._read, key, opened), self._order.tile_px, grid, self._memory
        )

    def close(self) -> None:
        """Close all slides; reading opens them again."""
        with self._lock:
            while self._open:
                self._open.popitem()[1][0].close()
        self._memory.clear()

    def _read(self, key: str, opened: Callable[[], Slide], block: Block) -> Rgb:
        with self._lock:
            slide, tiles = self._opened(key, opened)
            return tiles.read(block, self._normaliser(key, slide))[0]

    def _opened(self, key: str, opened: Callable[[], Slide]) -> tuple[Slide, TileSupply]:
        if key not in self._open:
            if len(self._open) >= _MOST_OPEN:
                self._open.popitem(last=False)[1][0].close()
            slide = opened()
            slide.use_memory(self._memory)
            self._open[key] = slide, tiles_of(slide, self._order)
        self._open.move_to_end(key)
        return self._open[key]

    def _normaliser(self, key: str, slide: Slide) -> StainNormaliser | None:
        if self._order.normalisation == "none":
            return None
        if key not in self._normalisers:
            self._normalisers[key] = StainNormaliser.fit(slide, self._order.normalisation)
        return self._normalisers[key]


class SlidePixels:
    """See `datasets.bags.TilePixels`."""

    def __init__(
        self, read: Callable[[Block], Rgb], tile_px: int, grid: TileGrid, memory: ByteCache
    ) -> None:
        self._read, self._side, self._grid = read, tile_px, grid
        self._kept: Share[int, Rgb] = Share(memory)

    def read(self, tiles: npt.NDArray[np.integer]) -> Rgb:
        found = np.empty((len(tiles), self._side, self._side, 3), np.uint8)
        for place, number in enumerate(tiles.tolist()):
            found[place] = self._tile(number)
        return found

    def _tile(self, number: int) -> Rgb:
        kept = self._kept.get(number)
        if kept is not None:
            return kept
        places = self._grid.columns[[number]], self._grid.rows[[number]]
        columns, rows = (one.astype(np.int64) for one in places)
        pixels: Rgb = self._read(Block(columns, rows, np.ones(1, np.float32)))[0]
        self._kept.put(number, pixels, pixels.nbytes)
        return pixels
