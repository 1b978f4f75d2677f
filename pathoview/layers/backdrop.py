"""What is seen where no tile is: the surround, the slide not read yet, and tiles that failed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pathoview.core.geometry import Rect
from pathoview.layers.compose import draw_rect, fill
from pathoview.layers.frame import Frame
from pathoview.layers.paint import Color
from pathoview.layers.source import Rgba

_FAILED: Color = (230, 120, 90)
_HATCH_PX, _LINE_PX = 16, 3


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Colours of the theme."""

    surround: Color = (255, 255, 255)
    """Around the slide."""
    unread: Color = (255, 255, 255)
    """The slide where not even a coarse tile is there yet."""


def blank(colors: Backdrop, frame: Frame, slide_l0: Rect) -> Rgba:
    """Return the picture of a frame before any layer is drawn, opaque RGBA."""
    picture = np.empty((frame.height, frame.width, 4), np.uint8)
    fill(picture, (*colors.surround, 255))
    draw_rect(picture, slide_l0, frame.to_px, (*colors.unread, 255))
    return picture


def hatch(picture: Rgba, frame: Frame, rect_l0: Rect) -> None:
    """Draw slanted lines over a place; those of neighbouring frames meet."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    draw_rect(mask, rect_l0, frame.to_px, 1)
    rows = np.arange(frame.top, frame.top + frame.height)[:, None]
    columns = np.arange(frame.left, frame.left + frame.width)[None]
    lines = (rows + columns) % _HATCH_PX < _LINE_PX
    picture[(mask > 0) & lines] = (*_FAILED, 255)
