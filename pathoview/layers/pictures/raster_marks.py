"""Marks drawn into a picture of px."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.layers.paint import Color
from pathoview.layers.pictures.lettering import lettering
from pathoview.layers.pictures.marks import Box, Mark, Ramp, Words
from pathoview.layers.source import Rgba

_SHIFT = 4
"""Fractional bits of the coordinates given to OpenCV."""
_ARC_STEPS = 8


def draw_mark(picture: Rgba, mark: Mark) -> None:
    """Draw one mark over an opaque picture, in place."""
    if isinstance(mark, Box):
        _fill(picture, mark)
    elif isinstance(mark, Ramp):
        _ramp(picture, mark)
    else:
        _write(picture, mark)


def _fill(picture: Rgba, box: Box) -> None:
    around = box.rect.expanded(1).outward()
    mask = np.zeros((int(around.height), int(around.width)), np.uint8)
    corners = _rounded(box.rect.moved(-around.x, -around.y), box.radius) - 0.5
    points = np.rint(corners * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, _SHIFT)
    ink(picture, mask, round(around.x), round(around.y), box.color, box.opacity)


def _rounded(rect: Rect, radius: float) -> npt.NDArray[np.float64]:
    """Return the outline of a rectangle with round corners, (n, 2)."""
    # OpenCV draws the outline's own px too: half a px less on every side keeps the size.
    inner = rect.expanded(-0.5 - radius)
    angles = np.linspace(0, np.pi / 2, _ARC_STEPS if radius else 1)
    arc = np.column_stack([np.cos(angles), np.sin(angles)]) * radius
    turn = np.array([[0, 1], [-1, 0]])
    parts = []
    for x, y in (
        (inner.right, inner.bottom),
        (inner.x, inner.bottom),
        (inner.x, inner.y),
        (inner.right, inner.y),
    ):
        parts.append(arc + np.array([x, y]))
        arc = arc @ turn
    return np.concatenate(parts) + 0.5


def _ramp(picture: Rgba, ramp: Ramp) -> None:
    x, y, width, height = ramp.rect.as_ints()
    steps = np.linspace(0, len(ramp.colors) - 1, width).round().astype(int)
    target = picture[max(0, y) : y + height, max(0, x) : x + width]
    target[..., :3] = ramp.colors[steps][None, : target.shape[1]]


def _write(picture: Rgba, words: Words) -> None:
    line = lettering(words.text, words.size)
    ink(picture, line.ink, round(words.x) + line.x, round(words.y) + line.y, words.color)


def ink(
    picture: Rgba, mask: npt.NDArray[np.uint8], x: int, y: int, color: Color, opacity: float = 1.0
) -> None:
    """Lay a colour over a place as far as a mask (0–255) says; what is beyond is left out."""
    height, width = picture.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(width, x + mask.shape[1]), min(height, y + mask.shape[0])
    if right <= left or bottom <= top:
        return
    share = mask[top - y : bottom - y, left - x : right - x, None] * np.float32(opacity / 255)
    target = picture[top:bottom, left:right, :3]
    target[:] = np.rint(target + (np.array(color, np.float32) - target) * share).astype(np.uint8)
