"""What is seen where no tile is: the surround, the slide not read yet, and tiles that failed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.layers.frame import Frame
from pathoview.layers.paint import Color
from pathoview.layers.source import Rgba

_FAILED: Color = (230, 120, 90)
_HATCH_PX, _LINE_PX = 16, 3
_SHIFT = 4
"""Fractional bits of the coordinates given to OpenCV."""


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
    picture[:] = (*colors.surround, 255)
    cv2.fillConvexPoly(picture, _corners(frame, slide_l0), (*colors.unread, 255), shift=_SHIFT)
    return picture


def hatch(picture: Rgba, frame: Frame, rect_l0: Rect) -> None:
    """Draw slanted lines over a place; those of neighbouring frames meet."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, _corners(frame, rect_l0), 1, shift=_SHIFT)
    rows = np.arange(frame.top, frame.top + frame.height)[:, None]
    columns = np.arange(frame.left, frame.left + frame.width)[None]
    lines = (rows + columns) % _HATCH_PX < _LINE_PX
    picture[(mask > 0) & lines] = (*_FAILED, 255)


def _corners(frame: Frame, rect: Rect) -> npt.NDArray[np.int32]:
    corners = np.array(
        [(rect.x, rect.y), (rect.right, rect.y), (rect.right, rect.bottom), (rect.x, rect.bottom)]
    )
    at_px = frame.to_px.points(corners) - 0.5  # OpenCV counts from the centre of a pixel
    # Beyond this, coordinates would not fit; nothing that far away is seen.
    near = np.clip(at_px, -(2**26), 2**26)
    return np.asarray(np.rint(near * (1 << _SHIFT)), np.int32)
