"""A small description of how an image looks, for finding what is alike though not the same.

Colours and strengths of gradients, whatever their place and direction: turned by any angle, shifted
or overlapping pictures stay near. It knows nothing of what is seen.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

NAME = "colour and gradient histograms"

_SIDE_PX = 256
_COLOR_BINS = 12
_GRADIENT_BINS = 16
_STRONGEST = 256.0
_BLURS_PX = (1.0, 2.0, 4.0)


def describe(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return the histograms of a picture, (height, width, 3) RGB, as one vector."""
    scale = min(1.0, _SIDE_PX / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)
    sizes, ranges = [_COLOR_BINS] * 3, [0.0, 256.0] * 3
    colors = cv2.calcHist([lab], [0, 1, 2], None, sizes, ranges).ravel()
    parts = [colors, *(_gradients(lab[..., 0], blur) for blur in _BLURS_PX)]
    return np.concatenate([np.sqrt(part / max(1.0, part.sum())) for part in parts])


def _gradients(light: npt.NDArray[np.uint8], blur_px: float) -> npt.NDArray[np.float64]:
    """Return how often gradients are how strong, once finer structure is smoothed away."""
    smooth = cv2.GaussianBlur(light.astype(np.float32), (0, 0), blur_px)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength = np.log1p(np.hypot(across, down))
    return np.histogram(strength, _GRADIENT_BINS, (0, np.log1p(_STRONGEST)))[0].astype(np.float64)
