"""The rare object that two neighbouring tiles both claim, found when all tiles are done.

An object belongs to the tile whose core holds its centroid. Two tiles can see an object a little
differently, so that its centroid falls into both cores; the first in (row, column) order keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.detections import Detections
from pathoview.core.geometry import Rect

_SAME_OBJECT_IOU = 0.3
_LATER_NEIGHBOURS = ((1, 0), (-1, 1), (0, 1), (1, 1))

Place = tuple[int, int]


@dataclass(slots=True)
class Seams:
    """What `find_duplicates` found: ids to leave out, (n, 16), and how many objects remain."""

    ids: npt.NDArray[np.uint8]
    n_kept: int


@dataclass(slots=True)
class _Rim:
    """A tile's objects that reach into the neighbours' sight."""

    table: Detections
    boxes: npt.NDArray[np.float64]
    dropped: set[int] = field(default_factory=set)


def find_duplicates(
    cores_l0: Mapping[Place, Rect],
    load: Callable[[int, int], Detections],
    *,
    sight_l0: float,
    check: Callable[[], None],
) -> Seams:
    """Return the objects that an earlier tile has too. Two rows of tiles are in memory at once.

    ``cores_l0`` has the core of each (column, row); ``sight_l0`` is how far a tile sees beyond its
    core, in level-0 px.
    """
    n_objects = 0

    def rims_of(row: int) -> dict[Place, _Rim]:
        nonlocal n_objects
        check()
        rims = {}
        for place in sorted(place for place in cores_l0 if place[1] == row):
            table = load(*place)
            n_objects += len(table)
            rims[place] = _rim(table, cores_l0[place].expanded(-sight_l0))
        return rims

    gone: list[npt.NDArray[np.uint8]] = []
    rows = sorted({row for _col, row in cores_l0})
    here: dict[Place, _Rim] = {}
    for row in rows:
        here = here or rims_of(row)
        below = rims_of(row + 1) if row + 1 in rows else {}
        both = here | below
        for place, rim in here.items():
            for dx, dy in _LATER_NEIGHBOURS:
                neighbour = both.get((place[0] + dx, place[1] + dy))
                if neighbour:
                    _drop_second(rim, neighbour)
        gone += [rim.table.ids[sorted(rim.dropped)] for rim in here.values() if rim.dropped]
        here = below
    ids = np.concatenate([np.empty((0, 16), np.uint8), *gone])
    return Seams(ids, n_objects - len(ids))


def _rim(table: Detections, inner: Rect) -> _Rim:
    boxes = table.boxes_l0()
    left, top, right, bottom = boxes.T
    outside = (left < inner.x) | (top < inner.y) | (right > inner.right) | (bottom > inner.bottom)
    return _Rim(table.take(outside), boxes[outside])


def _drop_second(first: _Rim, second: _Rim) -> None:
    for i, j in _overlapping(first.boxes, second.boxes):
        is_open = i not in first.dropped and j not in second.dropped
        if is_open and _iou(first.table.ring_l0(i), second.table.ring_l0(j)) >= _SAME_OBJECT_IOU:
            second.dropped.add(j)


def _overlapping(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]
) -> Iterator[tuple[int, int]]:
    """Yield the pairs of rows whose boxes overlap, in order."""
    near_first = _touching(first, second)
    near_second = _touching(second, first)
    a, b = first[near_first][:, None], second[near_second][None]
    overlap = (a[..., :2] < b[..., 2:]).all(axis=2) & (b[..., :2] < a[..., 2:]).all(axis=2)
    for i, j in np.argwhere(overlap):
        yield int(near_first[i]), int(near_second[j])


def _touching(
    boxes: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Return the rows of ``boxes`` that touch the rectangle around all ``others``."""
    if not len(others):
        return np.empty(0, np.intp)
    low, high = others[:, :2].min(axis=0), others[:, 2:].max(axis=0)
    touches = (boxes[:, :2] < high).all(axis=1) & (boxes[:, 2:] > low).all(axis=1)
    return np.flatnonzero(touches)


def _iou(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    a, b = (shapely.make_valid(shapely.Polygon(ring)) for ring in (first, second))
    common = a.intersection(b).area
    whole = a.area + b.area - common
    return common / whole if whole else 0.0
