"""Pixels of the open slide as patches, for work in another thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane
from pathoview.session.drawing.patch import Patch
from pathoview.slides.rgb import rgb_rule
from pathoview.slides.slide import Slide

_LARGEST_PATCH_PX = 2048


@dataclass(frozen=True, slots=True)
class PatchReader:
    """Reads one plane of one slide. Thread-safe."""

    slide: Slide
    plane: Plane = Plane()

    @property
    def bounds_l0(self) -> Rect:
        """The whole slide."""
        return Rect(0, 0, self.slide.info.width, self.slide.info.height)

    def read(self, rect_l0: Rect, downsample: float) -> Patch | None:
        """Return what lies in a rectangle; None: it is beside the slide. Raises `SlideError`.

        ``downsample``: level-0 px a px of the patch, about: a level of the slide is shrunk by a
        whole factor. Of a rectangle that would be larger than 2,048 px, it is more.
        """
        inside = rect_l0.intersection(self.bounds_l0)
        if inside.is_empty:
            return None
        wanted = max(downsample, max(inside.width, inside.height) / _LARGEST_PATCH_PX)
        pyramid = self.slide.pyramid(1)
        level = pyramid.level_for(wanted)
        factor = max(1, round(wanted / pyramid.levels[level].downsample))
        return self.read_level(level, pyramid.to_level(inside, level), factor)

    def read_level(self, level: int, rect_lv: Rect, factor: int = 1) -> Patch:
        """Return what lies in a rectangle of a level, shrunk; raises `SlideError`."""
        import cv2

        downsample = self.slide.info.levels[level].downsample
        x, y, width, height = rect_lv.scaled(1 / factor).outward().scaled(factor).as_ints()
        raw = self.slide.read(level, x, y, width, height, self.plane)
        rgb = np.ascontiguousarray(rgb_rule(self.slide).apply(raw))
        if factor > 1:
            size = width // factor, height // factor
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Patch(rgb, (x * downsample, y * downsample), downsample * factor)
