"""Labelled pixels to learn from: spread out, as many of each class, with their features.

A slide is cut into tiles of the grid the method works at. Features of a tile are computed once and
kept while there is memory, so that a further stroke costs only the tiles it newly touches.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pathoview.core.byte_cache import ByteCache, Share
from pathoview.core.geometry import Rect
from pathoview.core.machine import usable_cores
from pathoview.core.progress import Progress
from pathoview.datasets.labels import UNKNOWN, Labels, Mask
from pathoview.methods.pixel_features import PixelFeatures
from pathoview.slides.reading import AnalysisGrid, read_patch
from pathoview.slides.slide import Slide

TILE_PX = 128
_BLOCK_TILES = 4
"""Tiles a side that are computed together at most: they share the rim that is looked at."""
_LOOKS_IN_VAIN = 200
_TILES_A_LABEL = 24
"""Tiles of one label that are looked at: of a whole slide that is labelled, a sample."""
_PIXELS_A_TILE = 400
"""About how many candidates of one class in one tile: neighbouring pixels tell the same."""

Features = npt.NDArray[np.float32]


class Tile(NamedTuple):
    """A place of the grid, in tiles."""

    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Places:
    """Labelled pixels of one slide."""

    tiles: tuple[Tile, ...]
    """The tiles they lie in."""
    tile_of: npt.NDArray[np.int64]
    """(n,) index of each pixel's tile."""
    xy: npt.NDArray[np.int64]
    """(n, 2) px from the tile's corner."""
    values: npt.NDArray[np.uint8]
    """(n,) what masks say there."""

    def of(self, index: npt.NDArray[np.int64]) -> Places:
        """Return some of the pixels."""
        return Places(self.tiles, self.tile_of[index], self.xy[index], self.values[index])

    def xy_l0(self, scale_l0: float) -> npt.NDArray[np.float64]:
        """Return the pixels' middles, (n, 2) level-0 px."""
        corners = np.array(self.tiles, np.int64).reshape(-1, 2)[self.tile_of] * TILE_PX
        return np.asarray((corners + self.xy + 0.5) * scale_l0, np.float64)


def labelled_pixels(labels: Labels, grid: AnalysisGrid, seed: int) -> Places:
    """Return pixels that are labelled, thinned out where many of a class lie in one tile.

    What is chosen in a tile depends on the seed and the labels in this tile only.
    """
    tiles = _labelled_tiles(labels, grid, seed)
    found = []
    for number, tile in enumerate(tiles):
        inside = _mask(labels, grid, tile)
        y, x = _thinned(inside, np.random.default_rng([seed, *tile]))
        found.append(np.stack([np.full(len(x), number), x, y, inside[y, x]], axis=1))
    rows = np.concatenate([np.zeros((0, 4), np.int64), *found])
    return Places(tuple(tiles), rows[:, 0], rows[:, 1:3], rows[:, 3].astype(np.uint8))


def balanced(values: npt.NDArray[np.integer], most: int, seed: int) -> npt.NDArray[np.int64]:
    """Return which pixels (or other samples) to take, ascending: at most ``most`` of each class."""
    rng = np.random.default_rng(seed)
    taken = [np.zeros(0, np.int64)]
    for value in np.unique(values):
        candidates = np.flatnonzero(values == value)
        if len(candidates) > most:
            candidates = rng.choice(candidates, most, replace=False)
        taken.append(candidates)
    return np.sort(np.concatenate(taken))


class FeatureTiles:
    """The features of a slide at the method's grid, tile by tile; kept while there is memory."""

    def __init__(
        self, slide: Slide, grid: AnalysisGrid, features: PixelFeatures, memory: ByteCache
    ) -> None:
        self.grid = grid
        self.features = features
        self._slide = slide
        self._kept: Share[Tile, Features] = Share(memory)

    def get(self, tiles: Sequence[Tile], progress: Progress) -> dict[Tile, Features]:
        """Return (height, width, feature) of each tile; missing ones are computed at once.

        A tile is TILE_PX a side, less at the slide's right and bottom edge. Several threads read
        and compute. Raises `Cancelled`.
        """
        found = {tile: kept for tile in tiles if (kept := self._kept.get(tile)) is not None}
        missing = [tile for tile in tiles if tile not in found]

        def compute(block: list[Tile]) -> dict[Tile, Features]:
            progress.check()
            return self._computed(block)

        with ThreadPoolExecutor(usable_cores()) as pool:
            for computed in pool.map(compute, _blocks(missing)):
                found |= computed
        return found

    def at(self, places: Places, progress: Progress) -> Features:
        """Return (n, feature) of pixels."""
        rows = np.empty((len(places.values), len(self.features.names)), np.float32)
        used = np.unique(places.tile_of).tolist()
        # A few tiles at a time: those of a whole slide need not fit into memory together.
        for start in range(0, len(used), _BLOCK_TILES**2 * usable_cores()):
            numbers = used[start : start + _BLOCK_TILES**2 * usable_cores()]
            tiles = self.get([places.tiles[number] for number in numbers], progress)
            for number in numbers:
                here = places.tile_of == number
                x, y = places.xy[here].T
                rows[here] = tiles[places.tiles[number]][y, x]
        return rows

    def _computed(self, block: list[Tile]) -> dict[Tile, Features]:
        """Compute the tiles of a block from one reading of the slide."""
        margin, whole = self.features.reach_px(self.grid.mpp), self._whole
        cores = [_place(tile).intersection(whole) for tile in block]
        seen = reduce(Rect.union, cores).expanded(margin).intersection(whole)
        patch = read_patch(self._slide, self.grid, *seen.as_ints())
        core = reduce(Rect.union, cores).moved(-seen.x, -seen.y)
        computed = self.features.of(patch, self.grid.mpp, _slices(core))
        tiles = {}
        for tile, own in zip(block, cores, strict=True):
            part = computed[_slices(own.moved(-seen.x - core.x, -seen.y - core.y))].copy()
            self._kept.put(tile, part, part.nbytes)
            tiles[tile] = part
        return tiles

    @property
    def _whole(self) -> Rect:
        return Rect(0, 0, self.grid.width, self.grid.height)


def tiles_of(rect: Rect, grid: AnalysisGrid) -> list[Tile]:
    """Return the tiles that a rectangle, px of the grid, has parts of on the slide, row by row."""
    part = rect.intersection(Rect(0, 0, grid.width, grid.height))
    if part.is_empty:
        return []
    x, y, width, height = part.as_ints()
    return [
        Tile(column, row)
        for row in range(y // TILE_PX, (y + height - 1) // TILE_PX + 1)
        for column in range(x // TILE_PX, (x + width - 1) // TILE_PX + 1)
    ]


def _place(tile: Tile) -> Rect:
    return Rect(tile.column * TILE_PX, tile.row * TILE_PX, TILE_PX, TILE_PX)


def _slices(rect: Rect) -> tuple[slice, slice]:
    x, y, width, height = rect.as_ints()
    return slice(y, y + height), slice(x, x + width)


def _mask(labels: Labels, grid: AnalysisGrid, tile: Tile) -> Mask:
    """Return what is known of a tile, cut at the slide's edge."""
    side_l0 = TILE_PX * grid.scale_l0
    rect = Rect(tile.column * side_l0, tile.row * side_l0, side_l0, side_l0)
    mask = labels.mask(rect, TILE_PX, TILE_PX)
    return mask[: grid.height - tile.row * TILE_PX, : grid.width - tile.column * TILE_PX]


def _labelled_tiles(labels: Labels, grid: AnalysisGrid, seed: int) -> list[Tile]:
    tiles: set[Tile] = set()
    for box in labels.extents_l0().tolist():
        # A point's box is empty: what is drawn of it reaches at least into the pixels beside.
        touched = tiles_of(Rect.from_corners(*box).scaled(1 / grid.scale_l0).expanded(1), grid)
        if len(touched) > _TILES_A_LABEL:
            touched = _some_of_each_class(labels, grid, touched, seed)
        tiles.update(touched)
    return sorted(tiles)


def _some_of_each_class(
    labels: Labels, grid: AnalysisGrid, tiles: Sequence[Tile], seed: int
) -> list[Tile]:
    """Return some tiles by lot, so that of each class there are as many as of a small label.

    Most of a large box may be unknown: looking ends when for a while nothing new was found.
    """
    chosen: list[Tile] = []
    n_seen: Counter[int] = Counter()
    n_in_vain = 0
    for index in np.random.default_rng(seed).permutation(len(tiles)).tolist():
        mask = _mask(labels, grid, tiles[index])
        values = np.unique(mask[mask != UNKNOWN]).tolist()
        is_news = any(n_seen[value] < _TILES_A_LABEL for value in values)
        n_in_vain = 0 if is_news else n_in_vain + 1
        if is_news:
            chosen.append(tiles[index])
            n_seen.update(values)
        elif n_in_vain >= _LOOKS_IN_VAIN and chosen:
            break
    return chosen


def _thinned(
    mask: Mask, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and columns of labelled pixels: of each class one in a cell, cells as needed."""
    rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for value in np.unique(mask[mask != UNKNOWN]):
        y, x = np.nonzero(mask == value)
        cell_px = math.ceil(math.sqrt(len(y) / _PIXELS_A_TILE))
        order = rng.permutation(len(y))
        cells = (y[order] // cell_px) * TILE_PX + x[order] // cell_px
        first = order[np.unique(cells, return_index=True)[1]]
        rows.append(y[first])
        columns.append(x[first])
    return np.concatenate(rows), np.concatenate(columns)


def _blocks(tiles: Sequence[Tile]) -> list[list[Tile]]:
    """Return the tiles in groups that lie together."""
    blocks: dict[tuple[int, int], list[Tile]] = {}
    for tile in tiles:
        place = tile.column // _BLOCK_TILES, tile.row // _BLOCK_TILES
        blocks.setdefault(place, []).append(tile)
    return list(blocks.values())
