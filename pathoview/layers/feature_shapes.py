"""The shapes of single objects as columns, so that many are found and drawn at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect

Index = npt.NDArray[np.int64]
Points = npt.NDArray[np.float64]

_POINT, _LINE, _POLYGON = 0, 1, 3
"""What shapely calls them."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Rings (not closed) or open lines, one after the other."""

    points_l0: Points
    """(v, 2)"""
    offsets: Index
    """(n + 1,) where each line starts."""
    part: Index
    """(n,) ascending: which polygon or line it belongs to."""
    owner: Index
    """(n,) ascending: the row of the feature."""

    def of(self, is_wanted: npt.NDArray[np.bool_]) -> Lines:
        """Return the lines of some features; one boolean for each feature."""
        rows = np.flatnonzero(is_wanted[self.owner])
        starts = self.offsets[rows]
        counts = self.offsets[rows + 1] - starts
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        within = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
        points = self.points_l0.take(within, axis=0)
        return Lines(points, offsets, self.part[rows], self.owner[rows])


class FeatureShapes:
    """Features that came together, and what is needed to find and to draw them."""

    def __init__(self, start: int, features: Sequence[Feature], class_index: Index) -> None:
        self.start = start
        """The row of the first in the whole list."""
        self.features = tuple(features)
        self.class_index = class_index
        """(n,) index into the source's classes; -1: unclassified."""
        self.geometries = np.array([feature.geometry for feature in features], object)
        parts, owner = _parts(self.features)
        kind = shapely.get_type_id(parts)
        polygons, lines, points = (np.flatnonzero(kind == one) for one in (_POLYGON, _LINE, _POINT))
        rings, ring_polygon = shapely.get_rings(parts[polygons], return_index=True)
        self.rings = _lines(rings, polygons[ring_polygon], owner, is_closed=True)
        self.lines = _lines(parts[lines], lines, owner, is_closed=False)
        self.points_l0: Points = shapely.get_coordinates(parts[points])
        """(n, 2)"""
        self.point_owner = owner[points]
        bounds = shapely.bounds(self.geometries)
        self.centers_l0: Points = (bounds[:, :2] + bounds[:, 2:]) / 2
        """(n, 2) middles of the boxes."""
        self._side_l0 = (bounds[:, 2:] - bounds[:, :2]).max(axis=1, initial=0)
        is_point = np.zeros(len(self.features), bool)
        is_point[self.point_owner] = True
        has_color = np.array([feature.color is not None for feature in features], bool)
        self._is_plain = ~(is_point | has_color)
        """(n,) areas and lines in the colour of their class."""
        self.is_there = np.ones(len(self.features), bool)
        """(n,) False: taken away since."""
        self._tree = shapely.STRtree(self.geometries)

    def is_speck(self, least_l0: float) -> npt.NDArray[np.bool_]:
        """Say which are so small that a speck in the colour of their class does for them, (n,)."""
        speck: npt.NDArray[np.bool_] = self._is_plain & (self._side_l0 < least_l0)
        return speck

    def near(self, rect_l0: Rect) -> Index:
        """Return the rows whose boxes touch a rectangle, ascending."""
        box = shapely.box(rect_l0.x, rect_l0.y, rect_l0.right, rect_l0.bottom)
        return np.sort(self._tree.query(box)).astype(np.int64)

    def extent_l0(self) -> Rect:
        """Return the rectangle around all of them."""
        left, top, right, bottom = shapely.total_bounds(self.geometries).tolist()
        if math.isnan(left):  # empty shapes, all of them
            return Rect(0, 0, 0, 0)
        return Rect.from_corners(left, top, right, bottom)

    def at(self, rows: Index, x_l0: float, y_l0: float, reach_l0: float) -> tuple[Index, Points]:
        """Return which of some rows lie at a place, and their areas, (n,).

        Lines and points count when they are no farther away than ``reach_l0``.
        """
        geometries = self.geometries[rows]
        areas = shapely.area(geometries)
        distances = shapely.distance(geometries, shapely.Point(x_l0, y_l0))
        hit = distances <= np.where(areas > 0, 0, reach_l0)
        return rows[hit], areas[hit]


def _parts(features: Sequence[Feature]) -> tuple[npt.NDArray[np.object_], Index]:
    """Return points, lines and polygons, in the order of drawing, and the row of each's feature."""
    shapes, owner = [], []
    for row, feature in enumerate(features):
        for shape in (feature.geometry, feature.nucleus):
            if shape is not None:
                shapes.append(shape)
                owner.append(row)
    parts, index = shapely.get_parts(np.array(shapes, object), return_index=True)
    there = ~shapely.is_empty(parts)
    return parts[there], np.array(owner, np.int64)[index][there]


def _lines(shapes: npt.NDArray[np.object_], part: Index, owner: Index, *, is_closed: bool) -> Lines:
    points = shapely.get_coordinates(shapes)
    counts = shapely.get_num_coordinates(shapes).astype(np.int64)
    if is_closed:
        points = np.delete(points, np.cumsum(counts) - 1, axis=0)
        counts = counts - 1
    return Lines(points, np.concatenate([[0], np.cumsum(counts)]), part, owner[part])
