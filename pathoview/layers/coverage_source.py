"""Where a person has looked already, as a faint tint over the slide."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.core.affine import Affine, Point
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Pyramid, TileKey, halved_levels
from pathoview.layers.paint import Color
from pathoview.layers.source import Rgba
from pathoview.study.coverage import Codes

_TILE_PX = 512
_MOST_CELLS = 2048
"""Cells on the longer side of a slide, at most."""
_SMALLEST_CELL = 8.0
_TINT: Color = (60, 170, 120)
_OPACITY = 0.1
_SHIFT = 4
"""Fractional bits of the coordinates given to OpenCV."""


def cell_size(width_l0: float, height_l0: float) -> float:
    """Return the side of a cell of a slide, level-0 px."""
    return max(_SMALLEST_CELL, max(width_l0, height_l0) / _MOST_CELLS)


def cells_shape(width_l0: float, height_l0: float) -> tuple[int, int]:
    """Return how many cells a slide has, rows and columns."""
    side = cell_size(width_l0, height_l0)
    return math.ceil(height_l0 / side), math.ceil(width_l0 / side)


class CoverageSource:
    """Cells that were seen at a magnification or a stronger one. Thread-safe for reading."""

    changed = Signal(object)

    def __init__(self, width_l0: float, height_l0: float, codes: Codes, least: int) -> None:
        """``least``: the code (`study.coverage.code_of`) from which on a cell counts as seen."""
        self.pyramid = Pyramid(
            halved_levels(math.ceil(width_l0), math.ceil(height_l0), _TILE_PX), _TILE_PX
        )
        self.cell_l0 = cell_size(width_l0, height_l0)
        self._codes = codes
        self._least = least
        self._style_version = 0

    @property
    def style_version(self) -> int:
        return self._style_version

    @property
    def codes(self) -> Codes:
        """What was seen; never changed in place."""
        return self._codes

    @codes.setter
    def codes(self, codes: Codes) -> None:
        self._codes = codes
        self._style_version += 1
        self.changed.emit(None)

    @property
    def least(self) -> int:
        return self._least

    @least.setter
    def least(self, least: int) -> None:
        if least != self._least:
            self._least = least
            self._style_version += 1
            self.changed.emit(None)

    def see(self, corners_l0: tuple[Point, ...], code: int) -> bool:
        """Take in a view by its corners; whether anything is seen better than before."""
        at_cells = np.array(corners_l0) / self.cell_l0 - 0.5  # OpenCV counts from middles
        seen = np.zeros_like(self._codes)
        points = np.rint(at_cells * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(seen, points, code, shift=_SHIFT)
        better = np.maximum(self._codes, seen)
        if (better == self._codes).all():
            return False
        self._codes = better
        (left, top), (right, bottom) = np.min(corners_l0, axis=0), np.max(corners_l0, axis=0)
        around = Rect.from_corners(float(left), float(top), float(right), float(bottom))
        self.changed.emit(around.expanded(2 * self.cell_l0))
        return True

    def share_of(self, tissue: npt.NDArray[np.bool_]) -> float:
        """Return how much (0–1) of some cells was seen."""
        n = int(np.count_nonzero(tissue))
        return float(np.count_nonzero(tissue & (self._codes >= self._least))) / n if n else 0.0

    def read_tile(self, key: TileKey) -> Rgba | None:
        tile_lv, codes = self.pyramid.tile_lv(key), self._codes
        enlarged = self.cell_l0 / self.pyramid.levels[key.level].downsample
        part = tile_lv.scaled(1 / enlarged).expanded(1).outward()
        part = part.intersection(Rect(0, 0, codes.shape[1], codes.shape[0]))
        x, y, width, height = part.as_ints()
        seen = (codes[y : y + height, x : x + width] >= self._least).astype(np.uint8)
        if not seen.any():
            return None
        to_tile = (
            Affine.moved(x + 0.5, y + 0.5)
            .then(Affine.scaled(enlarged))
            .then(Affine.moved(-tile_lv.x - 0.5, -tile_lv.y - 0.5))
        )
        size = int(tile_lv.width), int(tile_lv.height)
        kind = cv2.INTER_NEAREST if enlarged >= 1 else cv2.INTER_LINEAR
        mask = cv2.warpAffine(seen * 255, to_tile.matrix(), size, flags=kind)
        color = np.array([*_TINT, 255]) * _OPACITY / 255
        return np.asarray(np.rint(mask[..., None] * color), np.uint8)
