"""How much stain there is at each pixel, where it counts: one stain of two, or both."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from pathoview.slides.stains import StainMatrix, separate

Amounts = npt.NDArray[np.float32]
Stained = Literal["first", "second", "any"]
"""``first`` is haematoxylin in both H&E and H-DAB; ``any`` is the sum, for nuclei in DAB."""

_INDEX = {"first": 0, "second": 1}


def amount_of(rgb: npt.NDArray[np.uint8], stains: StainMatrix, stained: Stained) -> Amounts:
    """Return the optical density of a stain, (height, width) float32, never negative."""
    amounts = separate(np.ascontiguousarray(rgb), stains)
    chosen = amounts[..., :2].sum(axis=2) if stained == "any" else amounts[..., _INDEX[stained]]
    return np.maximum(chosen, 0, dtype=np.float32)


def blurred(image: Amounts, sigma_px: float) -> Amounts:
    """Smooth by a Gaussian; a width of 0 changes nothing."""
    import cv2

    if sigma_px <= 0:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.float32)
