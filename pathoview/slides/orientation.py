"""The eight TIFF and EXIF orientations: from the stored picture to the one people see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pathoview.slides.slide import Pixels

Number = TypeVar("Number", int, float)

_MIRRORED_X = frozenset((2, 3, 7, 8))
_MIRRORED_Y = frozenset((3, 4, 6, 7))


@dataclass(frozen=True, slots=True)
class Orientation:
    """Tag 274: 1 is upright; codes that do not exist are taken as 1."""

    code: int = 1

    @property
    def is_upright(self) -> bool:
        return not 2 <= self.code <= 8

    @property
    def is_transposed(self) -> bool:
        """Whether width and height change places."""
        return 5 <= self.code <= 8

    def shown(self, x: Number, y: Number) -> tuple[Number, Number]:
        """Return a size or scale of the stored picture as it is for the shown one."""
        return (y, x) if self.is_transposed else (x, y)

    def stored_rect(
        self, rect: tuple[int, int, int, int], width: int, height: int
    ) -> tuple[int, int, int, int]:
        """Return where ``(x, y, width, height)`` of the shown picture is stored.

        ``width`` and ``height`` are the whole stored picture's.
        """
        x, y, w, h = rect
        if self.is_transposed:
            x, y, w, h = y, x, h, w
        if self.code in _MIRRORED_X:
            x = width - x - w
        if self.code in _MIRRORED_Y:
            y = height - y - h
        return x, y, w, h

    def apply(self, stored: Pixels) -> Pixels:
        """Turn stored pixels (height, width, channel) upright."""
        if self.is_upright:
            return stored
        if self.code in _MIRRORED_X:
            stored = stored[:, ::-1]
        if self.code in _MIRRORED_Y:
            stored = stored[::-1]
        return np.ascontiguousarray(stored.swapaxes(0, 1) if self.is_transposed else stored)
