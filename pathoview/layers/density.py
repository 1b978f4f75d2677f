"""How many objects of each colour lie where: what is drawn when objects get too small to see."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.layers.paint import premultiplied

DOTS = 4
"""A bin is drawn as ``DOTS × DOTS`` px, shared among the kinds of objects in it."""
_MOST_BINS = 4_000_000
_FINEST_BIN_PX = 16
_DOT_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
"""In which order the dots of a bin are given away, so that kinds mix evenly."""
_FAINTEST = 0.35
"""Opacity of a place with one tiny object; one that is covered by objects is opaque."""

Counts = npt.NDArray[np.int64]
"""(bins down, bins across)."""


class Density:
    """Counts of object centres in square bins of the whole slide, a raster a kind (class).

    Adding and removing objects costs as much as there are of them; drawing costs as much as there
    are pixels, however many objects they stand for.
    """

    def __init__(self, width_l0: float, height_l0: float) -> None:
        bin_px = _FINEST_BIN_PX
        while math.ceil(width_l0 / bin_px) * math.ceil(height_l0 / bin_px) > _MOST_BINS:
            bin_px *= 2
        self.bin_px = bin_px
        """Side of a bin, level-0 px: a power of two."""
        self._shape = max(1, math.ceil(height_l0 / bin_px)), max(1, math.ceil(width_l0 / bin_px))
        self._counts: dict[int, npt.NDArray[np.uint16]] = {}

    def add(self, centers_l0: npt.NDArray[np.float64], kinds: npt.NDArray[np.integer]) -> None:
        """Count objects by the bin that holds their centre."""
        places = self._places(centers_l0)
        for kind in np.unique(kinds).tolist():
            raster = self._counts.setdefault(kind, np.zeros(self._shape, np.uint16))
            np.add.at(raster.reshape(-1), places[kinds == kind], 1)

    def _places(self, centers_l0: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        height, width = self._shape
        columns = np.clip(centers_l0[:, 0] // self.bin_px, 0, width - 1).astype(np.int64)
        rows = np.clip(centers_l0[:, 1] // self.bin_px, 0, height - 1).astype(np.int64)
        places: npt.NDArray[np.int64] = rows * width + columns
        return places

    def counts(self, tile_l0: Rect, bin_l0: float) -> Mapping[int, Counts]:
        """Return counts a kind in bins of about ``bin_l0`` level-0 px, from the tile's corner.

        The bins are those of the raster or whole multiples of them (powers of two).
        """
        step = max(1, 2 ** round(math.log2(bin_l0 / self.bin_px)))
        size = step * self.bin_px
        across, down = math.ceil(tile_l0.width / size), math.ceil(tile_l0.height / size)
        left, top = math.floor(tile_l0.x / self.bin_px), math.floor(tile_l0.y / self.bin_px)
        found = {}
        for kind, raster in self._counts.items():
            part = raster[top : top + down * step, left : left + across * step]
            if part.any():
                full = np.zeros((down * step, across * step), np.int64)
                full[: part.shape[0], : part.shape[1]] = part
                found[kind] = full.reshape(down, step, across, step).sum(axis=(1, 3))
        return found


def dot_image(
    counts: Mapping[int, Counts],
    palette: Mapping[int, tuple[int, int, int]],
    object_px: float,
    shape: tuple[int, int],
) -> npt.NDArray[np.uint8]:
    """Return counts as a picture of dots, premultiplied RGBA of the given (height, width).

    Every kind in a bin gets dots in proportion to its count and at least one, so that no kind
    vanishes among many of another (up to 16 kinds in a bin, the most frequent first). A bin is
    the more opaque the more of it is covered by objects, each ``object_px`` px wide.
    """
    kinds = sorted(counts, key=lambda kind: -int(counts[kind].sum()))
    stack = np.stack([counts[kind] for kind in kinds])
    total = stack.sum(axis=0)
    n_dots = DOTS * DOTS
    dots = np.maximum(stack * n_dots // np.maximum(total, 1), stack > 0)
    spare = n_dots - dots.sum(axis=0)
    main = stack.argmax(axis=0)
    at_main = np.take_along_axis(dots, main[None], axis=0)
    np.put_along_axis(dots, main[None], np.maximum(at_main + spare, 1), axis=0)
    ends = dots.cumsum(axis=0)
    scale = max(1, math.ceil(shape[0] / total.shape[0] / DOTS))
    owner = (ends[:, :, None, :, None] <= _DOT_ORDER[None, None, :, None, :]).sum(axis=0)
    owner = np.minimum(owner, len(kinds) - 1).reshape(total.shape[0] * DOTS, -1)
    share = np.minimum(1, total * (object_px / (DOTS * scale)) ** 2)
    alpha = np.where(total > 0, 255 * (_FAINTEST + (1 - _FAINTEST) * share), 0).astype(np.uint8)
    colors = np.array([palette[kind] for kind in kinds], np.uint8)
    image = premultiplied(np.dstack([colors[owner], alpha.repeat(DOTS, 0).repeat(DOTS, 1)]))
    return image.repeat(scale, 0).repeat(scale, 1)[: shape[0], : shape[1]]
