"""Any slide as 8-bit RGB with dark objects on white, for the methods that work on stains.

8-bit RGB passes untouched. Everything else (16 bits, float, grey, fluorescence) goes through a rule
that is measured once a slide, so that a pixel's value never depends on the rectangle read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.slides.slide import Pixels, Slide

Rgb = npt.NDArray[np.uint8]

_STRIP_PX = 16e6
"""Pixels read at once while a picture is made small."""
_RULE_DOWNSAMPLE = 32.0
_LEAST_SAMPLES = 64
"""A picture with fewer samples a side is looked at whole."""


@dataclass(frozen=True, slots=True)
class RgbRule:
    """How raw samples become 8-bit RGB: ``low`` is shown black, ``high`` white."""

    low: float = 0.0
    high: float = 255.0
    is_rgb: bool = True
    is_inverted: bool = False
    """The background is dark (fluorescence): turned round, so that objects are dark."""

    def apply(self, pixels: Pixels) -> Rgb:
        """Return (height, width, 3) uint8; a picture that is no RGB shows its brightest channel."""
        if self.is_rgb and pixels.dtype == np.uint8:
            return np.asarray(pixels, np.uint8)
        samples = pixels.astype(np.float32)
        if not self.is_rgb:
            samples = samples.max(axis=2, keepdims=True)
        scaled = (samples - self.low) * (255.0 / max(self.high - self.low, 1e-12))
        whole: Rgb = np.clip(np.rint(np.nan_to_num(scaled)), 0, 255).astype(np.uint8)
        if self.is_inverted:
            whole = 255 - whole
        return whole if self.is_rgb else np.repeat(whole, 3, axis=2)


def rgb_rule(slide: Slide) -> RgbRule:
    """Return the slide's rule; 8-bit RGB needs no look at the pixels."""
    info = slide.info
    if info.is_rgb and info.dtype == "uint8":
        return RgbRule()
    level = slide.pyramid(1).level_for(_RULE_DOWNSAMPLE)
    step = max(1, round(_RULE_DOWNSAMPLE / info.levels[level].downsample))
    if min(info.levels[level].width, info.levels[level].height) < _LEAST_SAMPLES * step:
        step = 1
    samples = np.concatenate(
        [
            strip[::step, ::step].reshape(-1, strip.shape[2]).astype(np.float32)
            for strip in _strips(slide, level, 1)
        ]
    )
    samples = np.nan_to_num(samples)
    if info.is_rgb:
        return RgbRule(high=_full_scale(float(samples.max()), info.dtype))
    bright = samples.max(axis=1)
    low, median, high = np.percentile(bright, [0.1, 50, 99.9])
    return RgbRule(float(low), float(high), is_rgb=False, is_inverted=median < (low + high) / 2)


def _full_scale(largest: float, dtype: str) -> float:
    """Return what white is: 4,095 for 12-bit samples in 16 bits, and so on; 1 for fractions."""
    if np.dtype(dtype).kind == "f":
        return max(1.0, largest)
    return 2.0 ** max(1, math.ceil(math.log2(largest + 1))) - 1


def thumbnail(slide: Slide, downsample: float, rule: RgbRule) -> Rgb:
    """Return the whole slide made small, (height, width, 3) uint8.

    One pixel is the nearest whole reduction of a level to ``downsample`` level-0 px; memory stays
    bounded where the file has one huge level only.
    """
    level, factor = reduction(slide, downsample)
    strips = [shrink(rule.apply(strip), factor) for strip in _strips(slide, level, factor)]
    return np.concatenate(strips)


def reduction(slide: Slide, downsample: float) -> tuple[int, int]:
    """Return the level to read and by how many of its px to reduce, for a wanted downsample."""
    level = slide.pyramid(1).level_for(downsample)
    return level, max(1, round(downsample / slide.info.levels[level].downsample))


def shrink(rgb: Rgb, factor: int) -> Rgb:
    """Return the picture reduced by a whole factor (sizes that are multiples), by averaging."""
    if factor == 1:
        return rgb
    size = max(1, rgb.shape[1] // factor), max(1, rgb.shape[0] // factor)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _strips(slide: Slide, level: int, factor: int) -> Iterator[Pixels]:
    """Yield the level from top to bottom, filled up to multiples of ``factor`` px."""
    lv = slide.info.levels[level]
    width = math.ceil(lv.width / factor) * factor
    rows = max(1, int(_STRIP_PX / width / factor)) * factor
    bottom = math.ceil(lv.height / factor) * factor
    for top in range(0, bottom, rows):
        yield slide.read(level, 0, top, width, min(rows, bottom - top))
