"""The few kinds of marks that furniture is made of, in px of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.layers.paint import Color


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    rect: Rect
    color: Color
    opacity: float = 1.0
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Ramp:
    """A colour bar from left to right."""

    rect: Rect
    colors: npt.NDArray[np.uint8]
    """(n, 3) red, green, blue."""


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; (x, y) is the top left of the line."""

    text: str
    x: float
    y: float
    size: float
    color: Color


Mark = Box | Ramp | Words
