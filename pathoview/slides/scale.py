"""µm per pixel as files state it, and whether that can be true."""

from __future__ import annotations

import math
from typing import NamedTuple

from pathoview.core.translation import _
from pathoview.slides.slide import PLAUSIBLE_MPP

_PRINT_DPI = (72, 75, 96, 100, 120, 150, 180, 200, 240, 300, 350, 400, 600, 720, 1200, 2400)


class Scale(NamedTuple):
    """µm per px (x, y) with an empty problem, or None with the problem as a sentence."""

    mpp: tuple[float, float] | None
    problem: str


def is_plausible(mpp: float) -> bool:
    """Return whether a microscope or a thumbnail of a slide can have this scale."""
    return PLAUSIBLE_MPP[0] <= mpp <= PLAUSIBLE_MPP[1]


def checked_scale(x: float | None, y: float | None, *, from_resolution: bool = False) -> Scale:
    """Judge the µm per px a file states.

    ``from_resolution``: the numbers come from a resolution tag, where software also writes the
    72 or 300 dots per inch of a print; those are not the scale of a specimen.
    """
    if x is None or y is None:
        return Scale(None, _("The file states no µm per pixel."))
    if from_resolution and (dpi := _print_dpi(x)):
        sentence = _("The file states {dpi} dots per inch, which is a print size, not a scale.")
        return Scale(None, sentence.format(dpi=dpi))
    if not (is_plausible(x) and is_plausible(y)):
        sentence = _("The file states {x:.4g} × {y:.4g} µm per pixel, which cannot be true.")
        return Scale(None, sentence.format(x=x, y=y))
    return Scale((x, y), "")


def _print_dpi(mpp: float) -> int:
    return next((dpi for dpi in _PRINT_DPI if math.isclose(25400 / mpp, dpi, rel_tol=2e-3)), 0)
