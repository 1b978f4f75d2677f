"""Patches the drawing helpers are tried on."""

from __future__ import annotations

import cv2
import numpy as np

from pathoview.session.drawing.patch import Patch
from pathoview.slides.stains import StainMatrix

ORIGIN_L0 = (1000.0, 500.0)
DOWNSAMPLE = 2.0


def flat_patch(width: int = 64, height: int = 48, value: int = 200) -> Patch:
    return Patch(np.full((height, width, 3), value, np.uint8), ORIGIN_L0, DOWNSAMPLE)


def disk_patch(radius_px: int, size_px: int = 200, seed: int = 0) -> Patch:
    """Return a violet disc on pale, noisy ground; its middle is that of pixel (100, 90)."""
    rgb = np.full((size_px, size_px, 3), (225, 210, 225), np.uint8)
    cv2.circle(rgb, (100, 90), radius_px, (120, 60, 140), -1)
    noise = np.random.default_rng(seed).normal(0, 4, rgb.shape)
    return Patch(np.clip(rgb + noise, 0, 255).astype(np.uint8), ORIGIN_L0, DOWNSAMPLE)


def stained_patch(
    stains: StainMatrix, amounts: tuple[float, float], *, radius_px: float, size_px: int = 128
) -> Patch:
    """Return a soft-edged nucleus of two stains in the middle of a patch; 0.1 OD around it."""
    y, x = np.mgrid[:size_px, :size_px] + 0.5
    distance = np.hypot(x - size_px / 2, y - size_px / 2)
    inside = 1 / (1 + np.exp((distance - radius_px) / 0.7))
    first, second = (0.1 + amount * inside[..., None] for amount in amounts)
    density = first * np.array(stains.rows[0]) + second * np.array(stains.rows[1])
    rgb = np.clip(np.rint(256 * np.exp(-density) - 1), 0, 255).astype(np.uint8)
    return Patch(rgb, ORIGIN_L0, DOWNSAMPLE)


def middle_l0(patch: Patch) -> tuple[float, float]:
    x, y = patch.to_l0((patch.width / 2, patch.height / 2)).tolist()
    return x, y


def at_l0(patch: Patch, x_px: float, y_px: float) -> tuple[float, float]:
    x, y = patch.to_l0((x_px, y_px)).tolist()
    return x, y
