"""Known and predicted nuclei as label images: the fields of a slide in which nuclei are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.detections import Detections
from pathoview.core.geometry import Rect
from pathoview.datasets.labels import Labels
from pathoview.evaluation.filling import filled
from pathoview.slides.slide import Slide

_MOST_PX = 64_000_000
"""Pixels of a field; a larger one is compared at a lower resolution."""
_AROUND_UM = 30.0
"""Objects of this size that reach into a field are compared whole."""

Points = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Field:
    """A rectangle with its known and its predicted nuclei, pixel by pixel."""

    rect_l0: Rect
    scale: float
    """Pixels per level-0 px."""
    truth: Ids
    """(height, width), 0 none."""
    found: Ids
    is_known: npt.NDArray[np.bool_]
    """(height, width): what is said of the pixel counts."""

    def to_l0(self, points: Points) -> Points:
        """Return places of pixels, (n, 2), in level-0 px."""
        return points / self.scale + [self.rect_l0.x, self.rect_l0.y]

    def knows(self, points_l0: Points) -> npt.NDArray[np.bool_]:
        """Say which places, (n, 2), lie on pixels of which something is known."""
        inside, rows, columns = self._pixels(points_l0)
        return inside & self.is_known[rows, columns]

    def holds(self, points_l0: Points) -> npt.NDArray[np.bool_]:
        return self._pixels(points_l0)[0]

    def found_at(self, points_l0: Points) -> Ids:
        """Return the predicted nuclei under places, (n,); 0 where there is none."""
        inside, rows, columns = self._pixels(points_l0)
        return np.where(inside, self.found[rows, columns], 0).astype(np.int32)

    def _pixels(
        self, points_l0: Points
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        height, width = self.truth.shape
        place = (points_l0 - [self.rect_l0.x, self.rect_l0.y]) * self.scale
        columns, rows = np.floor(place).astype(np.int64).T
        inside = (columns >= 0) & (rows >= 0) & (columns < width) & (rows < height)
        return inside, np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)


def known_places(labels: Labels, slide: Slide) -> list[Rect]:
    """Return the rectangles in which something is known, apart from each other, level-0 px."""
    boxes = np.concatenate([labels.full_l0(), labels.extents_l0()])
    grown = boxes + np.array([-1, -1, 1, 1]) * _AROUND_UM / slide.mpp / 2
    whole = Rect(0, 0, slide.info.width, slide.info.height)
    apart = [Rect.from_corners(*box).intersection(whole) for box in _merged(grown).tolist()]
    return [one.outward().intersection(whole) for one in apart if not one.is_empty]


def near(places_l0: Sequence[Rect], margin_l0: float, core_l0: Rect) -> bool:
    """Say whether a tile can hold objects of a place."""
    seen = core_l0.expanded(margin_l0)
    return any(seen.intersects(one) for one in places_l0)


def margin_l0(slide: Slide) -> float:
    return _AROUND_UM / slide.mpp


def whole_field(truth: npt.NDArray[np.integer], found: Detections) -> Field:
    """Return a picture of which every pixel is known."""
    height, width = truth.shape
    known = np.ones(truth.shape, np.bool_)
    rect = Rect(0, 0, width, height)
    return Field(rect, 1.0, truth.astype(np.int32), filled(found, width, height), known)


def study_field(labels: Labels, rect_l0: Rect, found: Detections, pointed_l0: Points) -> Field:
    """Return a rectangle of a slide; what lies mostly where nothing is known is left out.

    ``pointed_l0``: centres of nuclei of which nobody drew the outline; predictions under them are
    left out as well.
    """
    scale = min(1.0, math.sqrt(_MOST_PX / rect_l0.area))
    width, height = (max(1, round(side * scale)) for side in (rect_l0.width, rect_l0.height))
    said = labels.instances(rect_l0, width, height)
    moved = found.moved(-int(rect_l0.x), -int(rect_l0.y))
    if scale < 1:
        points = np.rint(moved.points * scale).astype(np.int32)
        moved = replace(moved, points=points)
    field = Field(rect_l0, scale, said.labels, filled(moved, width, height), said.is_known)
    n = int(field.found.max(initial=0)) + 1
    areas = np.bincount(field.found.ravel(), minlength=n)
    unknown = np.bincount(field.found[~said.is_known], minlength=n)
    is_left_out = 2 * unknown > areas
    vague = pointed_l0[~field.knows(pointed_l0)]
    is_left_out[field.found_at(vague)] = True
    kept = np.where(is_left_out[field.found] | ~said.is_known, 0, field.found)
    return replace(field, found=kept.astype(np.int32))


def _merged(boxes: Points) -> Points:
    """Return boxes, (n, 4), so that none touches another."""
    while True:
        union = shapely.union_all(shapely.box(*boxes.T))
        parts = shapely.get_parts(union)
        fewer: Points = shapely.bounds(parts).reshape(-1, 4)
        if len(fewer) == len(boxes) or not len(fewer):
            return fewer
        boxes = fewer
