"""Feret diameters and the smallest rectangle, of all shapes at once by rotating calipers.

Between two parallel lines that touch a convex hull on both sides lies its width in that direction.
The least width, and the rectangle of the least area, have a side on an edge of the hull; the
greatest width joins two vertices that such lines touch.

References: Shamos 1978 (calipers), Freeman and Shapira 1975 (smallest rectangle).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_TURN = 2 * np.pi
_STRIDE = 8.0
"""More than a turn: angles of one hull never reach those of the next."""
_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Calipers:
    """What calipers tell of n shapes; lengths in the shapes' unit, zero for a point.

    Angles are in degrees, 0 ≤ angle < 180, counter-clockwise from the x axis as seen on the screen.
    """

    max_diameter: Floats
    max_angle: Floats
    min_diameter: Floats
    rectangle_angle: Floats
    """Of the longer side of the smallest rectangle."""


def calipers(shapes: npt.NDArray[np.object_]) -> Calipers:
    """Measure shapes, none of them empty."""
    starts = range(0, max(len(shapes), 1), _AT_ONCE)
    blocks = [_measured(shapes[start : start + _AT_ONCE]) for start in starts]
    return Calipers(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def _measured(shapes: npt.NDArray[np.object_]) -> tuple[Floats, Floats, Floats, Floats]:
    if not len(shapes):
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0)
    hull = _Hulls.of(shapes)
    here, there = hull.points, hull.points[hull.following]
    edge = there - here
    length = np.hypot(*edge.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.where(length[:, None] > 0, edge / length[:, None], (1.0, 0.0))
    opposite = hull.touched(np.pi)
    ahead, behind = hull.touched(np.pi / 2)[1], hull.touched(3 * np.pi / 2)[1]
    width = np.max([_cross(along, hull.points[far] - here) for far in opposite], axis=0)
    extent = ((hull.points[ahead] - hull.points[behind]) * along).sum(axis=1)
    reach = np.array([hull.points[far] - here for far in opposite])
    distance = np.hypot(reach[..., 0], reach[..., 1])
    farthest = distance.argmax(axis=0)
    every = np.arange(len(here))
    longest = hull.first_of_largest(distance[farthest, every])
    thinnest, tightest = hull.first_of_largest(-width), hull.first_of_largest(-width * extent)
    is_across = width[tightest] > extent[tightest]
    return (
        distance[farthest, every][longest],
        _angle(reach[farthest, every][longest]),
        np.maximum(width[thinnest], 0.0),
        np.mod(_angle(along[tightest]) + np.where(is_across, 90.0, 0.0), 180.0),
    )


@dataclass(frozen=True, slots=True)
class _Hulls:
    points: Floats
    """(v, 2) ring after ring, not closed, from the x axis towards the y axis."""
    offsets: Index
    owner: Index
    following: Index
    turned: Floats
    """(v,) by how much the edge that begins here is turned against the first of its hull."""

    @classmethod
    def of(cls, shapes: npt.NDArray[np.object_]) -> _Hulls:
        hulls = shapely.orient_polygons(shapely.convex_hull(shapes), exterior_cw=False)
        points, owner = shapely.get_coordinates(hulls, return_index=True)
        is_last = np.diff(owner, append=-1) != 0
        is_closing = is_last & (shapely.get_dimensions(hulls) == 2)[owner]
        points, owner = points[~is_closing], owner[~is_closing]
        counts = np.bincount(owner, minlength=len(shapes))
        offsets = np.concatenate([[0], np.cumsum(counts)])
        following = np.arange(len(points)) + 1
        following[offsets[1:] - 1] = offsets[:-1]
        edge = points[following] - points
        before = np.empty_like(edge)
        before[following] = edge
        # Angles added up never run back, as those of edges that are nearly one line would.
        corner = np.arctan2(np.abs(_cross(before, edge)), (before * edge).sum(axis=1))
        corner[offsets[:-1]] = 0
        sums = np.cumsum(corner)
        turned = sums - sums[offsets[:-1]][owner]
        return cls(points, offsets, owner, following, turned)

    def touched(self, by: float) -> tuple[Index, Index, Index]:
        """Return which vertex a line touches that is turned against each edge, and its neighbours.

        The middle one of three; where an edge is touched all over, rounding decides for one end.
        """
        wanted = np.mod(self.turned + by, _TURN) + _STRIDE * self.owner
        keys = self.turned + _STRIDE * self.owner
        edge = np.searchsorted(keys, wanted, side="right") - 1
        edge = np.clip(edge, self.offsets[self.owner], self.offsets[self.owner + 1] - 1)
        return edge, self.following[edge], self.following[self.following[edge]]

    def first_of_largest(self, values: Floats) -> Index:
        """Return for each hull the first vertex at which a value is largest."""
        largest = np.maximum.reduceat(values, self.offsets[:-1])
        rows = np.flatnonzero(values == largest[self.owner])
        return np.asarray(rows[np.diff(self.owner[rows], prepend=-1) != 0])


def _cross(one: Floats, other: Floats) -> Floats:
    return np.asarray(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])


def _angle(direction: Floats) -> Floats:
    degrees = np.degrees(np.arctan2(-direction[:, 1], direction[:, 0]))  # y runs down
    return np.asarray(np.mod(np.round(degrees, 9), 180.0))
