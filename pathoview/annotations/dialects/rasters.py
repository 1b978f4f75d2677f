"""Pixels to outlines and back, exact to the pixel: outlines run along the edges of pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.shapes import valid_area
from pathoview.annotations.geojson_geometry import GeometryError
from pathoview.core.translation import _

Mask = npt.NDArray[np.bool_]

LARGEST_PIXELS = 1 << 28


def outline_of(mask: Mask, left: float = 0, top: float = 0) -> BaseGeometry:
    """Return the area of the true pixels of (row, column); raise `GeometryError` for none.

    Runs along the rows are boxes, equal ones in consecutive rows a single box, and the area is
    their union.
    """
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    stops = np.nonzero(edges == -1)[1]
    if not len(rows):
        raise GeometryError(_("has no pixels"))
    order = np.lexsort((rows, stops, starts))
    rows, starts, stops = rows[order], starts[order], stops[order]
    goes_on = (np.diff(rows) == 1) & (np.diff(starts) == 0) & (np.diff(stops) == 0)
    first = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    last = np.append(first[1:], len(rows)) - 1
    boxes = shapely.box(
        left + starts[first], top + rows[first], left + stops[first], top + rows[last] + 1
    )
    return valid_area(shapely.union_all(boxes).simplify(0))


def mask_of(area: BaseGeometry) -> tuple[Mask, int, int]:
    """Return (mask of the bounding box, left, top): a pixel is true when its centre is inside.

    Raises `GeometryError` when it would not fit into memory.
    """
    from skimage.draw import polygon2mask

    low, high = np.reshape(shapely.bounds(area), (2, 2))
    left, top = (int(number) for number in np.floor(low))
    right, bottom = (int(number) for number in np.ceil(high))
    shape = (bottom - top, right - left)
    if shape[0] * shape[1] > LARGEST_PIXELS:
        raise GeometryError(_("is too large to be laid out in pixels"))
    center = np.array([top + 0.5, left + 0.5])
    mask = np.zeros(shape, bool)
    for part in shapely.get_parts(area):
        inside, *holes = (
            # centres of pixels lie on whole numbers there
            polygon2mask(shape, shapely.get_coordinates(ring)[:, ::-1] - center)  # type: ignore[no-untyped-call]
            for ring in (part.exterior, *part.interiors)
        )
        for hole in holes:
            inside &= ~hole
        mask |= inside
    return mask, left, top
