"""Shapes laid out in pixels, one over the other: a pixel is an area's when its centre is in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.rasters import mask_of
from pathoview.core.geometry import Rect

_LEAST_REACH_PX = 0.71
"""A point or stroke of this radius has the centre of a pixel in it, wherever it lies."""

Values = npt.NDArray[Any]


class Drawing:
    """Shapes, each with a value, in the order in which they are drawn. Thread-safe."""

    def __init__(
        self,
        shapes: Sequence[BaseGeometry],
        values: Sequence[int],
        *,
        stroke_l0: float,
        point_l0: float,
        kept: BaseGeometry | None = None,
    ) -> None:
        """``stroke_l0``: width of lines; ``point_l0``: radius of points; level-0 px.

        ``kept``: outside of this area nothing is drawn; None: everything is.
        """
        self._shapes, self._values = shapes, values
        self._stroke_l0, self._point_l0 = stroke_l0, point_l0
        self._kept = kept
        self._tree = shapely.STRtree(list(shapes))

    def paint(self, rect_l0: Rect, blank: Values) -> Values:
        """Draw what lies in a rectangle on an array (row, column) of that rectangle; return it.

        What is not drawn keeps the value it had.
        """
        canvas = _Canvas(rect_l0, blank.copy())
        reach = max(self._stroke_l0, self._point_l0) + 2 * canvas.pixel_l0
        grown = rect_l0.expanded(reach)
        near = shapely.box(grown.x, grown.y, grown.right, grown.bottom)
        for place in np.sort(self._tree.query(near, predicate="intersects")).tolist():
            self._draw(canvas, shapely.intersection(self._shapes[place], near), self._values[place])
        if self._kept is not None:
            outside = ~canvas.inside(shapely.intersection(self._kept, near))
            canvas.pixels[outside] = blank[outside]
        return canvas.pixels

    def _draw(self, canvas: _Canvas, shape: BaseGeometry, value: int) -> None:
        for part in shapely.get_parts(shape):
            dimension = shapely.get_dimensions(part)
            if dimension < 2:
                reach = self._point_l0 if dimension == 0 else self._stroke_l0 / 2
                part = shapely.buffer(part, max(reach, _LEAST_REACH_PX * canvas.pixel_l0))
            canvas.fill(part, value)


class _Canvas:
    """One array while it is drawn on."""

    def __init__(self, rect_l0: Rect, pixels: Values) -> None:
        self.pixels = pixels
        height, width = pixels.shape
        self._corner = np.array([rect_l0.x, rect_l0.y])
        self._scale = np.array([width / rect_l0.width, height / rect_l0.height])
        self._frame = shapely.box(0, 0, width, height)
        self.pixel_l0 = float(1 / self._scale.min())

    def fill(self, area_l0: BaseGeometry, value: int) -> None:
        for rows, columns, inside in self._pieces(area_l0):
            self.pixels[rows, columns][inside] = value

    def inside(self, area_l0: BaseGeometry) -> npt.NDArray[np.bool_]:
        """Say which pixels lie in an area."""
        found = np.zeros(self.pixels.shape, np.bool_)
        for rows, columns, inside in self._pieces(area_l0):
            found[rows, columns] |= inside
        return found

    def _pieces(
        self, area_l0: BaseGeometry
    ) -> Iterable[tuple[slice, slice, npt.NDArray[np.bool_]]]:
        area = shapely.transform(area_l0, self._to_px)
        for part in shapely.get_parts(shapely.intersection(area, self._frame)):
            if shapely.get_dimensions(part) == 2 and part.area > 0:
                inside, left, top = mask_of(part)
                rows, columns = slice(top, top + len(inside)), slice(left, left + inside.shape[1])
                yield rows, columns, inside

    def _to_px(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray((points - self._corner) * self._scale)
