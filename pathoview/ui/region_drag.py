"""Drawing and reshaping a rectangle: the arithmetic of it, without any widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pathoview.core.geometry import Rect

Grip = tuple[Literal[-1, 0, 1], Literal[-1, 0, 1]]
"""Which edge moves in x and in y: -1 left or top, 1 right or bottom, 0 neither."""

GRIPS: tuple[Grip, ...] = ((-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0))


def grip_place(rect: Rect, grip: Grip) -> tuple[float, float]:
    """Return the place of a handle."""
    return rect.x + rect.width * (grip[0] + 1) / 2, rect.y + rect.height * (grip[1] + 1) / 2


def grip_at(rect: Rect, x: float, y: float, reach: float) -> Grip | None:
    """Return the handle within ``reach``, if any."""
    for grip in GRIPS:
        grip_x, grip_y = grip_place(rect, grip)
        if max(abs(x - grip_x), abs(y - grip_y)) <= reach:
            return grip
    return None


@dataclass(frozen=True, slots=True)
class RegionDrag:
    """A drag of a rectangle from ``start_l0``; all in level-0 px."""

    before_l0: Rect
    grip: Grip
    start_l0: tuple[float, float]

    @classmethod
    def new(cls, x_l0: float, y_l0: float) -> RegionDrag:
        """Begin a new rectangle whose one corner is here."""
        return cls(Rect(x_l0, y_l0, 0, 0), (1, 1), (x_l0, y_l0))

    def rect_l0(self, x_l0: float, y_l0: float, bounds_l0: Rect, *, square: bool = False) -> Rect:
        """Return the rectangle when the pointer is here, kept within the bounds, whole px."""
        dx, dy = x_l0 - self.start_l0[0], y_l0 - self.start_l0[1]
        old = self.before_l0
        if square and all(self.grip):
            dx, dy = self._square(dx, dy)
        left, right = _moved(old.x, old.right, self.grip[0], dx)
        top, bottom = _moved(old.y, old.bottom, self.grip[1], dy)
        rect = Rect.from_corners(round(left), round(top), round(right), round(bottom))
        return rect.intersection(bounds_l0)

    def _square(self, dx: float, dy: float) -> tuple[float, float]:
        old, (grip_x, grip_y) = self.before_l0, self.grip
        width, height = old.width + grip_x * dx, old.height + grip_y * dy
        side = max(abs(width), abs(height))
        signs = (1 if width >= 0 else -1, 1 if height >= 0 else -1)
        return (side * signs[0] - old.width) * grip_x, (side * signs[1] - old.height) * grip_y


def _moved(low: float, high: float, grip: int, by: float) -> tuple[float, float]:
    if grip < 0:
        low += by
    elif grip > 0:
        high += by
    return min(low, high), max(low, high)
