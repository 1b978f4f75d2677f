"""Places spread over a shape, for patches to be laid around."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry


def places_on(shape: BaseGeometry, step: float) -> npt.NDArray[np.float64]:
    """Return all points of a shape, and places on its lines and areas that are ``step`` apart.

    (n, 2) x, y in units of the shape; every part has one at least.
    """
    parts = [_places(part, step) for part in shapely.get_parts(shape)]
    return np.concatenate(parts) if parts else np.empty((0, 2))


def _places(part: BaseGeometry, step: float) -> npt.NDArray[np.float64]:
    dimension = shapely.get_dimensions(part)
    if dimension == 0:
        return _xy(part)
    if dimension == 1:
        along = (np.arange(max(1, round(part.length / step))) + 0.5) * step
        return _xy(shapely.line_interpolate_point(part, along))
    left, top, right, bottom = part.bounds
    x, y = np.meshgrid(np.arange(left, right, step), np.arange(top, bottom, step))
    grid = np.stack([x.ravel(), y.ravel()], axis=1) + step / 2
    inside = np.asarray(grid[shapely.contains_xy(part, grid)])
    return inside if len(inside) else _xy(shapely.point_on_surface(part))


def _xy(points: Any) -> npt.NDArray[np.float64]:
    return np.asarray(shapely.get_coordinates(points))
