"""Holes that a file tells as outlines of their own, apart from what they are holes of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.frame import Note
from pathoview.annotations.dialects.shapes import AREAS, valid_area
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_geometry import GeometryError
from pathoview.core.translation import _

_TOLERANCE = 0.001
"""Hand-drawn holes cross the border a little; a region no larger than a hole fills it instead."""


class Holes:
    """Outlines, numbered as they were added, to be cut out of the regions that hold them."""

    def __init__(self) -> None:
        self._holes: list[BaseGeometry] = []
        self._tree: shapely.STRtree | None = None
        self._used: set[int] = set()

    def __len__(self) -> int:
        return len(self._holes)

    def add(self, build: Callable[[], BaseGeometry]) -> None:
        """Add a hole; one that cannot be used keeps its number and changes nothing."""
        try:
            self._holes.append(valid_area(build()))
        except GeometryError:
            self._holes.append(shapely.Polygon())
        self._tree = None

    def cut(self, feature: Feature, note: Note) -> Feature | None:
        """Return the object without the holes in it; None, and a note, when nothing is left."""
        if not self._holes or feature.geometry.geom_type not in AREAS:
            return feature
        if self._tree is None:
            self._tree = shapely.STRtree(self._holes)
        region = feature.geometry
        near = sorted(self._tree.query(region, predicate="intersects").tolist())
        inside = [number for number in near if _holds(region, self._holes[number])]
        if not inside:
            return feature
        self._used.update(inside)
        left = region.difference(shapely.union_all([self._holes[number] for number in inside]))
        try:
            return replace(feature, geometry=valid_area(left), is_ellipse=False)
        except GeometryError:
            note(_("is cut out as a whole by holes and was left out"))
            return None

    def is_used(self, number: int) -> bool:
        """Whether this hole was cut out of something."""
        return number in self._used


def _holds(region: BaseGeometry, hole: BaseGeometry) -> bool:
    if region.area <= hole.area * (1 + _TOLERANCE):
        return False
    return region.covers(hole) or bool(
        region.intersection(hole).area >= hole.area * (1 - _TOLERANCE)
    )
