"""Which tiles a run has, and which comes next: those the person looks at, then row by row."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.slides.reading import AnalysisGrid
from pathoview.slides.tissue import TissueMask


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile; its core is what only this tile tells of. Pixels are the analysis grid's."""

    col: int
    row: int
    x: int
    y: int
    width: int
    height: int

    @property
    def core(self) -> Rect:
        return Rect(self.x, self.y, self.width, self.height)

    def core_l0(self, scale_l0: float) -> Rect:
        return self.core.scaled(scale_l0)


class TilePlan:
    """The tiles of a run with tissue in them, less those that are finished.

    The grid of tiles is anchored at the slide's origin, so that regions share their tiles; cores
    are cut at the region's and the slide's edge.
    """

    def __init__(
        self,
        grid: AnalysisGrid,
        tile_px: int,
        tissue: TissueMask,
        region_l0: Rect | None,
        finished: set[tuple[int, int]],
    ) -> None:
        self.tiles = _tissue_tiles(grid, tile_px, tissue, region_l0)
        """All of the run, row by row."""
        self._pending = np.array(
            [(tile.col, tile.row) not in finished for tile in self.tiles], np.bool_
        )
        corners = [(t.x, t.y, t.x + t.width, t.y + t.height) for t in self.tiles]
        self._corners_l0 = np.array(corners, np.float64).reshape(-1, 4) * grid.scale_l0
        self._first = 0

    @property
    def n_pending(self) -> int:
        return int(self._pending.sum())

    def next(self, focus_l0: Rect | None) -> Tile | None:
        """Return the tile to do next; None: nothing is left. Not thread-safe."""
        index = self._nearest_in(focus_l0) if focus_l0 else None
        if index is None:
            while self._first < len(self.tiles) and not self._pending[self._first]:
                self._first += 1
            if self._first == len(self.tiles):
                return None
            index = self._first
        self._pending[index] = False
        return self.tiles[index]

    def _nearest_in(self, focus: Rect) -> int | None:
        left, top, right, bottom = self._corners_l0.T
        inside = np.flatnonzero(
            self._pending
            & (left < focus.right)
            & (right > focus.x)
            & (top < focus.bottom)
            & (bottom > focus.y)
        )
        if not len(inside):
            return None
        x, y = focus.center
        dx = (left[inside] + right[inside]) / 2 - x
        dy = (top[inside] + bottom[inside]) / 2 - y
        return int(inside[np.argmin(dx**2 + dy**2)])


def _tissue_tiles(
    grid: AnalysisGrid, tile_px: int, tissue: TissueMask, region_l0: Rect | None
) -> tuple[Tile, ...]:
    area = Rect(0, 0, grid.width, grid.height)
    if region_l0:
        area = region_l0.scaled(1 / grid.scale_l0).outward().intersection(area)
    if area.is_empty:
        return ()
    columns, xs, widths = _cuts(int(area.x), int(area.right), tile_px)
    rows, ys, heights = _cuts(int(area.y), int(area.bottom), tile_px)
    has_tissue = _any_tissue(
        tissue,
        np.stack([xs, xs + widths]) * grid.scale_l0,
        np.stack([ys, ys + heights]) * grid.scale_l0,
    )
    return tuple(
        Tile(int(columns[i]), int(rows[j]), int(xs[i]), int(ys[j]), int(widths[i]), int(heights[j]))
        for j, i in np.argwhere(has_tissue)
    )


def _cuts(start: int, end: int, tile_px: int) -> tuple[npt.NDArray[np.int64], ...]:
    """Return numbers, starts and lengths of the tiles between two positions on one axis."""
    numbers = np.arange(start // tile_px, math.ceil(end / tile_px))
    starts = np.maximum(numbers * tile_px, start)
    return numbers, starts, np.minimum((numbers + 1) * tile_px, end) - starts


def _any_tissue(
    tissue: TissueMask, x_l0: npt.NDArray[np.float64], y_l0: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Say which (row, column) of the given spans, (2, n) each, holds a pixel of tissue."""
    height, width = tissue.mask.shape
    sums = np.zeros((height + 1, width + 1), np.int64)
    np.cumsum(np.cumsum(tissue.mask, axis=0, dtype=np.int64), axis=1, out=sums[1:, 1:])
    left, right = _pixels(x_l0, tissue.downsample, width)
    top, bottom = _pixels(y_l0, tissue.downsample, height)
    inside = sums[np.ix_(bottom, right)] - sums[np.ix_(top, right)]
    inside -= sums[np.ix_(bottom, left)] - sums[np.ix_(top, left)]
    return np.asarray(inside > 0)


def _pixels(
    spans: npt.NDArray[np.float64], downsample: float, size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the first and the end pixel of the mask for spans in level-0 px; never none."""
    first = np.clip(np.floor(spans[0] / downsample), 0, size - 1).astype(np.int64)
    end = np.ceil(spans[1] / downsample).astype(np.int64)
    return first, np.clip(end, first + 1, size)


def in_tissue(tissue: TissueMask, points_l0: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Say which points, (n, 2) x and y in level-0 px, lie on tissue."""
    height, width = tissue.mask.shape
    columns, rows = np.floor(points_l0 / tissue.downsample).astype(np.int64).T
    return np.asarray(
        tissue.mask[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)], np.bool_
    )


def tissue_of(tissue: TissueMask, tile: Tile, scale_l0: float) -> npt.NDArray[np.bool_]:
    """Say which pixels of a tile's core, (height, width), lie on tissue by their centres."""
    height, width = tissue.mask.shape
    factor = scale_l0 / tissue.downsample
    columns = np.floor((tile.x + np.arange(tile.width) + 0.5) * factor).astype(np.int64)
    rows = np.floor((tile.y + np.arange(tile.height) + 0.5) * factor).astype(np.int64)
    return np.asarray(
        tissue.mask[np.ix_(np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1))], np.bool_
    )
