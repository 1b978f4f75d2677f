"""How one picture is laid over another, in whole numbers and without Python's lock."""

from __future__ import annotations

import cv2
import numpy as np

from pathoview.layers.layer import Blend
from pathoview.layers.source import Rgba


def blend(below: Rgba, above: Rgba, opacity: float = 1.0, mode: Blend = "normal") -> None:
    """Lay a premultiplied picture over an opaque one of the same shape, in place.

    ``normal`` covers; ``multiply`` darkens as a coloured glass of that opacity does; ``additive``
    adds light. What is transparent changes nothing in any mode.
    """
    alpha = cv2.extractChannel(above, 3)
    lowest, highest, _at, _also = cv2.minMaxLoc(alpha)
    if not highest:
        return
    if mode == "normal" and lowest == 255:
        cv2.addWeighted(above, opacity, below, 1 - opacity, 0, dst=below)
        return
    if opacity < 1:
        above = np.asarray(cv2.convertScaleAbs(above, alpha=opacity), np.uint8)
        alpha = cv2.extractChannel(above, 3)
    if mode != "additive":
        uncovered = cv2.merge([cv2.bitwise_not(alpha)] * 4)
        if mode == "multiply":
            cv2.multiply(below, cv2.add(uncovered, above), dst=below, scale=1 / 255)
            return
        cv2.multiply(below, uncovered, dst=below, scale=1 / 255)
    cv2.add(below, above, dst=below)
