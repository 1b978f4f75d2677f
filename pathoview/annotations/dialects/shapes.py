"""Shapes that files describe, as valid geometries; and the objects made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.classes import default_color
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects.frame import Note
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_geometry import GeometryError, on_grid, parse_geometry
from pathoview.annotations.geojson_object import derived_id
from pathoview.annotations.shapes import sound
from pathoview.core.translation import _

Color = tuple[int, int, int]
Points = Sequence[Sequence[float]] | npt.NDArray[np.float64]

AREAS = ("Polygon", "MultiPolygon")
_QUARTER = 16
_UNUSABLE = (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError)


def dots(points: Points) -> BaseGeometry:
    """Return a Point, or a MultiPoint of several."""
    if len(points) == 1:
        return parse_geometry({"type": "Point", "coordinates": points[0]})
    return parse_geometry({"type": "MultiPoint", "coordinates": points})


def line(points: Points) -> BaseGeometry:
    return parse_geometry({"type": "LineString", "coordinates": points})


def area(ring: Points, holes: Iterable[Points] = ()) -> BaseGeometry:
    """Return the polygon of a ring, closed or not; it may still cross itself."""
    return parse_geometry({"type": "Polygon", "coordinates": [ring, *holes]})


def box(left: float, top: float, right: float, bottom: float) -> BaseGeometry:
    return area([(left, top), (right, top), (right, bottom), (left, bottom)])


def rectangle(
    center: tuple[float, float], width: float, height: float, turn: float = 0.0
) -> BaseGeometry:
    """Return a rectangle turned by radians, from the x axis towards the y axis."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, height / 2)
    return area(_turned(corners, turn) + center)


def ellipse(
    center: tuple[float, float], radius_x: float, radius_y: float, turn: float = 0.0
) -> BaseGeometry:
    """Return an ellipse turned by radians, as a polygon of 64 vertices."""
    angles = np.arange(4 * _QUARTER) * (math.pi / (2 * _QUARTER))
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return area(_turned(unit * (radius_x, radius_y), turn) + center)


def _turned(points: npt.NDArray[np.float64], turn: float) -> npt.NDArray[np.float64]:
    cos, sin = math.cos(turn), math.sin(turn)
    x, y = points.T
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=1)


def valid_area(geometry: BaseGeometry) -> BaseGeometry:
    """Return the same area as a valid polygon or several; raise `GeometryError` when none is left.

    What turns around twice counts as inside.
    """
    parts = [part for part in shapely.get_parts(sound(geometry)) if part.geom_type in AREAS]
    parts = [part for part in shapely.get_parts(parts) if part.area > 0]
    if not parts:
        raise GeometryError(_("encloses no area"))
    return parts[0] if len(parts) == 1 else sound(shapely.MultiPolygon(parts))


def joined(areas: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return one area of several that may overlap."""
    if len(areas) == 1:
        return valid_area(areas[0])
    return valid_area(shapely.union_all([valid_area(one) for one in areas]))


def class_of(name: str, color: Color | None = None) -> DetectionClass | None:
    """Return the class of a name that a file says; None for no name."""
    name = name.strip()
    return DetectionClass(name, color or default_color(name)) if name else None


class Maker:
    """Makes the objects of one file; its ids are the same whenever the file is read."""

    def __init__(self, origin: str, note: Note) -> None:
        self._origin = origin
        self._note = note
        self._n_seen = 0

    def make(self, build: Callable[[], BaseGeometry], **said: Any) -> Feature | None:
        """Return the object that has this shape; None, and a note, when it cannot be used."""
        self._n_seen += 1
        try:
            geometry = build()
            if not shapely.is_valid(geometry) and geometry.geom_type in AREAS:
                geometry = valid_area(geometry)
                self._note(_("crosses or touches itself and was made valid"))
        except GeometryError as error:
            self._note(_("{why} and was left out").format(why=error))
            return None
        except _UNUSABLE:
            self._note(_("has coordinates that do not fit its type and was left out"))
            return None
        if geometry.geom_type not in AREAS:
            said["is_ellipse"] = False
        return Feature(
            geometry=geometry,
            id=derived_id(str(self._n_seen), self._origin, geometry.wkb),
            origin=self._origin,
            **said,
        )


def simple_parts(feature: Feature, note: Note) -> Iterator[BaseGeometry]:
    """Yield the Points, LineStrings and Polygons of an object, valid and rounded to 0.01 px.

    ``note`` is told when nothing is left, and when there are several.
    """
    exact = on_grid(feature.geometry)
    if exact is None:
        note(_("has nothing left on a grid of 0.01 px and was left out"))
        return
    parts = shapely.get_parts(exact)
    if len(parts) > 1:
        note(_("has several parts, each written as an object of its own"))
    yield from parts


def ring_of(line_or_ring: BaseGeometry) -> list[tuple[float, float]]:
    """Return the vertices of a ring, the first not repeated; those of a line as they are."""
    points = [(float(x), float(y)) for x, y in shapely.get_coordinates(line_or_ring)]
    return points[:-1] if line_or_ring.geom_type == "LinearRing" else points


def is_upright_ellipse(feature: Feature, part: BaseGeometry) -> bool:
    """Whether the object is an ellipse that its bounding box tells."""
    return feature.is_ellipse and part.geom_type == "Polygon" and not part.interiors


def plain_number(value: float) -> str:
    """Return the shortest decimals: ``12``, ``12.5``."""
    return f"{value:.10g}"
