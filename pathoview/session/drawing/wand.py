"""The wand: what looks like the place under the pointer and hangs together with it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.session.drawing.patch import Mask, Patch
from pathoview.session.drawing.stain import amount_of, blurred
from pathoview.slides.stains import H_E, StainMatrix

Bits = npt.NDArray[np.uint8]
Space = Literal["lab", "first stain", "second stain", "grey"]
"""In what pixels are compared: CIELAB, the optical density of one stain, brightness."""

SMOOTHING_PX = 2.0
SENSITIVITY = 1.0
"""At 1 a border between two even, equally large regions lies where the colour is midway."""

_LEAST_TOLERANCE: dict[Space, float] = {
    "lab": 1.5,
    "first stain": 0.03,
    "second stain": 0.03,
    "grey": 2.0,
}
"""What nobody sees as a difference: in a flat place the tolerance would vanish."""
_CLOSING_PX = 5


class Wand:
    """Region growing from a seed, in a patch whose filtered picture is kept.

    The picture is taken to a space of colours and smoothed by a Gaussian. A region is grown within
    a circle around the seed: the pixels whose colour is no further (Euclidean) from the seed's than
    the tolerance, closed over gaps of a few pixels; of those, the piece that holds the seed, four
    neighbours a pixel. The tolerance is the standard deviation of the colours within the circle,
    divided by the sensitivity: it follows the contrast of the place, and a higher sensitivity
    stops at fainter borders.
    """

    def __init__(
        self,
        patch: Patch,
        *,
        space: Space = "lab",
        stains: StainMatrix = H_E,
        smoothing_px: float = SMOOTHING_PX,
    ) -> None:
        self._patch = patch
        self._least_tolerance = _LEAST_TOLERANCE[space]
        self._planes = [blurred(plane, smoothing_px) for plane in _planes(patch.rgb, space, stains)]

    def grow(
        self,
        x_l0: float,
        y_l0: float,
        *,
        radius_px: float,
        sensitivity: float = SENSITIVITY,
        has_holes: bool = False,
    ) -> shapely.Polygon | None:
        """Return the region around a place; None beside the patch.

        ``radius_px`` is in px of the patch. Holes are filled unless ``has_holes``.
        """
        seed = self._patch.pixel_at(x_l0, y_l0)
        if seed is None:
            return None
        left, top, circle = _circle(self._patch, seed, radius_px)
        height, width = circle.shape
        planes = [plane[top : top + height, left : left + width] for plane in self._planes]
        inner = seed[0] - left, seed[1] - top
        near = _alike(planes, circle, inner, sensitivity, self._least_tolerance)
        piece = _piece(near, circle, inner)
        shape = self._patch.outline(piece if has_holes else _filled(piece), (left, top))
        # One piece by four neighbours is one polygon.
        return shape if isinstance(shape, shapely.Polygon) else None


def _planes(
    rgb: npt.NDArray[np.uint8], space: Space, stains: StainMatrix
) -> list[npt.NDArray[np.float32]]:
    """Return the picture in a space of colours, one (height, width) array a channel."""
    import cv2

    if space == "lab":
        lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        return [np.asarray(plane, np.float32) for plane in cv2.split(lab)]
    if space == "grey":
        return [cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)]
    return [amount_of(rgb, stains, "first" if space == "first stain" else "second")]


def _circle(patch: Patch, seed: tuple[int, int], radius_px: float) -> tuple[int, int, Bits]:
    """Return the disc around a pixel, cut at the patch's rim, and its left column and top row."""
    radius_px = max(radius_px, 0)
    reach = math.floor(radius_px)
    left, top = max(0, seed[0] - reach), max(0, seed[1] - reach)
    x = np.arange(left, min(patch.width, seed[0] + reach + 1)) - seed[0]
    y = np.arange(top, min(patch.height, seed[1] + reach + 1)) - seed[1]
    return left, top, (x**2 + y[:, None] ** 2 <= radius_px**2).astype(np.uint8)


def _alike(
    planes: list[npt.NDArray[np.float32]],
    circle: Bits,
    seed: tuple[int, int],
    sensitivity: float,
    least_tolerance: float,
) -> Bits:
    """Return the pixels whose colour is the seed's, within the tolerance of the circle."""
    import cv2

    deviations = [cv2.meanStdDev(plane, mask=circle)[1].item() for plane in planes]
    tolerance = max(math.hypot(*deviations) / sensitivity, least_tolerance)
    squared = np.zeros(circle.shape, np.float32)
    for plane in planes:
        difference = plane - plane[seed[1], seed[0]]
        cv2.accumulateSquare(difference, squared)
    return (squared <= tolerance**2).astype(np.uint8)


def _piece(near: Bits, circle: Bits, seed: tuple[int, int]) -> Mask:
    """Return the piece that holds the seed, small gaps closed, four neighbours a pixel."""
    import cv2

    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_CLOSING_PX, _CLOSING_PX))
    closed = cv2.bitwise_and(cv2.morphologyEx(near, cv2.MORPH_CLOSE, brush), circle)
    cv2.floodFill(closed, None, seed, 2, flags=4)
    return np.asarray(closed == 2)


def _filled(piece: Mask) -> Mask:
    """Return the piece without its holes."""
    import cv2

    whole = piece.astype(np.uint8)
    borders, _tree = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(whole, borders, -1, 1, cv2.FILLED) > 0)
