"""The tiles of pictures in a row: whole frames of a clip, or tiles of each picture of a folder.

Their grid is one long strip: of a clip, tile (column, 0) is a frame; of a folder of pictures, the
grids of the pictures lie side by side, each as wide as that of the widest.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import SlideError
from pathoview.core.geometry import Cell, Rect
from pathoview.core.pyramid import Plane
from pathoview.slides.reading import AnalysisGrid
from pathoview.slides.rgb import RgbRule
from pathoview.slides.series import FolderSlide
from pathoview.slides.slide import Slide
from pathoview.slides.stain_normalisation import StainNormaliser
from pathoview.tasks.feature_tiles import Block, FeatureTiles, Rgb
from pathoview.tasks.tile_plan import Tile

_FRAMES_AT_ONCE = 32
"""In a block: what is read at once, and stored at once."""

_logger = logging.getLogger(__name__)


def fitted(frame: Rgb, side: int) -> Rgb:
    """Return a whole frame, (height, width, 3), as a square of ``side`` px.

    It keeps its shape; what is missing at its shorter sides is filled with its mirror image.
    """
    height, width = frame.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(frame, size, interpolation=how)
    across, down = side - size[0], side - size[1]
    rims = down // 2, down - down // 2, across // 2, across - across // 2
    return np.asarray(cv2.copyMakeBorder(small, *rims, cv2.BORDER_REFLECT), np.uint8)


class SeriesPlan:
    """The blocks of a series in their order, less those that are finished."""

    def __init__(self, places: Sequence[Tile], finished: set[tuple[int, int]]) -> None:
        self._left = deque(one for one in places if (one.col, one.row) not in finished)

    @property
    def n_pending(self) -> int:
        return len(self._left)

    def next(self, focus_l0: Rect | None) -> Tile | None:
        """Return the block to do next, wherever a person looks; None: nothing is left."""
        return self._left.popleft() if self._left else None


class FrameTiles:
    """The frames of a clip, each one tile. Safe to call from several threads."""

    true_mpp: tuple[float, ...] = ()
    n_rows = 1

    def __init__(self, slide: Slide, tile_px: int, every: int) -> None:
        info = slide.info
        self._slide, self._tile_px, self._every = slide, tile_px, every
        side_l0 = float(max(info.width, info.height))
        self.cell_l0 = Cell.square(side_l0)
        self.n_columns = info.size_t
        self.n_tiles = math.ceil(info.size_t / every)
        scale_l0 = side_l0 / tile_px
        self.grids: tuple[AnalysisGrid, ...] = (
            AnalysisGrid(0, 1, 0.0, scale_l0, info.width, info.height, RgbRule()),
        )
        self.reads_in_order = info.reader == "video"
        self.n_unread = 0

    def plan(self, finished: set[tuple[int, int]]) -> SeriesPlan:
        """Return the blocks of frames that are not finished."""
        n = math.ceil(self.n_tiles / _FRAMES_AT_ONCE)
        whole = (self.grids[0].width, self.grids[0].height)
        return SeriesPlan([Tile(number, 0, 0, 0, *whole) for number in range(n)], finished)

    def core_l0(self, place: Tile) -> Rect:
        """Return the whole frame."""
        return place.core

    def read_block(
        self, place: Tile, normaliser: StainNormaliser | None
    ) -> tuple[Block, list[Rgb]]:
        """Return the frames of a block that can be read; raise `SlideError` when none can be."""
        first = place.col * _FRAMES_AT_ONCE
        numbers = range(first, min(first + _FRAMES_AT_ONCE, self.n_tiles))
        columns, frames = [], []
        for column in (number * self._every for number in numbers):
            try:
                frames.append(self._frame(column))
            except SlideError:
                if not frames and column == numbers[-1] * self._every:
                    raise
                _logger.warning("frame %d cannot be read and is left out", column + 1)
                self.n_unread += 1
                continue
            columns.append(column)
        return _block(columns), [np.stack(frames)]

    def read(self, block: Block, normaliser: StainNormaliser | None) -> list[Rgb]:
        """Return (n, tile_px, tile_px, 3) of frames; raise `SlideError`."""
        return [np.stack([self._frame(column) for column in block.columns.tolist()])]

    def _frame(self, t: int) -> Rgb:
        info = self._slide.info
        frame = self._slide.read(0, 0, 0, info.width, info.height, Plane(t=t))
        return fitted(frame, self._tile_px)


class PictureTiles:
    """The tiles of tissue in each picture of a folder. Safe to call from several threads."""

    reads_in_order = False
    n_unread = 0

    def __init__(
        self, slide: FolderSlide, mpp: Sequence[float], tile_px: int, least_tissue: float
    ) -> None:
        self._slide = slide
        self._how = mpp, tile_px, least_tissue
        largest = FeatureTiles(slide, *self._how)
        self.grids, self.cell_l0, self.n_rows = largest.grids, largest.cell_l0, largest.n_rows
        self.true_mpp = largest.true_mpp
        self._n_across = largest.n_columns
        self.n_columns = self._n_across * slide.info.size_t
        self.n_tiles = self.n_columns * self.n_rows
        """At most: how much of it is tissue is seen when a picture is read."""

    def plan(self, finished: set[tuple[int, int]]) -> SeriesPlan:
        """Return the pictures that are not finished, each a block."""
        whole = (self.grids[0].width, self.grids[0].height)
        places = [Tile(t, 0, 0, 0, *whole) for t in range(self._slide.info.size_t)]
        return SeriesPlan(places, finished)

    def core_l0(self, place: Tile) -> Rect:
        """Return the whole of the largest picture."""
        return place.core_l0(self.grids[0].scale_l0)

    def read_block(
        self, place: Tile, normaliser: StainNormaliser | None
    ) -> tuple[Block, list[Rgb]]:
        """Return the tiles of tissue of a picture; raise `SlideError`."""
        with self._slide.picture(place.col) as picture:
            tiles = FeatureTiles(picture, *self._how)
            rows, columns = np.nonzero(tiles.shares)
            own = Block(columns, rows, tiles.shares[rows, columns])
            pixels = tiles.read(own, normaliser)
        return Block(columns + place.col * self._n_across, rows, own.tissue), pixels

    def read(self, block: Block, normaliser: StainNormaliser | None) -> list[Rgb]:
        """Return (n, tile_px, tile_px, 3) RGB of each magnification; raise `SlideError`."""
        mpp, side, _least = self._how
        found = [np.empty((len(block), side, side, 3), np.uint8) for _one in mpp]
        pictures = block.columns // self._n_across
        for t in np.unique(pictures).tolist():
            places = np.flatnonzero(pictures == t)
            columns = block.columns[places] % self._n_across
            own = Block(columns, block.rows[places], block.tissue[places])
            with self._slide.picture(t) as picture:
                made = FeatureTiles(picture, *self._how).read(own, normaliser)
            for all_of, some in zip(found, made, strict=True):
                all_of[places] = some
        return found


def _block(columns: Sequence[int]) -> Block:
    numbers: npt.NDArray[np.int64] = np.array(columns, np.int64)
    return Block(numbers, np.zeros_like(numbers), np.ones(len(numbers), np.float32))
