"""Which of several outlines lie under a point."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

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


def rows_in(near: Iterable[tuple[Chunk, Rows]], shape: BaseGeometry) -> list[int]:
    """Return the rows, in the whole table, with their middle in an area, or across a line."""
    shapely.prepare(shape)
    found: list[int] = []
    for chunk, rows in near:
        part = chunk.table.take(rows)
        if shapely.get_dimensions(shape) == 2:
            is_in = shapely.contains_xy(shape, part.centroids_l0())
        else:
            rings = [shapely.Polygon(part.ring_l0(row)) for row in range(len(part))]
            is_in = shapely.intersects(shape, np.array(rings, object))
        found += (chunk.start + rows[is_in]).tolist()
    return found


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
