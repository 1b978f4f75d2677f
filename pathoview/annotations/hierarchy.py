"""Which object lies in which: counts of detections in annotations, and parents by geometry.

A detection lies where its centroid does, on the border too; an annotation in another when that
covers all of it. An object's parent is the smallest annotation around it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.detections import SUBPIXEL

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]

NO_PARENT = -1

_SLACK_PX = 2 / SUBPIXEL


class Places:
    """Points that can be asked which of them lie in a shape, quickly and often; level-0 px."""

    def __init__(self, points_l0: npt.ArrayLike) -> None:
        points = np.asarray(points_l0, np.float64).reshape(-1, 2)
        self._x, self._y = points.T.copy()
        self._tree = shapely.STRtree(shapely.points(points))

    def __len__(self) -> int:
        return len(self._x)

    def points_l0(self, rows: Index) -> Floats:
        """Return some of the points, (n, 2)."""
        return np.stack([self._x[rows], self._y[rows]], axis=1)

    def inside(self, shape: BaseGeometry) -> Index:
        """Return which points lie in an area or on its border, in no stated order."""
        near = self._tree.query(shape)  # by boxes: testing point by point is left to the next line
        if not len(near):
            return np.asarray(near)
        shapely.prepare(shape)
        is_inside = shapely.intersects_xy(shape, self._x[near], self._y[near])
        return np.asarray(near[is_inside])


def counts_inside(
    regions: Shapes, centroids_l0: npt.ArrayLike | Places, class_index: Index, n_classes: int
) -> Index:
    """Return how many objects of each class lie in each region, (n regions, n classes).

    Objects with a class of -1 are in no column: give the unclassified a class of their own to have
    them counted. Objects in two regions count in both.
    """
    places = centroids_l0 if isinstance(centroids_l0, Places) else Places(centroids_l0)
    counts = np.zeros((len(regions), n_classes), np.int64)
    for row, region in enumerate(regions):
        classes = class_index[places.inside(region)]
        counts[row] = np.bincount(classes[classes >= 0], minlength=n_classes)
    return counts


def parents_of_points(regions: Shapes, points_l0: npt.ArrayLike | Places) -> Index:
    """Return for each point which region is the smallest around it, (n,); -1: none.

    Of regions of one size the later is taken. Only areas hold anything.
    """
    places = points_l0 if isinstance(points_l0, Places) else Places(points_l0)
    parents = np.full(len(places), NO_PARENT, np.int64)
    for row in _from_large_to_small(regions):
        parents[places.inside(regions[row])] = row
    return parents


def parents_of_regions(regions: Shapes) -> Index:
    """Return for each region which other is the smallest that covers it, (n,); -1: none.

    Equal regions lie in each other in the order in which they are given: there is never a circle.
    What was cut along a border may stick out by the grid's rounding.
    """
    parents = np.full(len(regions), NO_PARENT, np.int64)
    order = _from_large_to_small(regions)
    rank = np.full(len(regions), len(regions))  # what holds nothing comes last
    rank[order] = np.arange(len(order))
    low, high = np.split(shapely.bounds(regions), 2, axis=1)
    tree = shapely.STRtree(regions)
    for outer in order:
        near = tree.query(regions[outer])
        near = near[rank[near] > rank[outer]]
        is_within = (low[near] >= low[outer] - _SLACK_PX) & (high[near] <= high[outer] + _SLACK_PX)
        near = near[is_within.all(axis=1)]
        if len(near):
            around = shapely.buffer(regions[outer], _SLACK_PX, quad_segs=1)
            shapely.prepare(around)
            parents[near[shapely.covers(around, regions[near])]] = outer
    return parents


def _from_large_to_small(regions: Shapes) -> Index:
    area = shapely.area(regions)
    order = np.argsort(-area, kind="stable")
    return np.asarray(order[area[order] > 0])
