"""Lengths, sizes and angles in words, in µm where the scale of the slide is known."""

from __future__ import annotations

import math

import numpy as np

from pathoview.core.translation import _
from pathoview.layers.scale_bar import length_text
from pathoview.session.tools.tool import Points

Mpp = tuple[float, float] | None
"""µm per level-0 px (x, y); None: not known."""


def distance_text(length_px: float, length_um: float | None) -> str:
    """Return a length in µm or mm, or in px."""
    return _("{n:,.0f} px").format(n=length_px) if length_um is None else length_text(length_um)


def line_text(points_l0: Points, mpp: Mpp) -> str:
    """Return the length of a line, (n, 2), and its angle when it is straight: 0° points right.

    Angles run counter-clockwise on the unturned slide, from -180 to 180.
    """
    steps = np.diff(points_l0, axis=0)
    steps_um = steps * (mpp or (1.0, 1.0))
    length_px = float(np.hypot(*steps.T).sum())
    length = distance_text(length_px, float(np.hypot(*steps_um.T).sum()) if mpp else None)
    if len(steps) != 1:
        return length
    degrees = math.degrees(math.atan2(-steps_um[0, 1], steps_um[0, 0]))
    return _("{length}  ·  {degrees:.0f}°").format(length=length, degrees=degrees + 0.0)


def size_text(width_l0: float, height_l0: float, mpp: Mpp) -> str:
    """Return a size as a length on each side."""
    sides = (width_l0, height_l0)
    um = (None, None) if mpp is None else (width_l0 * mpp[0], height_l0 * mpp[1])
    width, height = (distance_text(px, long) for px, long in zip(sides, um, strict=True))
    return _("{width} × {height}").format(width=width, height=height)
