"""Where a slide is out of focus: how much fine detail there is in each square of tissue.

The variance of the Laplacian of the grey values at a stated resolution. It depends on the tissue
and the scanner too, so a tile counts as blurred relative to the sharp tiles of the same slide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.slides.rgb import Rgb, RgbRule, reduction, rgb_rule, shrink
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask

BLUR_MPP = 1.0
"""µm per px at which detail is measured, nearly: the nearest whole reduction of a level."""
BLUR_TILE_PX = 256
BLURRED_BELOW = 0.1
"""A tile with less than this share of a sharp tile's variance is blurred."""

_SHARP_PERCENTILE = 75.0
_LEAST_TISSUE = 0.5
_FEWEST_TILES = 4
"""With fewer tiles there is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class BlurTile:
    """One square of the grid and its variance of the Laplacian, grey levels²."""

    row: int
    column: int
    variance: float


@dataclass(frozen=True, slots=True)
class BlurGrid:
    """The squares that are measured: those at least half tissue."""

    level: int
    factor: int
    """px of the level that are averaged to one, each way."""
    side_l0: float
    mpp: float | None
    """True µm per px of what is measured."""
    shape: tuple[int, int]
    places: tuple[tuple[int, int], ...]
    """(row, column) of the tiles to measure."""
    rule: RgbRule


@dataclass(frozen=True, slots=True)
class BlurMap:
    """The sharpness of a slide's tissue."""

    variance: npt.NDArray[np.float32]
    """(rows, columns) of tiles; NaN where there is too little tissue."""
    side_l0: float
    """Side of a tile, level-0 px; the first begins at the slide's top-left corner."""
    mpp: float | None
    """µm per px at which it was measured; None: full resolution, scale unknown."""
    sharp: float
    """The variance of a sharp tile (75th percentile); NaN with fewer than four tiles."""

    @property
    def blurred(self) -> npt.NDArray[np.bool_]:
        """(rows, columns): which tiles are out of focus."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.variance < BLURRED_BELOW * self.sharp)

    @property
    def n_tiles(self) -> int:
        return int(np.isfinite(self.variance).sum())

    @property
    def n_blurred(self) -> int:
        return int(self.blurred.sum())

    @property
    def lost_detail(self) -> npt.NDArray[np.float32]:
        """(rows, columns): how many times less detail than a sharp tile, as log10; 0 at least."""
        share = np.maximum(self.variance, 1e-6) / np.float32(self.sharp)
        return np.asarray(np.maximum(-np.log10(share), 0), np.float32)


def blur_grid(slide: Slide, tissue: TissueMask, mpp: float = BLUR_MPP) -> BlurGrid:
    """Return what is to be measured; full resolution is where the slide's scale is unknown."""
    downsample = 1.0 if slide.info.mpp is None else max(1.0, mpp / slide.mpp)
    level, factor = reduction(slide, downsample)
    scale_l0 = slide.info.levels[level].downsample * factor
    side_l0 = BLUR_TILE_PX * scale_l0
    shares = tissue.shares(side_l0)
    places = tuple((int(r), int(c)) for r, c in np.argwhere(shares >= _LEAST_TISSUE))
    true_mpp = None if slide.info.mpp is None else slide.mpp * scale_l0
    shape = shares.shape[0], shares.shape[1]
    return BlurGrid(level, factor, side_l0, true_mpp, shape, places, rgb_rule(slide))


def measured_blur(slide: Slide, grid: BlurGrid) -> Iterator[BlurTile]:
    """Yield the tiles of a grid one by one; raise `SlideError` when one cannot be read."""
    level = slide.info.levels[grid.level]
    side = BLUR_TILE_PX * grid.factor
    for row, column in grid.places:
        x, y = column * side, row * side
        width, height = min(side, level.width - x), min(side, level.height - y)
        if min(width, height) < 2 * grid.factor:
            continue
        raw = slide.read(grid.level, x, y, width, height)
        yield BlurTile(row, column, _variance(shrink(grid.rule.apply(raw), grid.factor)))


def blur_map(grid: BlurGrid, tiles: Iterable[BlurTile]) -> BlurMap:
    """Return the map of measured tiles."""
    variance = np.full(grid.shape, np.nan, np.float32)
    for tile in tiles:
        variance[tile.row, tile.column] = tile.variance
    known = variance[np.isfinite(variance)]
    sharp = math.nan
    if len(known) >= _FEWEST_TILES:
        sharp = float(np.percentile(known, _SHARP_PERCENTILE))
    return BlurMap(variance, grid.side_l0, grid.mpp, sharp)


def _variance(rgb: Rgb) -> float:
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())
