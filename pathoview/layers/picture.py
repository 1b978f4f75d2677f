"""What a canvas asks for and what it gets: an order, and a picture of finished blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.layers.backdrop import Backdrop
from pathoview.layers.compose import Shown
from pathoview.layers.frame import Frame, Look

BLOCK_PX = 512

Bgra = npt.NDArray[np.uint8]
"""(height, width, 4) uint8, blue, green, red, 255: what screens take."""
Place = tuple[int, int]
"""Column and row of a block in the plane of its look."""


@dataclass(frozen=True, slots=True)
class Base:
    """The whole slide, upright, in few px."""

    pixels: Bgra
    frame: Frame


@dataclass(frozen=True, slots=True)
class Picture:
    """Finished blocks of one look."""

    look: Look
    blocks: Mapping[Place, Bgra] = field(default_factory=dict)
    base: Base | None = None
    is_sharp: bool = False
    """All that is seen was composed of the very tiles that were wanted: nothing stands in."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a canvas wants to see."""

    frame: Frame
    shown: tuple[Shown, ...]
    backdrop: Backdrop
    slide_l0: Rect


def places(rect_px: Rect) -> Iterator[Place]:
    """Yield the blocks that a rectangle of the plane touches."""
    for row in range(math.floor(rect_px.y / BLOCK_PX), math.ceil(rect_px.bottom / BLOCK_PX)):
        for column in range(math.floor(rect_px.x / BLOCK_PX), math.ceil(rect_px.right / BLOCK_PX)):
            yield column, row
