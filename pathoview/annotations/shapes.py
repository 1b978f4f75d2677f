"""Operations on shapes: geometries in level-0 px go in, a valid geometry or None comes out.

One rule holds for whatever leaves here (`tidy`): the shape is valid, of one dimension, on the grid
of 0.01 px, and free of slivers. A part of a polygon, and a hole in one, is a sliver when its area
is below 1 px² or its mean width (twice the area over the perimeter) below half a px; a part of a
line when it is shorter than 1 px. Slivers of area vanish, sliver holes are filled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.detections import SUBPIXEL
from pathoview.annotations.geojson_geometry import on_grid

LEAST_AREA_PX2 = 1.0
LEAST_WIDTH_PX = 0.5
"""Twice the area over the perimeter; a single pixel has just this."""
LEAST_LENGTH_PX = 1.0
_ROUNDING = 1e-4
"""What stands exactly at a limit stays, though its numbers differ a little from place to place."""

Mpp = tuple[float, float]
"""µm per level-0 px along x and along y."""

_LARGEST_SIMPLE_TYPE = 3
_QUARTER = 8
"""Segments of a quarter of a round corner: it lies within 0.5 % of the radius."""

Shapes = npt.NDArray[np.object_]


def tidy(geometry: BaseGeometry, like: BaseGeometry | None = None) -> BaseGeometry | None:
    """Return what is kept of a geometry, by the rule of this module; None: nothing is.

    Only parts of the dimension of ``like`` are kept (of the highest there is, without it): areas
    stay areas, lines lines, points points. What a ring that crosses itself goes around counts as
    inside.
    """
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        return None
    dimension = int(shapely.get_dimensions(geometry if like is None else like))
    parts = _parts(geometry, dimension)
    if not len(parts):
        return None
    return (_tidy_points, _tidy_lines, _tidy_areas)[dimension](parts)


def sound(geometry: BaseGeometry) -> BaseGeometry:
    """Return the geometry made valid, on no grid; empty where it holds no numbers.

    What a ring turns around twice counts as inside.
    """
    if shapely.is_valid(geometry):
        return geometry
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        return type(geometry)()
    valid = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    # GEOS 3.14 gives parts that share an edge for a ring that runs back on itself
    return valid if shapely.is_valid(valid) else shapely.union_all(shapely.get_parts(valid))


def merge(shapes: Iterable[BaseGeometry]) -> BaseGeometry | None:
    """Return the union of shapes that have the dimension of the first; others are left out."""
    valid = [sound(shape) for shape in shapes]
    if not valid:
        return None
    return tidy(_lines_joined(shapely.disjoint_subset_union_all(valid)), valid[0])


def subtract(shape: BaseGeometry, other: BaseGeometry) -> BaseGeometry | None:
    """Return what of a shape lies outside another."""
    return _overlay(shapely.difference, shape, other)


def intersect(shape: BaseGeometry, other: BaseGeometry) -> BaseGeometry | None:
    """Return what of a shape lies inside another."""
    return _overlay(shapely.intersection, shape, other)


def exclusive(shape: BaseGeometry, other: BaseGeometry) -> BaseGeometry | None:
    """Return what lies in one of two shapes but not in both (XOR)."""
    return _overlay(shapely.symmetric_difference, shape, other)


def fill_holes(shape: BaseGeometry, largest_px2: float = np.inf) -> BaseGeometry | None:
    """Return the shape without its holes, or without those up to a size; islands are absorbed."""
    tidied = tidy(shape)
    if tidied is None or shapely.get_dimensions(tidied) < 2:
        return tidied
    parts, has_changed = _without_holes(
        shapely.get_parts(tidied), lambda holes: shapely.area(holes) <= largest_px2
    )
    return tidy(shapely.disjoint_subset_union_all(parts)) if has_changed else tidied


def simplify(shape: BaseGeometry, tolerance_px: float) -> BaseGeometry | None:
    """Return the shape with fewer vertices: Douglas-Peucker, and no part or hole comes or goes."""
    return tidy(shapely.simplify(sound(shape), tolerance_px, preserve_topology=True), shape)


def smooth(shape: BaseGeometry, radius_px: float) -> BaseGeometry | None:
    """Return the shape without details that a disk of this radius cannot follow.

    Areas are closed, then opened: gaps and spurs narrower than twice the radius vanish, corners are
    rounded to the radius. Lines get their corners cut twice (Chaikin), ends stay. Points stay.
    """
    valid = sound(shape)
    dimension = shapely.get_dimensions(valid)
    if dimension == 2:
        for distance in (radius_px, -2 * radius_px, radius_px):
            valid = shapely.buffer(valid, distance, quad_segs=_QUARTER)
        valid = shapely.simplify(valid, radius_px / 100, preserve_topology=True)
    elif dimension == 1:
        lines = [_corners_cut(_corners_cut(part)) for part in _parts(valid, 1)]
        valid = shapely.simplify(shapely.GeometryCollection(lines), radius_px / 100)
    return tidy(valid, shape)


def expand(shape: BaseGeometry, distance_um: float, mpp: Mpp) -> BaseGeometry | None:
    """Return the area within a distance of a shape; a negative distance shrinks an area.

    Round corners stay round in µm where a px is not square. Without a scale give ``(1, 1)`` and px.
    """
    scale = np.array(mpp)
    in_um = shapely.transform(sound(shape), lambda xy: xy * scale)
    grown = shapely.buffer(in_um, distance_um, quad_segs=_QUARTER)
    return tidy(shapely.transform(grown, lambda xy: xy / scale))


def convex_hull(shape: BaseGeometry) -> BaseGeometry | None:
    """Return the convex hull as an area; None when all points lie on one line."""
    hull = shapely.convex_hull(sound(shape))
    return tidy(hull) if shapely.get_dimensions(hull) == 2 else None


def split_parts(shape: BaseGeometry) -> list[BaseGeometry]:
    """Return the parts of a shape as shapes of their own."""
    tidied = tidy(shape)
    return [] if tidied is None else list(shapely.get_parts(tidied))


def split_by_line(shape: BaseGeometry, line: BaseGeometry) -> list[BaseGeometry]:
    """Return the pieces into which a line cuts an area or lines, holes and all.

    A line that cuts nothing in two gives back the shape as a whole.
    """
    tidied = tidy(shape)
    if tidied is None:
        return []
    if shapely.get_dimensions(tidied) == 2:
        pieces = _faces(tidied, line)
    else:
        pieces = shapely.get_parts(shapely.difference(tidied, line))
    if len(pieces) <= shapely.get_num_geometries(tidied):
        return [tidied]
    kept = (tidy(piece, tidied) for piece in pieces)
    return [piece for piece in kept if piece is not None]


def _faces(area: BaseGeometry, line: BaseGeometry) -> Shapes:
    edges = shapely.union(shapely.boundary(area), line)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    shapely.prepare(area)
    return np.asarray(faces[shapely.contains(area, shapely.point_on_surface(faces))])


def _overlay(
    operation: Callable[[BaseGeometry, BaseGeometry], BaseGeometry],
    shape: BaseGeometry,
    other: BaseGeometry,
) -> BaseGeometry | None:
    return tidy(_lines_joined(operation(sound(shape), sound(other))), shape)


def _lines_joined(geometry: BaseGeometry) -> BaseGeometry:
    """Put together what an overlay cut where lines cross."""
    return shapely.line_merge(geometry) if geometry.geom_type == "MultiLineString" else geometry


def _parts(geometry: BaseGeometry, dimension: int) -> Shapes:
    parts = shapely.get_parts(geometry)
    while (shapely.get_type_id(parts) > _LARGEST_SIMPLE_TYPE).any():
        parts = shapely.get_parts(parts)
    is_kept = (shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)
    return np.asarray(parts[is_kept])


def _tidy_points(parts: Shapes) -> BaseGeometry | None:
    exact = on_grid(shapely.multipoints(parts))
    return None if exact is None else _one_or_many(shapely.extract_unique_points(exact))


def _tidy_lines(parts: Shapes) -> BaseGeometry | None:
    lines = [line for part in parts if (line := on_grid(part)) is not None]
    kept = [line for line in lines if line.length > LEAST_LENGTH_PX - _ROUNDING]
    return _one_or_many(shapely.multilinestrings(kept)) if kept else None


def _tidy_areas(parts: Shapes) -> BaseGeometry | None:
    exact = _areas_on_grid(parts) if len(parts) > 1 else on_grid(parts[0])
    if exact is None:
        return None
    areas, has_changed = _without_holes(shapely.get_parts(exact), _is_sliver)
    kept = areas[~_is_sliver(areas)]
    if not len(kept):
        return None
    if has_changed:  # a filled hole may have held an island
        return _one_or_many(shapely.disjoint_subset_union_all(kept))
    return exact if len(kept) == len(areas) else _one_or_many(shapely.multipolygons(kept))


def _areas_on_grid(parts: Shapes) -> BaseGeometry | None:
    """Do as `on_grid` with many areas, mending those that rounding breaks, not all together."""
    rounded = shapely.transform(parts, lambda xy: np.round(xy * SUBPIXEL) / SUBPIXEL)
    is_sound = shapely.is_valid(rounded)
    mended = [area for part in parts[~is_sound] if (area := on_grid(part)) is not None]
    sound = np.concatenate([rounded[is_sound], shapely.get_parts(mended)])
    whole = shapely.multipolygons(sound)
    return on_grid(whole if shapely.is_valid(whole) else shapely.disjoint_subset_union_all(sound))


def _is_sliver(areas: Shapes) -> npt.NDArray[np.bool_]:
    area = shapely.area(areas)
    is_thin = 2 * area < LEAST_WIDTH_PX * shapely.length(areas) - _ROUNDING
    return np.asarray((area < LEAST_AREA_PX2 - _ROUNDING) | is_thin)


def _without_holes(
    polygons: Shapes, is_filled: Callable[[Shapes], npt.NDArray[np.bool_]]
) -> tuple[Shapes, bool]:
    """Return polygons less the holes that are to be filled, and whether there were any."""
    if not shapely.get_num_interior_rings(polygons).any():
        return polygons, False
    rings, owner = shapely.get_rings(polygons, return_index=True)
    is_hole = np.diff(owner, prepend=-1) == 0
    is_dropped = is_hole.copy()
    is_dropped[is_hole] = is_filled(shapely.polygons(rings[is_hole]))
    if not is_dropped.any():
        return polygons, False
    changed = polygons.copy()
    for index in np.unique(owner[is_dropped]):
        outer, *holes = rings[(owner == index) & ~is_dropped]
        changed[index] = shapely.Polygon(outer, holes)
    return changed, True


def _one_or_many(geometry: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(geometry)
    return parts[0] if len(parts) == 1 else geometry


def _corners_cut(line: BaseGeometry) -> BaseGeometry:
    """Return the line with every corner replaced by two, a quarter of each side away (Chaikin)."""
    points = shapely.get_coordinates(line)
    before, after = points[:-1], points[1:]
    cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
    return shapely.linestrings(np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]]))
