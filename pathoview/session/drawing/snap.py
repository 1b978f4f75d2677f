"""A click is put on the darkest point of the nucleus it was meant for."""

from __future__ import annotations

import numpy as np

from pathoview.session.drawing.patch import Patch
from pathoview.session.drawing.stain import Stained, amount_of, blurred
from pathoview.slides.stains import StainMatrix

RADIUS_UM = 5.0
SMOOTHING_UM = 1.2
"""Width of the Gaussian that makes one maximum of a nucleus with coarse chromatin."""
LEAST_AMOUNT = 0.2
"""Optical density below which a maximum is no nucleus."""

_APART_UM = 1.5


def snapped(
    patch: Patch,
    x_l0: float,
    y_l0: float,
    *,
    mpp: float,
    stains: StainMatrix,
    stained: Stained = "first",
    radius_um: float = RADIUS_UM,
) -> tuple[float, float] | None:
    """Return the nearest local maximum of the smoothed stain within a radius, level-0 px.

    ``mpp`` is µm a px of the patch, which should reach twice the radius around the click. None
    when there is no maximum, or the click is beside the patch.
    """
    import cv2

    if patch.pixel_at(x_l0, y_l0) is None:
        return None
    amount = blurred(amount_of(patch.rgb, stains, stained), SMOOTHING_UM / mpp)
    reach = max(1, round(_APART_UM / mpp))
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    is_top = (amount >= cv2.dilate(amount, around)) & (amount >= LEAST_AMOUNT)
    rows, cols = np.nonzero(is_top)
    if not len(rows):
        return None
    tops = np.stack([cols, rows], 1) + 0.5
    distances_um = np.hypot(*(tops - patch.to_patch((x_l0, y_l0))).T) * mpp
    nearest = int(distances_um.argmin())
    if distances_um[nearest] > radius_um:
        return None
    x, y = patch.to_l0(tops[nearest]).tolist()
    return x, y
