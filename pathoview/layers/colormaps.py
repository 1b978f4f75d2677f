"""Named colours for numbers, in perceptually even steps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

Colormap = Literal["viridis", "cividis", "magma", "inferno", "grey", "blue-red"]
"""All but the last go from dark to light; ``blue-red`` is for differences, pale in the middle."""
COLORMAPS: tuple[Colormap, ...] = get_args(Colormap)
DEFAULT: Colormap = "viridis"
"""Told apart by colour-blind people too."""

Colors = npt.NDArray[np.uint8]
"""(256, 3) red, green, blue."""

_OPENCV: Mapping[str, int] = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "magma": cv2.COLORMAP_MAGMA,
    "inferno": cv2.COLORMAP_INFERNO,
}
_BLUE, _PALE, _RED = (35.0, 15.0, -55.0), (95.0, 0.0, 0.0), (35.0, 55.0, 35.0)
"""Both ends and the middle of ``blue-red`` in CIE L*a*b*; the ends are equally dark."""


@cache
def colors_of(name: Colormap) -> Colors:
    """Return the colours of a name, read-only."""
    colors = _diverging() if name == "blue-red" else _rising(name)
    colors.flags.writeable = False
    return colors


def _rising(name: str) -> Colors:
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    if name == "grey":
        return np.repeat(ramp, 3, axis=1)
    return np.ascontiguousarray(cv2.applyColorMap(ramp, _OPENCV[name])[:, 0, ::-1])


def _diverging() -> Colors:
    steps = np.linspace(0, 2, 256)
    ends = np.array([_BLUE, _PALE, _RED])
    lab = np.column_stack([np.interp(steps, (0, 1, 2), part) for part in ends.T])
    rgb = cv2.cvtColor(lab[:, None].astype(np.float32), cv2.COLOR_Lab2RGB)[:, 0]
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
