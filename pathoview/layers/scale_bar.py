"""Lengths as people write them: the scale bar's round length, sizes in µm or mm."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pathoview.core.translation import _


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A bar of a round length: ``length_view`` px on screen, ``text`` beside it."""

    length_view: float
    text: str


def scale_bar(um_per_view_px: float, longest_view: float) -> ScaleBar:
    """Return the longest bar of 1, 2 or 5 times a power of ten that fits."""
    length_um = round_length(um_per_view_px * longest_view)
    return ScaleBar(length_um / um_per_view_px, length_text(length_um))


def round_length(length: float, *, up: bool = False) -> float:
    """Return the next number of 1, 2 or 5 times a power of ten, below (or above) a length."""
    power = 10.0 ** math.floor(math.log10(length))
    steps = [step * power for step in (1, 2, 5, 10)]
    if up:
        return min(step for step in steps if step >= length * (1 - 1e-9))
    return max(step for step in steps if step <= length * (1 + 1e-9))


def length_text(length_um: float) -> str:
    """Return a length in nm, µm or mm, with no more digits than it needs."""
    if length_um >= 1_000:
        return _("{n:,.4g} mm").format(n=length_um / 1_000)
    if length_um >= 1:
        return _("{n:,.4g} µm").format(n=length_um)
    return _("{n:,.4g} nm").format(n=length_um * 1_000)
