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
