"""GeoJSON geometries to shapely and back, forgiving in and strict out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.detections import SUBPIXEL
from pathoview.annotations.geojson_rings import FARTHEST_PX
from pathoview.core.pyramid import ALL_CHANNELS, Plane
from pathoview.core.translation import _

_DECIMALS = 2
_ELLIPSE_QUARTER = 16
_BAD_COORDINATES = (TypeError, ValueError, IndexError, KeyError, OverflowError)

Positions = npt.NDArray[np.float64]


class GeometryError(ValueError):
    """Why a geometry cannot be used, as the end of a sentence: “an object that …”."""


def parse_geometry(value: object) -> BaseGeometry:
    """Return the shapely geometry; rings are closed, a third coordinate is dropped.

    Raises `GeometryError` when it cannot be used.
    """
    if not isinstance(value, Mapping):
        raise GeometryError(_("has no geometry"))
    build = _BUILDERS.get(str(value.get("type")))
    if build is None:
        raise GeometryError(
            _("has a geometry of the type “{kind}”").format(kind=str(value.get("type"))[:40])
        )
    try:
        geometry = build(value.get("coordinates"))
    except GeometryError:
        raise
    except _BAD_COORDINATES as error:
        raise GeometryError(_("has coordinates that do not fit its type")) from error
    is_ellipse = value.get("isEllipse") is True and geometry.geom_type == "Polygon"
    return ellipse_in(geometry) if is_ellipse else geometry


def parse_plane(geometry: object) -> Plane:
    """Return the plane of a geometry; each member may be missing."""
    plane = geometry.get("plane") if isinstance(geometry, Mapping) else None
    if not isinstance(plane, Mapping):
        return Plane()
    z, t, c = (
        int(number) if isinstance(number := plane.get(axis), int | float) else default
        for axis, default in (("z", 0), ("t", 0), ("c", ALL_CHANNELS))
    )
    return Plane(z, t, c)


def _positions(value: Any, least: int) -> Positions:
    array = np.array([(position[0], position[1]) for position in value], dtype=np.float64)
    if len(array) < least:
        raise GeometryError(_("has too few points"))
    if not (np.abs(array) <= FARTHEST_PX).all():  # false for NaN too
        raise GeometryError(_("has coordinates that no picture has"))
    return array


def _ring(value: Any) -> Positions:
    ring = _positions(value, 3)
    if (ring[0] != ring[-1]).any():
        ring = np.concatenate([ring, ring[:1]])
    if len(set(map(tuple, ring.tolist()))) < 3:  # ten times as fast as numpy for a short ring
        raise GeometryError(_("has a ring of fewer than three different points"))
    return ring


def _polygon(value: Any) -> BaseGeometry:
    holes = []
    for part in value[1:]:
        try:
            holes.append(_ring(part))
        except GeometryError:
            continue  # a hole without area changes nothing
    return shapely.Polygon(_ring(value[0]), holes)


def _multi_polygon(value: Any) -> BaseGeometry:
    polygons = [_polygon(part) for part in value]
    return shapely.MultiPolygon(polygons) if len(polygons) != 1 else polygons[0]


def _some(build: Callable[[Any], BaseGeometry]) -> Callable[[Any], BaseGeometry]:
    def checked(value: Any) -> BaseGeometry:
        geometry = build(value)
        if geometry.is_empty:
            raise GeometryError(_("has no coordinates"))
        return geometry

    return checked


_BUILDERS: Mapping[str, Callable[[Any], BaseGeometry]] = {
    "Point": lambda value: shapely.Point(_positions([value], 1)[0]),
    "MultiPoint": _some(lambda value: shapely.MultiPoint(_positions(value, 1))),
    "LineString": lambda value: shapely.LineString(_positions(value, 2)),
    "MultiLineString": _some(
        lambda value: shapely.MultiLineString([_positions(line, 2) for line in value])
    ),
    "Polygon": _polygon,
    "MultiPolygon": _some(_multi_polygon),
}


def ellipse_in(geometry: BaseGeometry) -> BaseGeometry:
    """Return the ellipse in the bounding box of a geometry, as a polygon of 64 vertices."""
    left, top, right, bottom = geometry.bounds
    circle = shapely.Point(0, 0).buffer(1, quad_segs=_ELLIPSE_QUARTER)
    center, radii = ((left + right) / 2, (top + bottom) / 2), (right - left, bottom - top)
    return shapely.transform(circle, lambda unit: unit * radii / 2.0 + center)


def geometry_object(geometry: BaseGeometry, plane: Plane = Plane()) -> dict[str, Any] | None:
    """Return the geometry as QuPath wants it: valid, ≤ 2 decimals, the plane only if not default.

    None when nothing is left of it on a grid of 0.01 px.
    """
    exact = on_grid(geometry)
    if exact is None:
        return None
    kind = exact.geom_type
    written: dict[str, Any] = {"type": kind, "coordinates": _coordinates(exact)}
    if plane != Plane():
        written["plane"] = {"c": plane.c, "z": plane.z, "t": plane.t}
    return written


def on_grid(geometry: BaseGeometry) -> BaseGeometry | None:
    """Return the geometry rounded to 0.01 px and valid; None when nothing is left of it."""
    flat = shapely.force_2d(geometry)
    if flat.is_empty:
        return None
    rounded = shapely.transform(flat, _rounded)
    if not shapely.is_valid(rounded):
        if rounded.geom_type not in ("Polygon", "MultiPolygon"):
            return None
        valid = shapely.make_valid(rounded, method="structure", keep_collapsed=False)
        rounded = shapely.transform(shapely.set_precision(valid, 1 / SUBPIXEL), _rounded)
    parts = list(getattr(rounded, "geoms", [rounded]))
    if rounded.is_empty or rounded.geom_type == "GeometryCollection":
        return None
    return parts[0] if len(parts) == 1 else rounded


def _rounded(positions: Positions) -> Positions:
    return np.round(positions, _DECIMALS) + 0.0  # no -0.0


def _coordinates(geometry: BaseGeometry) -> Sequence[Any]:
    match geometry.geom_type:
        case "Polygon":
            rings = (geometry.exterior, *geometry.interiors)
            return [shapely.get_coordinates(ring).tolist() for ring in rings]
        case "Point":
            return list(shapely.get_coordinates(geometry).tolist()[0])
        case "MultiPoint":
            return list(shapely.get_coordinates(geometry).tolist())
        case "MultiPolygon" | "MultiLineString":
            return [_coordinates(part) for part in geometry.geoms]
    return list(shapely.get_coordinates(geometry).tolist())
