"""How much stain there is in shapes on a slide: which pixels are read, and what they add up to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from shapely.geometry.base import BaseGeometry

from pathoview.core.pyramid import Plane
from pathoview.core.translation import _
from pathoview.slides.rgb import rgb_rule
from pathoview.slides.slide import Slide
from pathoview.slides.stain_measures import stain_measures
from pathoview.slides.stains import StainMatrix

_MOST_PX = 9e6
"""Pixels of the box around a shape that are read at most."""


def level_for_shapes(slide: Slide, shapes: Sequence[BaseGeometry]) -> int:
    """Return the finest level at which all of some shapes are small enough to be read.

    One level for all of them, so that they can be compared.
    """
    boxes = (shape.bounds for shape in shapes)
    largest = max((right - left) * (low - top) for left, top, right, low in boxes)
    levels = slide.info.levels
    fitting = (
        number for number, level in enumerate(levels) if largest / level.downsample**2 <= _MOST_PX
    )
    return next(fitting, len(levels) - 1)


def resolution_words(slide: Slide, level: int) -> str:
    """Return at which resolution a level is read: ``0.5 µm/px``, or in px of level 0."""
    downsample = slide.info.levels[level].downsample
    if slide.info.mpp is None:
        return _("{n:.3g} px").format(n=downsample)
    return _("{n:.3g} µm/px").format(n=slide.mpp * downsample)


def measured_stains(
    slide: Slide,
    shapes: Sequence[BaseGeometry],
    stains: StainMatrix,
    level: int,
    plane: Plane = Plane(),
) -> Iterator[dict[str, float]]:
    """Yield the measures of each shape by their names, which tell the resolution.

    Raises `SlideError` when the pixels cannot be read.
    """
    rule = rgb_rule(slide)
    words = resolution_words(slide, level)
    downsample = slide.info.levels[level].downsample
    for shape in shapes:
        left, top, right, bottom = (side / downsample for side in shape.bounds)
        x, y = math.floor(left), math.floor(top)
        size = math.ceil(right) - x, math.ceil(bottom) - y
        rgb = rule.apply(slide.read(level, x, y, *size, plane))
        origin_l0 = x * downsample, y * downsample
        found = stain_measures(rgb, shape, stains, origin_l0=origin_l0, downsample=downsample)
        yield {f"{name} ({words})": value for name, value in found.items()}
