"""Small pictures of what is wrong: tissue with the outlines of truth and prediction."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import Detections
from pathoview.core.geometry import Rect
from pathoview.slides.reading import analysis_grid, read_patch
from pathoview.slides.slide import Slide
from pathoview.tasks.evaluate_cases import Case
from pathoview.tasks.evaluate_fields import Field
from pathoview.tasks.evaluate_scores import Place
from pathoview.tasks.report_page import base64_png

SIDE_PX = 168
TRUTH, PREDICTION = (24, 150, 60), (225, 90, 0)
"""Colours of the outlines, RGB."""
_SHOWN_UM = 40.0
"""Least side of what is shown around a place."""
_ROUND = 1.6
"""How much more is shown than the place itself."""
_DOT_PX = 4
_CORNER_PX = 6

Rgb = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.integer]


class Painter:
    """Paints places of an image while its slide is open."""

    def __init__(self, case: Case, fields: Sequence[Field], found: Detections | None) -> None:
        self._case, self._fields, self._found = case, fields, found

    def paint(self, place: Place) -> str:
        """Return a picture of a place as base64 PNG."""
        box = shown_around(place.rect_l0, self._case.slide)
        rgb = tissue_at(self._case, box)
        for one in self._fields:
            for side, color in ((one.truth, TRUTH), (one.found, PREDICTION)):
                draw_ids(rgb, _sampled(side, one, box), color)
        _draw_points(rgb, self._case.points_l0, box, TRUTH)
        if self._found is not None and not self._fields:
            _draw_rings(rgb, self._found, box, PREDICTION)
        draw_corners(rgb, place.rect_l0, box)
        return base64_png(rgb)


def shown_around(rect_l0: Rect, slide: Slide) -> Rect:
    """Return the square that is shown around a place, level-0 px, inside of the slide if it can."""
    width, height = slide.info.width, slide.info.height
    side = max(_SHOWN_UM / slide.mpp, _ROUND * max(rect_l0.width, rect_l0.height))
    side = min(side, max(width, height))
    x, y = (
        min(max(middle - side / 2, 0.0), size - side) if size >= side else (size - side) / 2
        for middle, size in zip(rect_l0.center, (width, height), strict=True)
    )
    return Rect(x, y, side, side)


def tissue_at(case: Case, box_l0: Rect) -> Rgb:
    """Return the tissue of a square, `SIDE_PX` wide."""
    grid = analysis_grid(case.slide, max(case.slide.mpp, box_l0.width * case.slide.mpp / SIDE_PX))
    there = box_l0.scaled(1 / grid.scale_l0).outward()
    rgb = read_patch(case.slide, grid, *there.as_ints())
    size = (SIDE_PX, SIDE_PX)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def draw_corners(rgb: Rgb, rect_l0: Rect, box_l0: Rect) -> None:
    """Mark the corners of a place, to tell it from what lies around."""
    ends = np.array([[rect_l0.x, rect_l0.y], [rect_l0.right, rect_l0.bottom]])
    (left, top), (right, bottom) = _to_picture(ends, box_l0).tolist()
    for x, inward_x in ((left, _CORNER_PX), (right, -_CORNER_PX)):
        for y, inward_y in ((top, _CORNER_PX), (bottom, -_CORNER_PX)):
            cv2.line(rgb, (x, y), (x + inward_x, y), (20, 20, 20), 1)
            cv2.line(rgb, (x, y), (x, y + inward_y), (20, 20, 20), 1)


def draw_ids(rgb: Rgb, ids: Ids, color: tuple[int, int, int]) -> None:
    """Draw the outlines of the areas of each id; both are `SIDE_PX` wide."""
    for one in np.unique(ids[ids > 0]).tolist():
        mask = (ids == one).astype(np.uint8)
        rings, _hierarchy = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(rgb, rings, -1, color, 1, cv2.LINE_AA)


def _sampled(ids: Ids, field: Field, box_l0: Rect) -> Ids:
    """Return the ids under the pixels of the picture; 0 outside of the field."""
    steps = (np.arange(SIDE_PX) + 0.5) / SIDE_PX
    columns = np.floor((box_l0.x + steps * box_l0.width - field.rect_l0.x) * field.scale)
    rows = np.floor((box_l0.y + steps * box_l0.height - field.rect_l0.y) * field.scale)
    height, width = ids.shape
    is_row, is_column = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    place = np.ix_(
        np.clip(rows, 0, height - 1).astype(np.int64),
        np.clip(columns, 0, width - 1).astype(np.int64),
    )
    return np.where(is_row[:, None] & is_column[None, :], ids[place], 0)


def _to_picture(points_l0: npt.NDArray[np.float64], box_l0: Rect) -> npt.NDArray[np.int32]:
    return np.rint((points_l0 - [box_l0.x, box_l0.y]) * SIDE_PX / box_l0.width).astype(np.int32)


def _draw_points(
    rgb: Rgb, points_l0: npt.NDArray[np.float64], box_l0: Rect, color: tuple[int, int, int]
) -> None:
    for x, y in _to_picture(points_l0, box_l0).tolist():
        if 0 <= x < SIDE_PX and 0 <= y < SIDE_PX:
            cv2.circle(rgb, (x, y), _DOT_PX, color, 1, cv2.LINE_AA)


def _draw_rings(rgb: Rgb, found: Detections, box_l0: Rect, color: tuple[int, int, int]) -> None:
    left, top, right, bottom = found.boxes_l0().T
    seen = (right > box_l0.x) & (left < box_l0.right) & (bottom > box_l0.y) & (top < box_l0.bottom)
    rings = [_to_picture(found.ring_l0(row), box_l0) for row in np.flatnonzero(seen).tolist()]
    cv2.polylines(rgb, rings, True, color, 1, cv2.LINE_AA)
