"""Which tiles of a slide an encoder describes, and their pixels at every magnification.

Tiles lie on a grid that begins at the slide's origin, and only whole cells count; a picture smaller
than a tile is one tile, white beyond its edge. They are read in blocks: a block is what is read at
once, and what is stored at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Cell, Rect
from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.slides.slide import Slide
from pathoview.slides.stain_normalisation import StainNormaliser
from pathoview.slides.tissue import tissue_mask
from pathoview.tasks.tile_plan import Tile, TilePlan

Rgb = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

_BLOCK_PX, _MOST_ACROSS = 1792, 16
"""Side of a block at the first magnification, px, and how many tiles are in a row of it."""
_MOST_READ_PX = 4096
"""Side of what is read at once, px of a level: 50 MB a thread."""


@dataclass(frozen=True, slots=True)
class Block:
    """The tiles of a block that count."""

    columns: Ints
    """(n,)"""
    rows: Ints
    tissue: npt.NDArray[np.float32]
    """(n,) share of each tile that is tissue."""

    def __len__(self) -> int:
        return len(self.columns)


class Places(Protocol):
    """Blocks that are not finished."""

    def next(self, focus_l0: Rect | None) -> Tile | None:
        """Return the block to do next; None: nothing is left."""


class TileSupply(Protocol):
    """The tiles that an encoder describes. Safe to call from several threads."""

    cell_l0: Cell
    """Of the grid of tiles, level-0 px."""
    n_columns: int
    n_rows: int
    """Of the grid of tiles."""
    grids: tuple[AnalysisGrid, ...]
    """Of each magnification; of a clip, one without a scale (0 µm per px)."""
    reads_in_order: bool
    """One thread reads faster than several."""
    n_unread: int
    """Tiles that were left out, since they could not be read."""

    @property
    def true_mpp(self) -> tuple[float, ...]:
        """µm per px of each magnification as it is read."""

    @property
    def n_tiles(self) -> int:
        """How many tiles count, or at most do."""

    def plan(self, finished: set[tuple[int, int]]) -> Places:
        """Return the blocks that are not finished."""

    def core_l0(self, place: Tile) -> Rect:
        """Return where a block lies, level-0 px."""

    def read_block(
        self, place: Tile, normaliser: StainNormaliser | None
    ) -> tuple[Block, list[Rgb]]:
        """Return the tiles of a block that count, and their pixels; raise `SlideError`."""

    def read(self, block: Block, normaliser: StainNormaliser | None) -> list[Rgb]:
        """Return (n, tile_px, tile_px, 3) RGB of each magnification; raise `SlideError`."""


class FeatureTiles:
    """The tiles of one slide; a `TileSupply`."""

    reads_in_order = False
    n_unread = 0

    def __init__(
        self,
        slide: Slide,
        mpp: Sequence[float],
        tile_px: int,
        least_tissue: float,
        overlap: float = 0.0,
    ) -> None:
        """``mpp``: µm per px of each magnification; tiles have the same centre in all of them.

        ``overlap``: share of a tile's side that the next one sees as well; a tile then stands for
        the smaller cell in its middle. Raises `MissingScaleError` when the slide's scale is
        unknown.
        """
        self._slide = slide
        self._tile_px = tile_px
        self._least_tissue = least_tissue
        self.grids = tuple(analysis_grid(slide, one) for one in mpp)
        first = self.grids[0]
        self._cell_px = max(1, round(tile_px * (1 - overlap)))
        self._side_l0 = self._cell_px * first.scale_l0
        self.cell_l0 = Cell.square(self._side_l0)
        self.n_columns = max(1, first.width // self._cell_px)
        self.n_rows = max(1, first.height // self._cell_px)
        self.across = _tiles_across(self.grids, tile_px, self._cell_px)
        """Tiles in a row and in a column of a block."""

    @property
    def true_mpp(self) -> tuple[float, ...]:
        """µm per px of each magnification as it is read."""
        return tuple(grid.mpp for grid in self.grids)

    @cached_property
    def shares(self) -> npt.NDArray[np.float32]:
        """(row, column) share of each tile that is tissue, 0 where the tile does not count."""
        whole = np.zeros((self.n_rows, self.n_columns), np.float32)
        found = tissue_mask(self._slide).shares(self._side_l0)[: self.n_rows, : self.n_columns]
        whole[: found.shape[0], : found.shape[1]] = found
        info = self._slide.info
        inside = min(1.0, info.width / self._side_l0) * min(1.0, info.height / self._side_l0)
        whole /= np.float32(inside)  # of a tile larger than the picture, the picture counts
        whole[whole < self._least_tissue] = 0
        return whole

    @property
    def n_tiles(self) -> int:
        return int(np.count_nonzero(self.shares))

    def plan(self, finished: set[tuple[int, int]]) -> TilePlan:
        """Return the blocks with tissue in them, less those that are finished."""
        side_px = self.across * self._cell_px
        return TilePlan(self.grids[0], side_px, tissue_mask(self._slide), None, finished)

    def block(self, place: Tile) -> Block:
        """Return the tiles of a block that count, row by row."""
        top, left = place.row * self.across, place.col * self.across
        shares = self.shares[top : top + self.across, left : left + self.across]
        rows, columns = np.nonzero(shares)
        return Block(columns + left, rows + top, shares[rows, columns])

    def core_l0(self, place: Tile) -> Rect:
        """Return where a block lies, level-0 px."""
        return place.core_l0(self.grids[0].scale_l0)

    def read_block(
        self, place: Tile, normaliser: StainNormaliser | None
    ) -> tuple[Block, list[Rgb]]:
        """Return the tiles of a block that count, and their pixels; raise `SlideError`."""
        block = self.block(place)
        return block, self.read(block, normaliser)

    def read(self, block: Block, normaliser: StainNormaliser | None) -> list[Rgb]:
        """Return (n, tile_px, tile_px, 3) RGB of each magnification; raise `SlideError`."""
        return [self._read(grid, block, normaliser) for grid in self.grids]

    def _read(self, grid: AnalysisGrid, block: Block, normaliser: StainNormaliser | None) -> Rgb:
        side = self._tile_px
        if not len(block):
            return np.empty((0, side, side, 3), np.uint8)
        xs, ys = (self._corners(grid, numbers) for numbers in (block.columns, block.rows))
        left, top = int(xs.min()), int(ys.min())
        width, height = int(xs.max()) - left + side, int(ys.max()) - top + side
        region = read_patch(self._slide, grid, left, top, width, height)
        if normaliser is not None:
            region = normaliser.apply(region)
        places = zip(xs - left, ys - top, strict=True)
        return np.stack([region[y : y + side, x : x + side] for x, y in places])

    def _corners(self, grid: AnalysisGrid, numbers: Ints) -> Ints:
        """Return where tiles of columns (or rows) begin, px of a grid; their centres agree."""
        centers_l0 = (numbers + 0.5) * self._side_l0
        starts: Ints = np.rint(centers_l0 / grid.scale_l0 - self._tile_px / 2).astype(np.int64)
        return starts


def _tiles_across(grids: Sequence[AnalysisGrid], tile_px: int, cell_px: int) -> int:
    """Return how many tiles in a row make a block, so that it is read at once in little memory."""
    across = min(_MOST_ACROSS, max(1, _BLOCK_PX // tile_px))
    for grid in grids:
        step_px = cell_px * grids[0].scale_l0 / grid.scale_l0
        spare_px = _MOST_READ_PX / grid.factor - tile_px
        across = min(across, 1 + max(0, math.floor(spare_px / step_px)))
    return across
