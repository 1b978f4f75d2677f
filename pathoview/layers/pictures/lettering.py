"""Letters without a window: text as a mask, in whatever script the machine has a font for."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyvips

LINE_HEIGHT = 1.2
"""Of a line of text, in sizes of its letters."""
_POINTS_PER_INCH = 72


class Lettering(NamedTuple):
    """A line of text; the ink begins at (x, y) px from the line's top left."""

    ink: npt.NDArray[np.uint8]
    """(height, width), 255 where there is ink."""
    x: int
    y: int

    @property
    def width(self) -> int:
        return self.x + int(self.ink.shape[1])


@lru_cache(maxsize=256)
def lettering(text: str, size_px: float) -> Lettering:
    """Return a line of text in a sans-serif font of a size."""
    if not text.strip():
        return Lettering(np.zeros((0, 0), np.uint8), 0, 0)
    font = f"sans {size_px:.2f}"
    image = pyvips.Image.text(escape(text, quote=False), font=font, dpi=_POINTS_PER_INCH)
    return Lettering(np.asarray(image.numpy(), np.uint8), image.xoffset, image.yoffset)
