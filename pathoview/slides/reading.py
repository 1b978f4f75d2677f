"""A slide at the resolution a method works at: one grid of pixels, read patch by patch.

Analysis, training and evaluation read through here, so that all see the same pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.slides.rgb import RgbRule, reduction, rgb_rule, shrink
from pathoview.slides.slide import Slide


@dataclass(frozen=True, slots=True)
class AnalysisGrid:
    """The pixels a method sees: ``factor`` × ``factor`` px of ``level`` averaged to one."""

    level: int
    factor: int
    mpp: float
    """True µm per pixel of the grid; near the method's, never resampled to it."""
    scale_l0: float
    """Level-0 px per pixel of the grid."""
    width: int
    height: int
    rgb: RgbRule


def analysis_grid(slide: Slide, mpp: float) -> AnalysisGrid:
    """Return the nearest whole reduction of the best level to ``mpp`` µm per px.

    Raises `MissingScaleError` when the slide's scale is unknown.
    """
    level, factor = reduction(slide, mpp / slide.mpp)
    lv = slide.info.levels[level]
    scale_l0 = lv.downsample * factor
    return AnalysisGrid(
        level,
        factor,
        slide.mpp * scale_l0,
        scale_l0,
        math.ceil(lv.width / factor),
        math.ceil(lv.height / factor),
        rgb_rule(slide),
    )


def read_patch(
    slide: Slide, grid: AnalysisGrid, x: int, y: int, width: int, height: int
) -> npt.NDArray[np.uint8]:
    """Return a rectangle of the grid, (height, width, 3) uint8 RGB, white beyond the edge."""
    k = grid.factor
    raw = slide.read(grid.level, x * k, y * k, width * k, height * k)
    patch = shrink(grid.rgb.apply(raw), k)
    if not grid.rgb.is_rgb:
        _whiten_outside(patch, grid, x, y)
    return patch


def _whiten_outside(patch: npt.NDArray[np.uint8], grid: AnalysisGrid, x: int, y: int) -> None:
    patch[: max(0, -y)] = 255
    patch[:, : max(0, -x)] = 255
    patch[max(0, grid.height - y) :] = 255
    patch[:, max(0, grid.width - x) :] = 255
