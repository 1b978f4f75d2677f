"""Colours for numbers that only tell things apart: neighbours look different, always alike."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

N_COLORS = 1024
_GOLDEN_STEP = 633
"""N_COLORS over the golden ratio, odd: steps of that size fill the circle of hues evenly."""


@cache
def many_colors() -> npt.NDArray[np.uint8]:
    """Return (1024, 3) RGB, read-only; number k has colour ``k % 1024``."""
    number = np.arange(N_COLORS)
    hue = number * _GOLDEN_STEP % N_COLORS * (360 / N_COLORS)
    saturation = np.array([0.85, 0.6, 0.95])[number % 3]
    value = np.array([1.0, 0.95, 0.75, 0.88])[number % 4]
    hsv = np.column_stack([hue, saturation, value]).astype(np.float32)
    rgb = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    colors: npt.NDArray[np.uint8] = np.rint(rgb * 255).astype(np.uint8)
    colors.flags.writeable = False
    return colors
