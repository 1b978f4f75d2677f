"""A picture laid on the slide by a map that may move, turn, stretch or mirror it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from psygnal import Signal

from pathoview.core.affine import Affine
from pathoview.core.byte_cache import ByteCache, Share, owned
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers.placed import tile_to_l0
from pathoview.layers.raster_source import checked_placement
from pathoview.layers.source import Rgba, TileSource, Unfinished
from pathoview.layers.vector_levels import vector_pyramid

_OWN_BYTES = 64 * 2**20
"""What tiles of the picture take where there is no memory shared with others."""
_SHRUNK_FROM = 1.5
"""Where so many px of the picture meet one of a tile, they are averaged before they are placed."""
_MARGIN_PX = 2


class WarpedSource:
    """Another source's tiles, resampled to fit the slide; transparent outside of it. Thread-safe.

    The base of registered slides and of synthetic pictures.
    """

    changed = Signal(object)

    def __init__(
        self,
        inner: TileSource,
        placement: Affine,
        width_l0: float,
        height_l0: float,
        memory: ByteCache | None = None,
    ) -> None:
        """``placement`` takes level-0 px of the picture to those of a slide of the given size."""
        self.inner = inner
        self.pyramid = vector_pyramid(width_l0, height_l0)
        self._placement = checked_placement(placement)
        self._n_placed = 0
        self._tiles: Share[tuple[int, TileKey], Rgba] = Share(
            ByteCache(_OWN_BYTES) if memory is None else memory
        )
        inner.changed.connect(self._on_inner_changed)

    @property
    def style_version(self) -> int:
        return self._n_placed + self.inner.style_version

    @property
    def placement(self) -> Affine:
        """From level-0 px of the picture to those of the slide; may be set at any time."""
        return self._placement

    @placement.setter
    def placement(self, placement: Affine) -> None:
        if placement != self._placement:
            self._placement = checked_placement(placement)
            self._n_placed += 1
            self.changed.emit(None)

    def _on_inner_changed(self, rect_l0: Rect | None) -> None:
        self._tiles.clear()
        self.changed.emit(None if rect_l0 is None else self._placement.rect(rect_l0))

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        tile_lv = self.pyramid.tile_lv(key)
        to_l0 = tile_to_l0(tile_lv, self.pyramid.levels[key.level].downsample)
        to_inner = to_l0.then(self._placement.inverse())
        levels = self.inner.pyramid
        level = levels.level_for(to_inner.scale)
        lv = levels.levels[level]
        to_lv = to_inner.then(Affine.scaled(1 / lv.downsample))
        shown = to_lv.rect(Rect(0, 0, tile_lv.width, tile_lv.height))
        factor = _factor(to_lv.scale)
        part = shown.expanded(_MARGIN_PX * factor).outward()
        part = part.intersection(Rect(0, 0, lv.width, lv.height))
        if part.is_empty:
            return None
        block, is_whole = self._block(level, part, factor)
        to_block = to_lv.then(Affine.moved(-part.x, -part.y))
        pixels = _placed(block, factor, to_block, (int(tile_lv.width), int(tile_lv.height)))
        return pixels if is_whole else Unfinished(pixels)

    def _block(self, level: int, part_lv: Rect, factor: int) -> tuple[Rgba, bool]:
        """Return a rectangle of one of the picture's levels, and whether that is all of it.

        It is filled up to multiples of ``factor`` px.
        """
        _x, _y, width, height = part_lv.as_ints()
        block = np.zeros((height + -height % factor, width + -width % factor, 4), np.uint8)
        pyramid, is_whole = self.inner.pyramid, True
        for key in pyramid.tiles_in(pyramid.to_l0(part_lv, level), level):
            tile_lv = pyramid.tile_lv(key)
            common = tile_lv.intersection(part_lv)
            if common.is_empty:
                continue
            pixels, is_there = self._inner_tile(key)
            is_whole &= is_there
            if pixels is not None:
                x, y, columns, rows = common.moved(-tile_lv.x, -tile_lv.y).as_ints()
                to_x, to_y = int(common.x - part_lv.x), int(common.y - part_lv.y)
                found = pixels[y : y + rows, x : x + columns]
                block[to_y : to_y + rows, to_x : to_x + columns] = found
        return block, is_whole

    def _inner_tile(self, key: TileKey) -> tuple[Rgba | None, bool]:
        place = self.inner.style_version, key
        kept = self._tiles.get(place)
        if kept is not None:
            return kept, True
        tile = self.inner.read_tile(key)
        if isinstance(tile, Unfinished):
            return tile.pixels, False
        if tile is not None:
            tile = owned(tile)
            self._tiles.put(place, tile, tile.nbytes)
        return tile, True


def _factor(scale: float) -> int:
    """Return by which power of two a block is made smaller before it is placed."""
    return 1 << max(0, math.floor(math.log2(scale / _SHRUNK_FROM)) + 1)


def _placed(block: Rgba, factor: int, to_block: Affine, size: tuple[int, int]) -> Rgba:
    """Return the tile of ``size`` (width, height) that shows a block; transparent beyond it."""
    if factor > 1:
        small = block.shape[1] // factor, block.shape[0] // factor
        block = np.asarray(cv2.resize(block, small, interpolation=cv2.INTER_AREA), np.uint8)
        to_block = to_block.then(Affine.scaled(1 / factor))
    # OpenCV counts from the centres of pixels
    to_block = Affine.moved(0.5, 0.5).then(to_block).then(Affine.moved(-0.5, -0.5))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    tile = cv2.warpAffine(block, to_block.matrix(), size, flags=flags)
    return np.asarray(tile, np.uint8)
