"""What can be measured of an object: a table of names, and columns of numbers for many at once.

Lengths are in µm where the scale is known and in level-0 px where it is not; the name says which.
What a shape does not have (the area of a line) is NaN. The guide defines each in *Measurements*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.calipers import Calipers, calipers
from pathoview.annotations.detections import SUBPIXEL, Detections
from pathoview.annotations.shapes import Mpp

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]

_AT_ONCE = 100_000


class Outlines(Protocol):
    """Many objects in the unit of their measurements; each property is computed once."""

    @property
    def dimension(self) -> npt.NDArray[np.int64]: ...
    @property
    def area(self) -> Floats: ...
    @property
    def length(self) -> Floats: ...
    @property
    def circularity(self) -> Floats: ...
    @property
    def hull_area(self) -> Floats: ...
    @property
    def calipers(self) -> Calipers: ...
    @property
    def n_vertices(self) -> Floats: ...
    @property
    def centroid(self) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Measure:
    """A measurement that follows from the shape alone."""

    pattern: str
    """The name, with ``{unit}`` where it has one."""
    dimensions: tuple[int, ...]
    """What has it: 0 points, 1 lines, 2 areas."""
    compute: Callable[[Outlines], Floats]

    def name(self, mpp: Mpp | None) -> str:
        return self.pattern.format(unit="px" if mpp is None else "µm")


_ANY, _LONG, _AREAL = (0, 1, 2), (1, 2), (2,)

MEASURES: tuple[Measure, ...] = (
    Measure("Area {unit}²", _AREAL, lambda one: one.area),
    Measure("Perimeter {unit}", _AREAL, lambda one: one.length),
    Measure("Length {unit}", (1,), lambda one: one.length),
    Measure("Circularity", _AREAL, lambda one: one.circularity),
    Measure("Solidity", _AREAL, lambda one: _at_most_one(one.area, one.hull_area)),
    Measure("Max Feret diameter {unit}", _LONG, lambda one: one.calipers.max_diameter),
    Measure("Min Feret diameter {unit}", _LONG, lambda one: one.calipers.min_diameter),
    Measure("Max Feret angle °", _LONG, lambda one: one.calipers.max_angle),
    Measure("Rectangle angle °", _LONG, lambda one: one.calipers.rectangle_angle),
    Measure("Vertices", _ANY, lambda one: one.n_vertices),
    Measure("Centroid X {unit}", _ANY, lambda one: one.centroid[:, 0]),
    Measure("Centroid Y {unit}", _ANY, lambda one: one.centroid[:, 1]),
)


def measure_names(mpp: Mpp | None) -> tuple[str, ...]:
    """Return the names of all measurements, with the units they have at this scale."""
    return tuple(measure.name(mpp) for measure in MEASURES)


def measure_shapes(name: str, geometries: Shapes, mpp: Mpp | None) -> Floats:
    """Return one measurement of geometries in level-0 px, (n,); raise `KeyError` for no such."""
    return measured(ShapeOutlines(geometries, mpp), [name], mpp)[name]


def measure_table(name: str, table: Detections, mpp: Mpp | None) -> Floats:
    """Return one measurement of detections, (n,); raise `KeyError` for no such."""
    return measured(TableOutlines(table, mpp), [name], mpp)[name]


def measured(outlines: Outlines, names: Iterable[str], mpp: Mpp | None) -> dict[str, Floats]:
    """Return several measurements that share what they have in common."""
    by_name = {measure.name(mpp): measure for measure in MEASURES}
    columns = {}
    for name in names:
        measure = by_name[name]
        has_it = np.isin(outlines.dimension, measure.dimensions)
        columns[name] = np.where(has_it, measure.compute(outlines), np.nan)
    return columns


class ShapeOutlines:
    """Geometries in level-0 px; an empty one has no measurement."""

    def __init__(self, geometries: Shapes, mpp: Mpp | None) -> None:
        scale = np.array((1.0, 1.0) if mpp is None else mpp)
        given = np.asarray(geometries, object)
        self._shapes: Shapes = shapely.transform(given, lambda xy: xy * scale)
        self._is_there = ~(shapely.is_empty(given) | shapely.is_missing(given))

    @cached_property
    def dimension(self) -> npt.NDArray[np.int64]:
        return np.where(self._is_there, shapely.get_dimensions(self._shapes), -1)

    @cached_property
    def area(self) -> Floats:
        return np.asarray(shapely.area(self._shapes))

    @cached_property
    def length(self) -> Floats:
        return np.asarray(shapely.length(self._shapes))

    @cached_property
    def circularity(self) -> Floats:
        """Of the outlines without their holes."""
        parts, owner = shapely.get_parts(self._shapes, return_index=True)
        outer = shapely.get_exterior_ring(parts)
        filled = np.zeros(len(parts))
        is_area = ~shapely.is_missing(outer)
        filled[is_area] = shapely.area(shapely.polygons(outer[is_area]))
        perimeter = np.nan_to_num(shapely.length(outer))
        return _circularity(self._added(filled, owner), self._added(perimeter, owner))

    @cached_property
    def hull_area(self) -> Floats:
        return np.asarray(shapely.area(shapely.convex_hull(self._shapes)))

    @cached_property
    def calipers(self) -> Calipers:
        some = calipers(self._shapes[self._is_there])
        columns = (some.max_diameter, some.max_angle, some.min_diameter, some.rectangle_angle)
        return Calipers(*map(self._spread, columns))

    @cached_property
    def n_vertices(self) -> Floats:
        parts, owner = shapely.get_parts(self._shapes, return_index=True)
        # each ring says its first point twice
        n_rings = shapely.get_num_interior_rings(parts) + (shapely.get_dimensions(parts) == 2)
        n_points = shapely.get_num_coordinates(parts) - n_rings
        return self._added(n_points, owner)

    @cached_property
    def centroid(self) -> Floats:
        centers = shapely.get_coordinates(shapely.centroid(self._shapes[self._is_there]))
        return self._spread(centers)

    def _added(self, of_parts: Floats, owner: npt.NDArray[np.int64]) -> Floats:
        return np.bincount(owner, of_parts, len(self._shapes)).astype(np.float64)

    def _spread(self, some: Floats) -> Floats:
        """Return what was measured of those that are not empty, NaN for the others."""
        whole = np.full((len(self._shapes), *some.shape[1:]), np.nan)
        whole[self._is_there] = some
        return whole


class TableOutlines:
    """Detections: rings without holes, measured in columns, hulls a part at a time."""

    def __init__(self, table: Detections, mpp: Mpp | None) -> None:
        self._table = table
        self._scale = np.array((1.0, 1.0) if mpp is None else mpp)

    @cached_property
    def dimension(self) -> npt.NDArray[np.int64]:
        return np.full(len(self._table), 2)

    @cached_property
    def _sums(self) -> tuple[Floats, Floats]:
        """The areas and the perimeters."""
        table = self._table
        if not len(table):
            return np.empty(0), np.empty(0)
        starts = table.offsets[:-1]
        origin = np.repeat(table.points[starts], np.diff(table.offsets), axis=0)
        x, y = ((table.points - origin) * (self._scale / SUBPIXEL)).T.copy()  # no cancellation
        following = np.arange(1, len(x) + 1)
        following[table.offsets[1:] - 1] = starts
        next_x, next_y = x[following], y[following]
        area = np.abs(np.add.reduceat(x * next_y - next_x * y, starts)) / 2
        return area, np.add.reduceat(np.hypot(next_x - x, next_y - y), starts)

    @property
    def area(self) -> Floats:
        return self._sums[0]

    @property
    def length(self) -> Floats:
        return self._sums[1]

    @cached_property
    def circularity(self) -> Floats:
        return _circularity(*self._sums)

    @cached_property
    def hull_area(self) -> Floats:
        return self._in_parts(lambda part: part.hull_area)

    @cached_property
    def calipers(self) -> Calipers:
        parts = [part.calipers for part in self._parts()]
        names = ("max_diameter", "max_angle", "min_diameter", "rectangle_angle")
        columns = [[getattr(part, name) for part in parts] for name in names]
        return Calipers(*(np.concatenate([np.empty(0), *column]) for column in columns))

    @cached_property
    def n_vertices(self) -> Floats:
        return np.diff(self._table.offsets).astype(np.float64)

    @cached_property
    def centroid(self) -> Floats:
        return np.asarray(self._table.centroids_l0() * self._scale)

    def _in_parts(self, compute: Callable[[ShapeOutlines], Floats]) -> Floats:
        return np.asarray(np.concatenate([np.empty(0), *map(compute, self._parts())]))

    def _parts(self) -> Iterable[ShapeOutlines]:
        """Yield the detections as shapes, not too many at a time: objects take memory."""
        for start in range(0, len(self._table), _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, len(self._table)))
            points, offsets = self._table.points_of(rows)
            # Only hulls are asked for: a line has the same, and needs no closing point.
            shapes = shapely.from_ragged_array(
                shapely.GeometryType.LINESTRING, points * (self._scale / SUBPIXEL), (offsets,)
            )
            yield ShapeOutlines(shapes, None)


def _circularity(area: Floats, perimeter: Floats) -> Floats:
    return _at_most_one(4 * np.pi * area, perimeter**2)


def _at_most_one(part: Floats, whole: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.minimum(1.0, part / whole))
