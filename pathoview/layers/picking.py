"""Which of several outlines lie under a point."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pathoview.layers.detection_index import Chunk, Rows

Ring = npt.NDArray[np.float64]
"""(vertices, 2), not closed."""


def smallest_at(near: Iterable[tuple[Chunk, Rows]], x_l0: float, y_l0: float) -> int | None:
    """Return the row, in the whole table, of the smallest outline that holds a point."""
    best: tuple[float, int] | None = None
    for chunk, rows in near:
        for row in rows.tolist():
            ring = chunk.table.ring_l0(row) - (x_l0, y_l0)
            if _holds_origin(ring):
                best = min(best or (math.inf, 0), (ring_area(ring), chunk.start + row))
    return None if best is None else best[1]


def _holds_origin(ring: Ring) -> bool:
    """Whether a ring holds (0, 0): a ray to the right crosses it an odd number of times."""
    x, y = ring[:, 0], ring[:, 1]
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    crosses = (y > 0) != (next_y > 0)
    rise = np.where(crosses, next_y - y, 1.0)
    return bool((crosses & (x - y * (next_x - x) / rise > 0)).sum() % 2)


def ring_area(ring: Ring) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
