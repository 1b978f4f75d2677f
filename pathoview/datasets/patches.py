"""Patches of pixels, and of what is known of them, at the resolution a method works at."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.byte_cache import ByteCache, Share
from pathoview.core.geometry import Rect
from pathoview.datasets.labels import (
    UNKNOWN,
    InstancePatch,
    LabelledImage,
    LabelledPoints,
    Mask,
)
from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.slides.slide import Slide

Rgb = npt.NDArray[np.uint8]

CACHE_BYTES = 512 << 20
_WHOLE_SHARE = 0.25
"""Pictures that take no more than this share of the memory are kept whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a patch lies."""

    image: int
    """Its place in the list of images."""
    x: int
    """Left edge, px of the image's grid; may be negative."""
    y: int
    within_l0: Rect | None = None
    """What lies outside of this rectangle counts as unknown; None: all counts."""
    is_labelled: bool = True
    """False: it was drawn for methods that learn from tissue without labels, too."""


class PatchReader:
    """Reads square patches of images. Thread-safe; small pictures are kept in memory whole."""

    def __init__(
        self,
        images: Sequence[LabelledImage],
        mpp: float,
        patch_px: int,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """``mpp``: wanted µm per px; ``patch_px``: side of a patch at about that resolution.

        Raises `MissingScaleError` when an image has no scale.
        """
        self.images = tuple(images)
        self.patch_px = patch_px
        self.grids: tuple[AnalysisGrid, ...] = tuple(
            analysis_grid(image.slide, mpp) for image in images
        )
        """Of each image: its true µm per px differ from the wanted ones."""
        self._whole: Share[int, Rgb] = Share(ByteCache(cache_bytes))
        self._most_bytes = cache_bytes * _WHOLE_SHARE
        self._locks = tuple(threading.Lock() for _image in images)

    def rect_l0(self, place: Place) -> Rect:
        """Return what a patch covers, level-0 px."""
        scale = self.grids[place.image].scale_l0
        return Rect(place.x, place.y, self.patch_px, self.patch_px).scaled(scale)

    def pixels(self, place: Place) -> Rgb:
        """Return a patch, (side, side, 3) uint8 RGB, white beyond the edge; raise `SlideError`."""
        grid, side = self.grids[place.image], self.patch_px
        if grid.width * grid.height * 3 > self._most_bytes:
            slide = self.images[place.image].slide
            return read_patch(slide, grid, place.x, place.y, side, side)
        return _cut(self._whole_picture(place.image), place.x, place.y, side)

    def mask(self, place: Place) -> Mask:
        """Return the class of each pixel, (side, side); beyond the edge nothing is known."""
        image, rect_l0 = self.images[place.image], self.rect_l0(place)
        mask = image.labels.mask(rect_l0, self.patch_px, self.patch_px)
        mask[~self._counts(place)] = UNKNOWN
        return mask

    def instances(self, place: Place) -> InstancePatch:
        """Return the outlined objects of a patch; beyond the edge nothing is known."""
        image, rect_l0 = self.images[place.image], self.rect_l0(place)
        found = image.labels.instances(rect_l0, self.patch_px, self.patch_px)
        return InstancePatch(found.labels, found.is_known & self._counts(place))

    def points(self, place: Place) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int16]]:
        """Return the nuclei of a patch: (n, 2) x and y in px of the patch, and their classes."""
        known: LabelledPoints = self.images[place.image].labels.points()
        scale = self.grids[place.image].scale_l0
        xy = known.xy_l0 / scale - (place.x, place.y)
        is_in = ((xy >= 0) & (xy < self.patch_px)).all(axis=1)
        if place.within_l0 is not None:
            is_in &= inside(place.within_l0, known.xy_l0)
        return xy[is_in], known.values[is_in]

    def _counts(self, place: Place) -> npt.NDArray[np.bool_]:
        """Say of which pixels of a patch something may be known."""
        slide = self.images[place.image].slide
        area = Rect(0, 0, slide.info.width, slide.info.height)
        if place.within_l0 is not None:
            area = area.intersection(place.within_l0)
        return _covered(self.rect_l0(place), area, self.patch_px, self.patch_px)

    def _whole_picture(self, number: int) -> Rgb:
        with self._locks[number]:
            picture = self._whole.get(number)
            if picture is None:
                grid = self.grids[number]
                slide = self.images[number].slide
                picture = read_patch(slide, grid, 0, 0, grid.width, grid.height)
                self._whole.put(number, picture, picture.nbytes)
            return picture


def leave_out_beyond(mask: Mask, slide: Slide, rect_l0: Rect) -> None:
    """Nothing is known of what lies beyond the edge of the slide: change a mask of a rectangle."""
    height, width = mask.shape
    whole = Rect(0, 0, slide.info.width, slide.info.height)
    mask[~_covered(rect_l0, whole, width, height)] = UNKNOWN


def inside(rect_l0: Rect, xy_l0: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Say which points, (n, 2), lie in a rectangle."""
    low, high = (rect_l0.x, rect_l0.y), (rect_l0.right, rect_l0.bottom)
    return np.asarray(((xy_l0 >= low) & (xy_l0 < high)).all(axis=1))


def _covered(rect_l0: Rect, area_l0: Rect, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Say which pixels of a rectangle, (height, width), lie in an area, or reach into it."""
    covered = np.zeros((height, width), np.bool_)
    columns = _span(area_l0.x - rect_l0.x, area_l0.right - rect_l0.x, width / rect_l0.width)
    rows = _span(area_l0.y - rect_l0.y, area_l0.bottom - rect_l0.y, height / rect_l0.height)
    covered[rows, columns] = True
    return covered


def _span(start_l0: float, end_l0: float, scale: float) -> slice:
    return slice(max(0, math.floor(start_l0 * scale)), max(0, math.ceil(end_l0 * scale)))


def _cut(picture: Rgb, x: int, y: int, side: int) -> Rgb:
    """Return a square of a picture, white beyond its edge."""
    patch = np.full((side, side, 3), 255, np.uint8)
    part = picture[max(0, y) : max(0, y + side), max(0, x) : max(0, x + side)]
    top, left = max(0, -y), max(0, -x)
    patch[top : top + part.shape[0], left : left + part.shape[1]] = part
    return patch
