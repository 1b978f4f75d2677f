"""What is known of every pixel of a tile: a class, nothing but background, or not known.

The rules stand in `RULES`, which is written beside the tiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.rasters import mask_of
from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.study.model import LabelClass

BACKGROUND = 0
UNKNOWN = 255
_LEAST_REACH_PX = 0.71
"""A point or stroke of this radius has the centre of a pixel in it, wherever it lies."""

RULES = """\
A mask has one byte a pixel, of the same size as its picture:
  0      background: inside of a region marked as fully labelled, and nothing is drawn there;
         or something is drawn there of a class that was not asked for
  1-254  the class of that number; see classes.json
  255    not known: to be ignored in training. Everything outside of fully labelled regions where
         nothing is drawn is not known; it is never background.
Where shapes lie over each other, the smaller one counts. Strokes are drawn over areas, and points
over strokes. Not known are also: areas of classes that mean “ignore”, labels marked as uncertain or
disputed, and areas without a class. Where a slide has areas of a class that means “region of
interest”, everything outside of them is not known, and there are no tiles without any of them.
Rulers and arrows label nothing. A pixel belongs to an area when its centre lies in it.
"""

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Label:
    shape: BaseGeometry
    value: int


class MaskPainter:
    """The labels of one slide, laid out in pixels."""

    def __init__(
        self,
        features: Iterable[Feature],
        classes: Sequence[LabelClass],
        wanted: frozenset[str] | None,
        *,
        scribble_l0: float,
        point_l0: float,
    ) -> None:
        """``wanted``: names of the classes to learn; None: all. Sizes are level-0 px."""
        self._scribble_l0, self._point_l0 = scribble_l0, point_l0
        by_name = {one.name: one for one in classes}
        areas: list[_Label] = []
        under: list[_Label] = []
        strokes: list[_Label] = []
        points: list[_Label] = []
        over: list[_Label] = []
        regions: list[BaseGeometry] = []
        for feature in features:
            said = feature.classification
            known = None if said is None else by_name.get(said.name)
            if feature.role in ("ruler", "arrow"):
                continue
            if feature.role == "full":
                under.append(_Label(feature.geometry, BACKGROUND))
            elif known is not None and known.meaning == "region":
                regions.append(feature.geometry)
            elif known is not None and known.meaning == "ignore":
                over.append(_Label(feature.geometry, UNKNOWN))
            else:
                value = _value(feature, known, wanted)
                dimension = shapely.get_dimensions(feature.geometry)
                layers = points, strokes, under if known is None else areas
                layers[dimension].append(_Label(feature.geometry, value))
        for areal in (under, areas):
            areal.sort(key=lambda label: -label.shape.area)
        self._labels = [*under, *areas, *strokes, *points, *over]
        self._tree = shapely.STRtree([label.shape for label in self._labels])
        self._regions = shapely.union_all(regions) if regions else None
        if self._regions is not None:
            shapely.prepare(self._regions)

    def extents_l0(self) -> npt.NDArray[np.float64]:
        """Return the boxes around all that says something, (n, 4): left, top, right, bottom."""
        shapes = [label.shape for label in self._labels if label.value != UNKNOWN]
        if not shapes:
            return np.empty((0, 4))
        reach = max(self._scribble_l0 / 2, self._point_l0)
        grown: npt.NDArray[np.float64] = shapely.bounds(shapes)
        grown += np.array([-reach, -reach, reach, reach])
        return grown

    def paint(self, rect_l0: Rect, side_px: int) -> Mask | None:
        """Return the mask of a square, (side, side) uint8; None: no region of interest is in it."""
        square = shapely.box(rect_l0.x, rect_l0.y, rect_l0.right, rect_l0.bottom)
        if self._regions is not None and not self._regions.intersects(square):
            return None
        scale = side_px / rect_l0.width
        reach = max(self._scribble_l0, self._point_l0) + 2 / scale
        near = shapely.box(*np.add(square.bounds, (-reach, -reach, reach, reach)))
        canvas = _Canvas(rect_l0, scale, side_px)
        for place in np.sort(self._tree.query(near, predicate="intersects")).tolist():
            label = self._labels[place]
            self._draw(canvas, shapely.intersection(label.shape, near), label.value)
        if self._regions is not None:
            canvas.keep_only(shapely.intersection(self._regions, near))
        return canvas.mask

    def _draw(self, canvas: _Canvas, shape: BaseGeometry, value: int) -> None:
        for part in shapely.get_parts(shape):
            dimension = shapely.get_dimensions(part)
            if dimension < 2:
                reach = self._point_l0 if dimension == 0 else self._scribble_l0 / 2
                part = shapely.buffer(part, max(reach, canvas.least_reach_l0))
            canvas.fill(part, value)


def _value(feature: Feature, known: LabelClass | None, wanted: frozenset[str] | None) -> int:
    if known is None or feature.is_uncertain or feature.is_disputed:
        return UNKNOWN
    return known.number if wanted is None or known.name in wanted else BACKGROUND


class _Canvas:
    """One mask while it is drawn."""

    def __init__(self, rect_l0: Rect, scale: float, side_px: int) -> None:
        self.mask: Mask = np.full((side_px, side_px), UNKNOWN, np.uint8)
        self._corner = np.array([rect_l0.x, rect_l0.y])
        self._scale = scale
        self._frame = shapely.box(0, 0, side_px, side_px)
        self.least_reach_l0 = _LEAST_REACH_PX / scale

    def fill(self, area_l0: BaseGeometry, value: int) -> None:
        for rows, columns, inside in self._pieces(area_l0):
            self.mask[rows, columns][inside] = value

    def keep_only(self, area_l0: BaseGeometry) -> None:
        """Make unknown what lies outside of an area."""
        kept = np.zeros(self.mask.shape, bool)
        for rows, columns, inside in self._pieces(area_l0):
            kept[rows, columns] |= inside
        self.mask[~kept] = UNKNOWN

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
