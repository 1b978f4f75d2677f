"""How a slide looks beyond its channels: brightness, contrast, gamma, and one stain alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.display import ChannelDisplay, Rgb
from pathoview.slides.rgb import rgb_rule
from pathoview.slides.slide import Slide
from pathoview.slides.stains import (
    H_E,
    StainEstimate,
    StainMatrix,
    amount_table,
    estimate_h_e,
    whole_amounts,
)

StainView = Literal["original", "first", "second", "residual"]
"""All of the light, or what one stain takes of it, or what neither of the stains explains."""
STAIN_VIEWS: tuple[StainView, ...] = get_args(StainView)

_STEPS_AN_OD = 400
_N_AMOUNTS = 1024
"""Steps in which amounts of stain are shown; more than 2.5 are as dark as can be."""
_GREY_FULL_OD = 2.0
"""The amount of stain that is black where amounts are shown in grey."""
_MOST_LOOKED_AT_PX = 1_000_000
_WIDEST_LOOK_PX = 2048
"""Where a file has no smaller sizes, the middle of a large region is looked at."""


@dataclass(frozen=True, slots=True)
class SlideStyle:
    """How a slide looks; methods see its raw pixels whatever is set here.

    Brightness and contrast move and narrow the window between the values shown black and fully
    bright (`ChannelDisplay.low` and ``high``); its gamma is multiplied by this one.
    """

    brightness: float = 0.0
    """−1 to 1: the share of its width that the window is moved down by; at 1 all is white."""
    contrast: float = 1.0
    """How many times as steep values rise from black to white; above 0."""
    gamma: float = 1.0
    """Above 1 the middle becomes darker, below 1 brighter."""
    stain: StainView = "original"
    """Only of 8-bit colours and what is shown as such."""
    stains: StainMatrix = H_E
    """Which two stains, and their colours."""
    grey: bool = False
    """One stain's amount as grey (black: much of it) instead of its own colour on white."""

    @property
    def is_adjusted(self) -> bool:
        """Whether brightness, contrast or gamma is another than the slide's own."""
        return (self.brightness, self.contrast, self.gamma) != (0, 1, 1)


def adjusted(display: ChannelDisplay, style: SlideStyle) -> ChannelDisplay:
    """Return the channel with its window moved by brightness, narrowed by contrast."""
    span = display.high - display.low
    middle = display.low + span * (0.5 - style.brightness)
    half = span / 2 / max(style.contrast, 1e-3)
    return replace(
        display, low=middle - half, high=middle + half, gamma=display.gamma * style.gamma
    )


def stain_picture(rgb: Rgb, style: SlideStyle) -> Rgb:
    """Return what one stain alone would look like; ``rgb`` are the slide's own colours."""
    index = STAIN_VIEWS.index(style.stain) - 1
    table, colors = _tables(style.stains, index, style.grey)
    amounts = whole_amounts(np.ascontiguousarray(rgb), table)
    if style.stain == "residual":
        amounts = np.abs(amounts)
    shown = np.clip(amounts, 0, _N_AMOUNTS - 1)
    packed = colors.take(shown)
    rgba = packed.view(np.uint8).reshape(*shown.shape, 4)
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)


@lru_cache(maxsize=16)
def _tables(
    stains: StainMatrix, index: int, grey: bool
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint32]]:
    """Return the tables from 8-bit colours to whole amounts, and from those to colours."""
    table = amount_table(stains.unmixing[:, index], _STEPS_AN_OD)
    amounts = np.arange(_N_AMOUNTS)[:, None] / _STEPS_AN_OD
    if grey or index == 2:  # what is left over has no colour: some of it may be less than nothing
        share = np.repeat(1 - amounts / _GREY_FULL_OD, 3, axis=1)
    else:
        share = np.exp(-amounts * np.array(stains.rows[index]))
    rgb = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    rgba = np.column_stack([rgb, np.full(_N_AMOUNTS, 255, np.uint8)])
    return table, np.ascontiguousarray(rgba).view(np.uint32).ravel()


def estimated_stains(slide: Slide, rect_l0: Rect) -> StainEstimate:
    """Return haematoxylin and eosin as they look in a region; it reads, at most a million px.

    Raises `UsageError` when the region lies beside the slide, and `SlideError`.
    """
    whole = Rect(0, 0, slide.info.width, slide.info.height)
    inside = rect_l0.intersection(whole)
    if inside.is_empty:
        raise UsageError(
            _("The region lies outside of the slide."), _("Choose one with stained tissue in it.")
        )
    pyramid = slide.pyramid(1)
    level = pyramid.level_for(max(1.0, (inside.area / _MOST_LOOKED_AT_PX) ** 0.5))
    rect = pyramid.to_level(inside, level)
    x, y = rect.center
    width, height = min(rect.width, _WIDEST_LOOK_PX), min(rect.height, _WIDEST_LOOK_PX)
    rect = Rect(x - width / 2, y - height / 2, width, height)
    rgb = rgb_rule(slide).apply(slide.read(level, *rect.as_ints())).reshape(-1, 3)
    return estimate_h_e(rgb[:: max(1, len(rgb) // _MOST_LOOKED_AT_PX)])
