"""A grid of lines every so many µm, fixed to the slide: it moves and turns with it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.layers.paint import Color
from pathoview.layers.scale_bar import round_length

_LEAST_PX = 72.0
"""Lines chosen by the zoom are at least that far apart on the screen."""
_CLOSEST_PX = 8.0
"""Lines of a fixed distance that come nearer than this are thinned out."""

DARK_LINE: Color = (20, 60, 110)
"""Over slides in bright light."""
LIGHT_LINE: Color = (150, 190, 235)
"""Over dark ones."""
LINE_OPACITY = 0.45

Lines = npt.NDArray[np.float64]
"""(n, 2, 2): both ends of each line, x and y."""


def grid_step_um(um_per_px: float, fixed_um: float | None = None) -> float:
    """Return the distance of the lines: a fixed one, or a round one that suits the zoom.

    Where a fixed distance is too narrow to be seen, only every 2nd, 5th, 10th … line is drawn.
    """
    if fixed_um is None:
        return round_length(_LEAST_PX * um_per_px, up=True)
    times = _CLOSEST_PX * um_per_px / fixed_um
    return fixed_um * max(1.0, round_length(times, up=True))


def grid_lines(visible_l0: Rect, slide_l0: Rect, step_l0: tuple[float, float]) -> Lines:
    """Return the lines that cross what is visible, level-0 px, from edge to edge of the slide.

    ``step_l0``: distance of lines that follow each other in x, and in y. The first line of each
    direction is the slide's own edge.
    """
    seen = visible_l0.intersection(slide_l0)
    if seen.is_empty:
        return np.empty((0, 2, 2))
    xs = _multiples(seen.x, seen.right, step_l0[0])
    ys = _multiples(seen.y, seen.bottom, step_l0[1])
    upright = [((x, seen.y), (x, seen.bottom)) for x in xs]
    level = [((seen.x, y), (seen.right, y)) for y in ys]
    return np.array(upright + level, np.float64).reshape(-1, 2, 2)


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def line_color(is_bright: bool) -> Color:
    """Return the colour of lines over a slide in bright light, or over a dark one."""
    return DARK_LINE if is_bright else LIGHT_LINE
