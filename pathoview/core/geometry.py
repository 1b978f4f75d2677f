"""Rectangles and sizes, and the coordinate frames of the whole program.

Frames are written as suffixes, here and everywhere:

- ``_l0``: pixels of level 0 of the whole, orientation-applied picture; the origin is the
  top-left *corner* of the top-left pixel, x runs right, y runs down.
- ``_lv``: pixels of some named level of a pyramid, same origin.
- ``_view``: device-independent pixels of the canvas.
- ``_um``: micrometres.

Geometry is written (x, y) and (width, height); arrays are (row, column, channel).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Rect:
    """An axis-parallel rectangle, half open: it holds its left and top edge only."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def from_corners(cls, left: float, top: float, right: float, bottom: float) -> Rect:
        return cls(left, top, right - left, bottom - top)

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        return max(self.width, 0) * max(self.height, 0)

    @property
    def is_empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    def contains(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def intersects(self, other: Rect) -> bool:
        return not self.intersection(other).is_empty

    def intersection(self, other: Rect) -> Rect:
        """Return the common part; empty (zero size) when there is none."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect(left, top, max(right - left, 0), max(bottom - top, 0))

    def union(self, other: Rect) -> Rect:
        """Return the smallest rectangle that holds both."""
        return Rect.from_corners(
            min(self.x, other.x),
            min(self.y, other.y),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def expanded(self, margin: float) -> Rect:
        """Return the rectangle grown by ``margin`` on every side."""
        return Rect(
            self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin
        )

    def scaled(self, factor: float) -> Rect:
        """Return the rectangle with position and size multiplied by ``factor``."""
        return Rect(self.x * factor, self.y * factor, self.width * factor, self.height * factor)

    def moved(self, dx: float, dy: float) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def outward(self) -> Rect:
        """Return the smallest rectangle of whole pixels that holds this one."""
        return Rect.from_corners(
            math.floor(self.x), math.floor(self.y), math.ceil(self.right), math.ceil(self.bottom)
        )

    def as_ints(self) -> tuple[int, int, int, int]:
        """Return ``(x, y, width, height)`` of :meth:`outward` as integers."""
        out = self.outward()
        return int(out.x), int(out.y), int(out.width), int(out.height)


class Cell(NamedTuple):
    """Width and height of the cells of a grid that begins at the origin."""

    width: float
    height: float

    @classmethod
    def square(cls, side: float) -> Cell:
        return cls(side, side)

    def rect(self, column: float, row: float) -> Rect:
        """Return where the cell of a column and a row lies."""
        return Rect(column * self.width, row * self.height, self.width, self.height)

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Return column and row of the cell that a place lies in."""
        return math.floor(x / self.width), math.floor(y / self.height)
