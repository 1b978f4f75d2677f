"""Values of a raster at the pixels of a tile, wherever and however turned the raster lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Pyramid
from pathoview.layers.raster import COARSEST_PX, Raster
from pathoview.layers.source import Rgba
from pathoview.slides.slide import Pixels

Packed = npt.NDArray[np.uint32]
"""(height, width) premultiplied colours, the four bytes of a tile's pixel each."""

_AS_CHANNELS: dict[int, tuple[Any, int]] = {
    1: (np.uint8, 1),
    2: (np.uint16, 1),
    4: (np.uint8, 4),
    8: (np.uint16, 4),
}
"""As what OpenCV moves values of so many bytes: it knows neither int32 nor int64."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The part of a raster that a tile shows, and the way to it."""

    block: Pixels
    """(height, width) values of some level."""
    to_block: Affine
    """From px of the tile, counted from its corner, to px of the block."""
    shape: tuple[int, int]
    """(height, width) of the tile."""
    is_whole: bool
    """False: some of it is still being read."""

    def carried(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return, for each pixel of the tile, that of ``pixels`` (as the block) at its centre.

        0 where the raster is not. Values are moved, never mixed.
        """
        to = self.to_block
        if to.xy or to.yx:
            return self._turned(pixels)
        rows, are_rows = _indices(to.yy, to.y0, self.shape[0], pixels.shape[0])
        columns, are_columns = _indices(to.xx, to.x0, self.shape[1], pixels.shape[1])
        found: npt.NDArray[Any] = pixels.take(rows, axis=0).take(columns, axis=1)
        found[~are_rows] = 0
        found[:, ~are_columns] = 0
        return found

    def _turned(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        kind, n_channels = _AS_CHANNELS[pixels.dtype.itemsize]
        moved = np.ascontiguousarray(pixels).view(kind).reshape(*pixels.shape, n_channels)
        out = self._warped(moved, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT)
        return np.ascontiguousarray(out).view(pixels.dtype).reshape(self.shape)

    def _warped(self, pixels: npt.NDArray[Any], flag: int, border: int) -> npt.NDArray[Any]:
        # OpenCV counts from the centres of pixels
        half = Affine.moved(0.5, 0.5).then(self.to_block).then(Affine.moved(-0.5, -0.5))
        size, flags = self.shape[::-1], flag | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(pixels, half.matrix(), size, flags=flags, borderMode=border)
        )

    def smooth(self) -> npt.NDArray[np.float32]:
        """Return values that fade from one pixel's centre to the next, NaN where none is.

        Values that are no numbers take no part, and leave holes of their own size.
        """
        values = np.ascontiguousarray(self.block, np.float32)
        known = np.isfinite(values)
        is_shown = self.carried(known.view(np.uint8)) > 0
        total = self._faded(np.where(known, values, np.float32(0)))
        if not known.all():
            share = self._faded(known.astype(np.float32))
            np.divide(total, share, out=total, where=is_shown)
        return np.where(is_shown, total, np.float32(np.nan))

    def _faded(self, plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return self._warped(plane, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)

    def painted(self, color: Callable[[Pixels], Packed], *, smooth: bool = False) -> Rgba:
        """Return the tile when ``color`` says what values, (height, width), look like.

        It is asked for as few pixels as there are: those of the raster, or those of the tile.
        """
        if smooth:
            packed = color(self.smooth())
        elif self.block.size <= self.shape[0] * self.shape[1]:
            packed = self.carried(color(self.block))
        else:
            packed = color(self.carried(self.block))
            packed[self.carried(np.ones(self.block.shape, np.uint8)) == 0] = 0
        return packed.view(np.uint8).reshape(*self.shape, 4)


def seen_through(
    raster: Raster, to_raster: Affine, shape: tuple[int, int], channel: int
) -> Seen | None:
    """Return what a tile of ``shape`` (height, width) shows; None: the raster lies elsewhere.

    ``to_raster`` maps px of the tile, counted from its corner, to px of the finest level. Raises
    `SlideError`.
    """
    level = Pyramid(raster.levels, COARSEST_PX).level_for(to_raster.scale)
    lv = raster.levels[level]
    to_lv = to_raster.then(Affine.scaled(1 / lv.downsample))
    height, width = shape
    shown = to_lv.rect(Rect(0, 0, width, height))
    # one px more on each side: what is smooth fades into the neighbours
    part = shown.expanded(1).outward().intersection(Rect(0, 0, lv.width, lv.height))
    if part.is_empty or not part.intersects(shown):
        return None
    left, top, columns, rows = part.as_ints()
    pixels, is_whole = raster.read(level, left, top, columns, rows, channel)
    to_block = to_lv.then(Affine.moved(-left, -top))
    return Seen(_handy(pixels[..., 0]), to_block, shape, is_whole)


def _handy(block: Pixels) -> Pixels:
    """Return floating numbers as float32, and others in the machine's order of bytes."""
    if block.dtype.kind == "f":
        with np.errstate(over="ignore"):  # too large for float32: no number
            return block.astype(np.float32, copy=False)
    return block.astype(block.dtype.newbyteorder("="), copy=False)


def tile_to_l0(tile_lv: Rect, downsample: float) -> Affine:
    """Return the map from px of a tile, counted from its corner, to level-0 px."""
    return Affine.moved(tile_lv.x, tile_lv.y).then(Affine.scaled(downsample))


def _indices(
    factor: float, start: float, n: int, size: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Return which of ``size`` px lies under each of ``n`` centres, and whether any does."""
    places = np.floor(factor * (np.arange(n) + 0.5) + start).astype(np.intp)
    are_inside = (places >= 0) & (places < size)
    return np.clip(places, 0, size - 1), are_inside
