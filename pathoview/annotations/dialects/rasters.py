"""Pixels to outlines and back, exact to the pixel: outlines run along the edges of pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.geojson_geometry import GeometryError
from pathoview.annotations.shape_sources import mask_outline
from pathoview.core.translation import _

Mask = npt.NDArray[np.bool_]

LARGEST_PIXELS = 1 << 28


def outline_of(mask: Mask, left: float = 0, top: float = 0) -> BaseGeometry:
    """Return the area of the true pixels of (row, column); raise `GeometryError` for none."""
    outline = mask_outline(mask)
    if outline is None:
        raise GeometryError(_("has no pixels"))
    return shapely.transform(outline, lambda xy: xy + np.array([left, top]))


def mask_of(area: BaseGeometry) -> tuple[Mask, int, int]:
    """Return (mask of the bounding box, left, top): a pixel is true when its centre is inside.

    Raises `GeometryError` when it would not fit into memory.
    """
    low, high = np.reshape(shapely.bounds(area), (2, 2))
    left, top = (int(number) for number in np.floor(low))
    right, bottom = (int(number) for number in np.ceil(high))
    shape = (bottom - top, right - left)
    if shape[0] * shape[1] > LARGEST_PIXELS:
        raise GeometryError(_("is too large to be laid out in pixels"))
    mask = np.zeros(shape, bool)
    for part in shapely.get_parts(area):
        mask |= _inside(part, left, top, shape)
    return mask, left, top


def _inside(polygon: BaseGeometry, left: int, top: int, shape: tuple[int, int]) -> Mask:
    """Return which pixels have their centre in a polygon: an odd number of edges left of it."""
    points, ring = shapely.get_coordinates(shapely.get_rings(polygon), return_index=True)
    is_edge = ring[1:] == ring[:-1]
    # centres of pixels lie on whole numbers there
    start, end = (ends[is_edge] - (left + 0.5, top + 0.5) for ends in (points[:-1], points[1:]))
    first, last = (np.ceil(edge(start[:, 1], end[:, 1])) for edge in (np.minimum, np.maximum))
    n_rows = (last - first).astype(np.int64)
    edge = np.repeat(np.arange(len(n_rows)), n_rows)
    row = np.arange(len(edge)) - (np.cumsum(n_rows) - n_rows)[edge] + first[edge].astype(np.int64)
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    column = np.ceil(x0 + (row - y0) * (x1 - x0) / (y1 - y0)).astype(np.int64)
    n_columns = shape[1] + 1
    crossed = np.bincount(row * n_columns + column, minlength=shape[0] * n_columns)
    parity = np.cumsum(crossed.reshape(shape[0], n_columns)[:, :-1], axis=1) & 1
    return np.asarray(parity, np.bool_)
