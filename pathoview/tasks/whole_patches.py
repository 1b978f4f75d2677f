"""The patches of a whole picture: a field of view, whatever its size and scale.

The picture is brought to 512 px at its shorter side. Patches of 224 px lie evenly over it, three
along the shorter side and seven along the longer: so many overlap in a square, and they touch in a
picture three times as long as it is high (Schaumberg et al. 2020, who say “21 patches on a grid”;
that it is 3 × 7 is our reading). Still longer pictures have as many as leave no gap.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Cell, Rect
from pathoview.slides.reading import AnalysisGrid
from pathoview.slides.rgb import reduction, rgb_rule, thumbnail
from pathoview.slides.slide import Slide
from pathoview.slides.stain_normalisation import StainNormaliser
from pathoview.tasks.feature_tiles import Block, Rgb
from pathoview.tasks.series_tiles import SeriesPlan
from pathoview.tasks.tile_plan import Tile

SHORTER_PX = 512
N_SHORT, N_LONG = 3, 7
"""Patches along the shorter and the longer side."""


class WholePatches:
    """The patches of one picture; a `feature_tiles.TileSupply`, all of it one block.

    The cells of its grid cover the picture and do not overlap; each lies in its patch, which it
    stands for where a map is drawn.
    """

    true_mpp: tuple[float, ...] = ()
    reads_in_order = False
    n_unread = 0

    def __init__(self, slide: Slide, tile_px: int) -> None:
        info = slide.info
        self._slide, self._tile_px = slide, tile_px
        self._scale_l0 = min(info.width, info.height) / SHORTER_PX
        """Level-0 px a px."""
        width, height = (max(1, round(n / self._scale_l0)) for n in (info.width, info.height))
        self._size_px = width, height
        n_long = max(N_LONG, math.ceil(max(width, height) / tile_px))
        is_wide = width >= height
        self.n_columns, self.n_rows = (n_long, N_SHORT) if is_wide else (N_SHORT, n_long)
        self.cell_l0 = Cell(info.width / self.n_columns, info.height / self.n_rows)
        self.n_tiles = n_long * N_SHORT
        level, factor = reduction(slide, self._scale_l0)
        self.grids: tuple[AnalysisGrid, ...] = (
            AnalysisGrid(level, factor, 0.0, self._scale_l0, width, height, rgb_rule(slide)),
        )

    def plan(self, finished: set[tuple[int, int]]) -> SeriesPlan:
        """Return the whole picture, unless it is finished."""
        return SeriesPlan([Tile(0, 0, 0, 0, *self._size_px)], finished)

    def core_l0(self, place: Tile) -> Rect:
        """Return the whole picture."""
        return place.core_l0(self._scale_l0)

    def read_block(
        self, place: Tile, normaliser: StainNormaliser | None
    ) -> tuple[Block, list[Rgb]]:
        """Return all patches, row by row; raise `SlideError`."""
        rows, columns = np.divmod(np.arange(self.n_tiles), self.n_columns)
        block = Block(columns, rows, np.ones(self.n_tiles, np.float32))
        return block, self.read(block, normaliser)

    def read(self, block: Block, normaliser: StainNormaliser | None) -> list[Rgb]:
        """Return (n, tile_px, tile_px, 3) RGB of patches; raise `SlideError`."""
        side, (width, height) = self._tile_px, self._size_px
        grid = self.grids[0]
        picture = thumbnail(self._slide, self._scale_l0, grid.rgb)
        how = cv2.INTER_AREA if picture.shape[0] > height else cv2.INTER_LINEAR
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)
        if normaliser is not None:
            picture = normaliser.apply(picture)
        xs = offsets(width, self.n_columns, side)[block.columns]
        ys = offsets(height, self.n_rows, side)[block.rows]
        places = zip(xs, ys, strict=True)
        return [np.stack([picture[y : y + side, x : x + side] for x, y in places])]


def offsets(length_px: int, n: int, side_px: int) -> npt.NDArray[np.int64]:
    """Return where patches of a side begin that lie evenly along a length, from end to end."""
    return np.rint(np.linspace(0, length_px - side_px, n)).astype(np.int64)
