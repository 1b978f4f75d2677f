"""A shape moved, scaled, turned, or changed at one vertex; level-0 px, y runs down.

Vertices are numbered through all parts, outlines before holes, without the points that close a
ring. An edit of a vertex is refused (None) when the shape would cross itself, lose a part or a
hole, or keep too few vertices: one drag never tears a shape apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.detections import SUBPIXEL
from pathoview.annotations.shapes import tidy

Points = npt.NDArray[np.float64]
Place = tuple[float, float]


def translate(shape: BaseGeometry, dx_l0: float, dy_l0: float) -> BaseGeometry | None:
    """Return the shape moved, by whole steps of the grid: it is not deformed."""
    step = np.rint(np.array([dx_l0, dy_l0]) * SUBPIXEL) / SUBPIXEL
    return tidy(shapely.transform(shape, lambda xy: xy + step))


def scale(
    shape: BaseGeometry, factor_x: float, factor_y: float, about_l0: Place
) -> BaseGeometry | None:
    """Return the shape scaled about a place that stays; negative factors mirror it."""
    return tidy(affinity.scale(shape, factor_x, factor_y, origin=about_l0), shape)


def rotate(shape: BaseGeometry, degrees: float, about_l0: Place) -> BaseGeometry | None:
    """Return the shape turned about a place, clockwise on the screen."""
    return tidy(affinity.rotate(shape, degrees, origin=about_l0), shape)


def vertices(shape: BaseGeometry) -> Points:
    """Return the vertices, (n, 2) level-0 px, as they are numbered here."""
    chain = _Chain.of(shape)
    return chain.points[chain.rows]


def nearest_vertex(shape: BaseGeometry, x_l0: float, y_l0: float) -> tuple[int, float]:
    """Return the number of the vertex nearest to a place, and its distance in px."""
    distance = np.hypot(*(vertices(shape) - (x_l0, y_l0)).T)
    nearest = int(distance.argmin())
    return nearest, float(distance[nearest])


def nearest_edge(shape: BaseGeometry, x_l0: float, y_l0: float) -> tuple[int, float] | None:
    """Return the vertex with which the edge nearest to a place begins, and the distance in px.

    None for points, which have no edges.
    """
    chain = _Chain.of(shape)
    starts = chain.edge_starts
    if not len(starts):
        return None
    here, there = chain.points[starts], chain.points[starts + 1]
    along, to_place = there - here, np.array([x_l0, y_l0]) - here
    length2 = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip((along * to_place).sum(axis=1) / length2, 0, 1)
    distance = np.hypot(*(to_place - along * share[:, None]).T)
    nearest = int(distance.argmin())
    return int(np.searchsorted(chain.rows, starts[nearest])), float(distance[nearest])


def move_vertex(shape: BaseGeometry, index: int, x_l0: float, y_l0: float) -> BaseGeometry | None:
    """Return the shape with a vertex elsewhere; None when that is refused."""
    chain = _Chain.of(shape)
    row = int(chain.rows[index])
    points = chain.points.copy()
    points[row] = x_l0, y_l0
    start, end = chain.span(row)
    if chain.is_closed and row == start:
        points[end - 1] = x_l0, y_l0
    return _checked(replace(chain, points=points))


def insert_vertex(shape: BaseGeometry, index: int, x_l0: float, y_l0: float) -> BaseGeometry | None:
    """Return the shape with a vertex more, after the one given; None when that is refused."""
    chain = _Chain.of(shape)
    if not chain.has_edges:
        return None
    row = int(chain.rows[index])
    points = np.insert(chain.points, row + 1, (x_l0, y_l0), axis=0)
    return _checked(replace(chain, points=points).resized(row, 1))


def delete_vertex(shape: BaseGeometry, index: int) -> BaseGeometry | None:
    """Return the shape without a vertex; None when that is refused, or was the last point."""
    chain = _Chain.of(shape)
    row = int(chain.rows[index])
    start, end = chain.span(row)
    if end - start <= chain.fewest:
        return None
    points = np.delete(chain.points, row, axis=0)
    if chain.is_closed and row == start:
        points[end - 2] = points[start]
    return _checked(replace(chain, points=points).resized(row, -1))


@dataclass(frozen=True, slots=True)
class _Chain:
    """A geometry as its points and where each ring or line of it starts."""

    kind: shapely.GeometryType
    points: Points
    offsets: tuple[npt.NDArray[np.int64], ...]
    """From the innermost outwards, as shapely has them; empty for a single point."""

    @classmethod
    def of(cls, shape: BaseGeometry) -> _Chain:
        kind, points, offsets = shapely.to_ragged_array([shapely.force_2d(shape)])
        return cls(kind, points, tuple(np.asarray(level, np.int64) for level in offsets))

    @property
    def ends(self) -> npt.NDArray[np.int64]:
        return self.offsets[0] if self.offsets else np.array([0, len(self.points)])

    @property
    def is_closed(self) -> bool:
        return self.kind in (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)

    @property
    def has_edges(self) -> bool:
        return self.kind not in (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)

    @property
    def fewest(self) -> int:
        """How many points a ring, a line or a set of points must keep."""
        return 4 if self.is_closed else 2 if self.has_edges else 1

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Which points are vertices: all but those that close a ring."""
        every = np.arange(len(self.points))
        return np.delete(every, self.ends[1:] - 1) if self.is_closed else every

    @property
    def edge_starts(self) -> npt.NDArray[np.int64]:
        every = np.arange(len(self.points))
        return np.delete(every, self.ends[1:] - 1) if self.has_edges else every[:0]

    def span(self, row: int) -> tuple[int, int]:
        """Return where the ring or line of a point starts and ends."""
        place = int(np.searchsorted(self.ends, row, side="right"))
        return int(self.ends[place - 1]), int(self.ends[place])

    def resized(self, row: int, n_more: int) -> _Chain:
        """Return the chain whose ring of that point holds more or fewer points."""
        innermost = self.offsets[0] + np.where(self.offsets[0] > row, n_more, 0)
        return replace(self, offsets=(innermost, *self.offsets[1:]))


def _checked(chain: _Chain) -> BaseGeometry | None:
    if not np.isfinite(chain.points).all():
        return None
    shape = shapely.from_ragged_array(chain.kind, chain.points, chain.offsets or None)[0]
    if not shapely.is_valid(shape):
        return None
    tidied = tidy(shape)
    if tidied is None or shapely.get_num_coordinates(tidied) != len(chain.points):
        return None
    return tidied
