"""Shapes made of gestures and masks: brush strokes, ellipses, the outline of a mask; level-0 px."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.geojson_geometry import ellipse_in
from pathoview.annotations.shapes import tidy

_QUARTER = 8
_TOLERANCE = 0.02
"""By how much of its radius a stroke may be straightened."""
_RUN = 16
"""Points of a stroke that are widened at once: a long tangle is slow as a whole."""


def stroke_shape(
    points_l0: npt.ArrayLike, radius_l0: float, onto: BaseGeometry | None = None
) -> BaseGeometry | None:
    """Return the area that a round brush covers along points, (n, 2), with what it had before.

    While a stroke goes on, give the last point that was drawn and the new ones, and the area so far
    as ``onto``. The edge lies within 2 % of the radius.
    """
    path = np.asarray(points_l0, np.float64).reshape(-1, 2)
    pieces = [] if onto is None else [onto]
    if len(path) > 1:
        line = shapely.simplify(
            shapely.linestrings(path), radius_l0 * _TOLERANCE, preserve_topology=False
        )
        path = shapely.get_coordinates(line)
    for start in range(0, max(len(path) - 1, 1), _RUN):
        run = path[start : start + _RUN + 1]
        bone = shapely.linestrings(run) if len(run) > 1 else shapely.points(run[0])
        pieces.append(shapely.buffer(bone, radius_l0, quad_segs=_QUARTER))
    return tidy(shapely.union_all(pieces))


def ellipse(left: float, top: float, right: float, bottom: float) -> BaseGeometry | None:
    """Return the ellipse in a rectangle, as a polygon of 64 vertices; None when it is too small."""
    return tidy(ellipse_in(shapely.box(left, top, right, bottom)))


def mask_shape(
    mask: npt.NDArray[np.bool_],
    downsample: float = 1.0,
    origin_l0: tuple[float, float] = (0.0, 0.0),
    tolerance_px: float = 0.0,
) -> BaseGeometry | None:
    """Return what is set in a mask as an area with holes; None when nothing is.

    ``downsample`` is level-0 px per px of the mask, ``origin_l0`` where its top-left corner lies.
    The edges are those of the pixels, or within ``tolerance_px`` px of the mask with fewer vertices
    (1 takes the steps away). Pixels that touch by a corner only are two parts.
    """
    outline = mask_outline(np.asarray(mask, np.bool_))
    if outline is None:
        return None
    if tolerance_px:
        outline = shapely.simplify(outline, tolerance_px, preserve_topology=True)
    return tidy(shapely.transform(outline, lambda xy: xy * downsample + np.array(origin_l0)))


def mask_outline(
    mask: npt.NDArray[np.bool_],
) -> shapely.Polygon | shapely.MultiPolygon | None:
    """Return the valid shape of the pixels that are set, in px of the mask from its corner.

    Pixels that touch by a corner only are two parts. None when nothing is set.
    """
    sides = np.concatenate([_sides(mask), _sides(mask.T)[..., ::-1]])
    if not len(sides):
        return None
    faces = shapely.get_parts(shapely.polygonize(shapely.linestrings(sides.astype(np.float64))))
    inside = shapely.get_coordinates(shapely.point_on_surface(faces)).astype(np.int64)
    parts = faces[mask[inside[:, 1], inside[:, 0]]]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts.tolist())


def _sides(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the horizontal borders of a mask, (n, 2 ends, x and y).

    A straight border is one side as long as the same side of it is set, so that borders meet in
    their ends only.
    """
    step = np.diff(np.pad(mask, 1).astype(np.int8), axis=0)
    left, right = step[:, :-1], step[:, 1:]
    row, start = np.nonzero((left != right) & (right != 0))
    _row, end = np.nonzero((left != right) & (left != 0))
    return np.stack([np.stack([start, row], 1), np.stack([end, row], 1)], 1)
