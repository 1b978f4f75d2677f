"""Straight-line maps of the plane: how one frame of coordinates lies in another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _

Point = tuple[float, float]
Points = npt.NDArray[np.float64]
"""(n, 2) x, y."""


@dataclass(frozen=True, slots=True)
class Affine:
    """``x' = xx·x + xy·y + x0`` and ``y' = yx·x + yy·y + y0``."""

    xx: float = 1.0
    xy: float = 0.0
    x0: float = 0.0
    yx: float = 0.0
    yy: float = 1.0
    y0: float = 0.0

    @classmethod
    def moved(cls, dx: float, dy: float) -> Self:
        return cls(x0=dx, y0=dy)

    @classmethod
    def scaled(cls, x: float, y: float | None = None) -> Self:
        return cls(xx=x, yy=x if y is None else y)

    @classmethod
    def turned(cls, degrees: float) -> Self:
        """Turn about the origin, clockwise on screen (y runs down); quarters are exact."""
        quarter = degrees % 360 / 90
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        if quarter.is_integer():
            cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[int(quarter) % 4]
        return cls(xx=cos, xy=-sin, yx=sin, yy=cos)

    @classmethod
    def through(cls, sources: Sequence[Point], targets: Sequence[Point]) -> Self:
        """Return the map that takes three points onto three others.

        Raises `UsageError` when the points of a triple lie (nearly) on one line.
        """
        known = np.column_stack([np.asarray(sources, np.float64), np.ones(3)])
        wanted = np.asarray(targets, np.float64)
        for triple in (known[:, :2], wanted):
            sides = triple[1:] - triple[0]
            area = abs(float(sides[0, 0] * sides[1, 1] - sides[0, 1] * sides[1, 0]))
            if area <= 1e-6 * max(1.0, float((sides**2).sum())):
                raise UsageError(
                    _("The three points lie on one line."),
                    _("Choose points that span a triangle, far from each other."),
                )
        (xx, yx), (xy, yy), (x0, y0) = np.linalg.solve(known, wanted).tolist()
        return cls(xx, xy, x0, yx, yy, y0)

    def then(self, after: Affine) -> Affine:
        """Return the map that does this one first, and then another."""
        return Affine(
            after.xx * self.xx + after.xy * self.yx,
            after.xx * self.xy + after.xy * self.yy,
            after.xx * self.x0 + after.xy * self.y0 + after.x0,
            after.yx * self.xx + after.yy * self.yx,
            after.yx * self.xy + after.yy * self.yy,
            after.yx * self.x0 + after.yy * self.y0 + after.y0,
        )

    @property
    def determinant(self) -> float:
        return self.xx * self.yy - self.xy * self.yx

    @property
    def scale(self) -> float:
        """How many times as long things get, on average of all directions."""
        return math.sqrt(abs(self.determinant))

    @property
    def is_axis_parallel(self) -> bool:
        """Rectangles stay upright and unturned: scaling and moving only, no mirroring."""
        return self.xy == self.yx == 0 and self.xx > 0 and self.yy > 0

    def inverse(self) -> Affine:
        """Return the way back; ZeroDivisionError when the plane is squeezed onto a line."""
        det = self.determinant
        xx, xy, yx, yy = self.yy / det, -self.xy / det, -self.yx / det, self.xx / det
        return Affine(
            xx, xy, -(xx * self.x0 + xy * self.y0), yx, yy, -(yx * self.x0 + yy * self.y0)
        )

    def point(self, x: float, y: float) -> Point:
        return self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0

    def points(self, points: Points) -> Points:
        """Return many points, (n, 2), mapped."""
        linear = np.array([[self.xx, self.yx], [self.xy, self.yy]])
        mapped: Points = points @ linear + (self.x0, self.y0)
        return mapped

    def rect(self, rect: Rect) -> Rect:
        """Return the smallest upright rectangle round a mapped one."""
        corners = [self.point(x, y) for x in (rect.x, rect.right) for y in (rect.y, rect.bottom)]
        xs, ys = zip(*corners, strict=True)
        return Rect.from_corners(min(xs), min(ys), max(xs), max(ys))

    def matrix(self) -> npt.NDArray[np.float64]:
        """Return (2, 3), as OpenCV writes it."""
        return np.array([[self.xx, self.xy, self.x0], [self.yx, self.yy, self.y0]])
