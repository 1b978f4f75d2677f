"""Pixels of the open slide as patches, for work in another thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane, TileKey
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
        import cv2

        inside = rect_l0.intersection(self.bounds_l0)
        if inside.is_empty:
            return None
        wanted = max(downsample, max(inside.width, inside.height) / _LARGEST_PATCH_PX)
        pyramid = self.slide.pyramid(1)
        level = pyramid.level_for(wanted)
        factor = max(1, round(wanted / pyramid.levels[level].downsample))
        small = pyramid.to_level(inside, level).scaled(1 / factor).outward()
        patch = self._read(level, small.scaled(factor))
        if factor == 1:
            return patch
        size = patch.width // factor, patch.height // factor
        rgb = np.asarray(cv2.resize(patch.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Patch(rgb, patch.origin_l0, patch.downsample * factor)

    def read_tile(self, key: TileKey, size_px: int) -> Patch:
        """Return a tile of the slide cut into tiles of a size; raises `SlideError`."""
        return self._read(key.level, self.slide.pyramid(size_px).tile_lv(key))

    def _read(self, level: int, rect_lv: Rect) -> Patch:
        """Return pixels of a level."""
        downsample = self.slide.info.levels[level].downsample
        x, y, width, height = rect_lv.as_ints()
        raw = self.slide.read(level, x, y, width, height, self.plane)
        rgb = np.ascontiguousarray(rgb_rule(self.slide).apply(raw))
        return Patch(rgb, (x * downsample, y * downsample), downsample)
