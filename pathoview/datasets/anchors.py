"""Where in an image something is known, and of which class: patches are laid around such places."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.datasets.labels import UNKNOWN, Labels, Mask
from pathoview.datasets.meanings import Target
from pathoview.datasets.patches import PatchReader, inside
from pathoview.slides.reading import AnalysisGrid

_CELL_UM, _MOST_CELL_PX = 2.0, 4
_TILE_CELLS = 256
_MOST_IN_TILE, _MOST_IN_IMAGE = 2_048, 20_000
"""Places kept of a class."""

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Anchors:
    """Places of one image where something is known."""

    xy_l0: Points
    """(n, 2)."""
    values: npt.NDArray[np.int16]
    """(n,) class of each; of instances: 1 in an object, 0 between them."""
    counts: Mapping[int, float]
    """By value: px of the grid, about, or points."""

    def take(self, is_taken: npt.NDArray[np.bool_]) -> Anchors:
        """Return some of the places, with the counts they stand for."""
        counts = {}
        for value, n in self.counts.items():
            is_it = self.values == value
            share = int((is_it & is_taken).sum()) / max(1, int(is_it.sum()))
            if share:
                counts[value] = n * share
        return Anchors(self.xy_l0[is_taken], self.values[is_taken], counts)


class AnchorMap:
    """The anchors of all images of a reader for a target, each looked for once. Thread-safe."""

    def __init__(self, reader: PatchReader, target: Target) -> None:
        self.reader = reader
        self.target = target
        self._found: dict[int, Anchors] = {}
        self._lock = threading.Lock()

    def of(self, image: int) -> Anchors:
        """Return the anchors of an image by its place in the list."""
        with self._lock:
            if image not in self._found:
                labelled = self.reader.images[image]
                grid = self.reader.grids[image]
                whole = Rect(0, 0, labelled.slide.info.width, labelled.slide.info.height)
                self._found[image] = _anchors(labelled.labels, grid, whole, self.target)
            return self._found[image]


def _known(labels: Labels, target: Target, rect_l0: Rect, width: int, height: int) -> Mask:
    """Return what is known of each pixel for a target of areas, 255: nothing."""
    if target == "classes":
        return labels.mask(rect_l0, width, height)
    found = labels.instances(rect_l0, width, height)
    return np.where(found.is_known, found.labels > 0, UNKNOWN).astype(np.uint8)


def _anchors(labels: Labels, grid: AnalysisGrid, whole_l0: Rect, target: Target) -> Anchors:
    if target in ("points", "objects"):
        points = labels.points() if target == "points" else labels.examples()
        is_in = inside(whole_l0, points.xy_l0)
        return _thinned(points.xy_l0[is_in], points.values[is_in], 1.0)
    cell_px = min(max(1, int(_CELL_UM / grid.mpp)), _MOST_CELL_PX)
    pieces = [
        _cells(_known(labels, target, tile, _TILE_CELLS, _TILE_CELLS), tile)
        for tile in _tiles(labels.extents_l0(), whole_l0, grid.scale_l0 * cell_px)
    ]
    if not pieces:
        return Anchors(np.empty((0, 2)), np.empty(0, np.int16), {})
    xy, values, n = (np.concatenate(part) for part in zip(*pieces, strict=True))
    is_in = inside(whole_l0, xy)
    return _thinned(xy[is_in], values[is_in], n[is_in] * cell_px**2)


def _tiles(boxes_l0: Points, whole_l0: Rect, cell_l0: float) -> Iterator[Rect]:
    """Yield the squares of a grid over the slide that touch a box, row by row."""
    side = cell_l0 * _TILE_CELLS
    ends = [math.ceil(length / side) for length in (whole_l0.width, whole_l0.height)]
    found: set[tuple[int, int]] = set()
    for left, top, right, bottom in boxes_l0.tolist():
        columns, rows = (
            range(max(0, math.floor(low / side)), min(end, math.floor(high / side) + 1))
            for low, high, end in ((left, right, ends[0]), (top, bottom, ends[1]))
        )
        found.update((row, column) for row in rows for column in columns)
    for row, column in sorted(found):
        yield Rect(column * side, row * side, side, side)


def _cells(mask: Mask, tile_l0: Rect) -> tuple[Points, npt.NDArray[np.int16], Points]:
    """Return centres and values of known cells, and how many cells each stands for."""
    cell_l0 = tile_l0.width / _TILE_CELLS
    places, stand_for = [], []
    for value in np.unique(mask[mask != UNKNOWN]).tolist():
        all_places = np.flatnonzero(mask == value)
        n = min(len(all_places), _MOST_IN_TILE)
        places.append(all_places[spread(len(all_places), n)])
        stand_for.append(np.full(n, len(all_places) / n))
    if not places:
        return np.empty((0, 2)), np.empty(0, np.int16), np.empty(0)
    chosen = np.concatenate(places)
    rows, columns = np.divmod(chosen, _TILE_CELLS)
    xy = (np.stack([columns, rows], axis=1) + 0.5) * cell_l0 + (tile_l0.x, tile_l0.y)
    return xy, mask.ravel()[chosen].astype(np.int16), np.concatenate(stand_for)


def _thinned(xy_l0: Points, values: npt.NDArray[np.int16], stand_for: Points | float) -> Anchors:
    weights = np.broadcast_to(stand_for, values.shape)
    counts: dict[int, float] = {}
    kept = []
    for value in np.unique(values).tolist():
        places = np.flatnonzero(values == value)
        counts[value] = float(weights[places].sum())
        kept.append(places[spread(len(places), min(len(places), _MOST_IN_IMAGE))])
    chosen = np.concatenate(kept) if kept else np.empty(0, np.int64)
    return Anchors(xy_l0[chosen], values[chosen], counts)


def spread(n: int, n_kept: int) -> npt.NDArray[np.int64]:
    """Return numbers spread evenly over 0 … n - 1."""
    return np.asarray((np.arange(n_kept) + 0.5) * n / n_kept, np.int64)
