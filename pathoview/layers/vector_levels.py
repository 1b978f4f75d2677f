"""The levels of what can be drawn at any size."""

from __future__ import annotations

import math

from pathoview.core.pyramid import Level, Pyramid, halved_levels

TILE_PX = 512
_ENLARGED = (16, 8, 4, 2)
"""Enlarged levels, so that outlines stay sharp when one looks closer than the slide's pixels."""


def vector_pyramid(width_l0: float, height_l0: float) -> Pyramid:
    """Return the levels of something that can be drawn at any size, enlarged ones first."""
    width, height = math.ceil(width_l0), math.ceil(height_l0)
    enlarged = tuple(Level(width * n, height * n, 1 / n) for n in _ENLARGED)
    return Pyramid(enlarged + halved_levels(width, height, TILE_PX), TILE_PX)
