"""Finds the detections near a place, and takes new ones in cheaply while a run goes on."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import Detections, concatenate
from pathoview.core.geometry import Rect

CELL_PX = 1024
"""Side of a cell of the grid, level-0 px."""
_MOST_CELLS = 16
"""Objects whose box touches more cells are looked at always."""

Rows = npt.NDArray[np.intp]
Boxes = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Detections that came together; ``start`` is the row of the first in the whole table."""

    start: int
    table: Detections
    boxes_l0: Boxes
    is_covered: npt.NDArray[np.bool_]
    """Rows that something else stands for: they are neither found nor counted."""

    def cover(self, ids: npt.NDArray[np.uint8], *, on: bool) -> Rows:
        """Mark the rows with these ids, (n, 16), or take the mark away; return which they are."""
        rows = self.table.rows_of(ids)
        self.is_covered[rows] = on
        return rows


class DetectionIndex:
    """A grid of cells that lists, chunk by chunk, the rows whose boxes touch a cell."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self._cells: defaultdict[tuple[int, int], list[tuple[int, Rows]]] = defaultdict(list)
        self._large: list[tuple[int, Rows]] = []
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, table: Detections) -> Chunk:
        chunk = Chunk(self._n, table, table.boxes_l0(), np.zeros(len(table), np.bool_))
        number = len(self.chunks)
        self.chunks.append(chunk)
        self._n += len(table)
        low = np.floor(chunk.boxes_l0[:, :2] / CELL_PX).astype(np.int64)
        high = np.floor(chunk.boxes_l0[:, 2:] / CELL_PX).astype(np.int64)
        spans = high - low + 1
        is_large = spans.prod(axis=1) > _MOST_CELLS
        if is_large.any():
            self._large.append((number, np.flatnonzero(is_large)))
        small = np.flatnonzero(~is_large)
        for dx in range(int(spans[small, 0].max(initial=0))):
            for dy in range(int(spans[small, 1].max(initial=0))):
                rows = small[(spans[small, 0] > dx) & (spans[small, 1] > dy)]
                self._file(number, rows, low[rows] + (dx, dy))
        return chunk

    def _file(self, number: int, rows: Rows, cells: npt.NDArray[np.int64]) -> None:
        order = np.lexsort((cells[:, 1], cells[:, 0]))
        cells, rows = cells[order], rows[order]
        edges = np.flatnonzero(np.any(np.diff(cells, axis=0) != 0, axis=1)) + 1
        starts = [0, *edges.tolist()] if len(rows) else []
        for start, group in zip(starts, np.split(rows, edges), strict=False):
            self._cells[int(cells[start, 0]), int(cells[start, 1])].append((number, group))

    def near(self, rect_l0: Rect) -> list[tuple[Chunk, Rows]]:
        """Return the rows whose boxes touch a rectangle, by chunk, ascending, each once.

        Covered ones are left out.
        """
        found: defaultdict[int, list[Rows]] = defaultdict(list)
        for number, rows in self._large:
            found[number].append(rows)
        for cell in self._cells_in(rect_l0):
            for number, rows in self._cells.get(cell, ()):
                found[number].append(rows)
        hits = []
        for number in sorted(found):
            chunk = self.chunks[number]
            rows = np.unique(np.concatenate(found[number]))
            boxes = chunk.boxes_l0[rows]
            touching = (
                (boxes[:, 0] <= rect_l0.right)
                & (boxes[:, 2] >= rect_l0.x)
                & (boxes[:, 1] <= rect_l0.bottom)
                & (boxes[:, 3] >= rect_l0.y)
                & ~chunk.is_covered[rows]
            )
            if touching.any():
                hits.append((chunk, rows[touching]))
        return hits

    def _cells_in(self, rect_l0: Rect) -> Iterator[tuple[int, int]]:
        columns = range(math.floor(rect_l0.x / CELL_PX), math.floor(rect_l0.right / CELL_PX) + 1)
        rows = range(math.floor(rect_l0.y / CELL_PX), math.floor(rect_l0.bottom / CELL_PX) + 1)
        if len(columns) * len(rows) > len(self._cells):
            return iter(tuple(self._cells))
        return ((column, row) for row in rows for column in columns)

    def locate(self, row: int) -> tuple[Chunk, int]:
        """Return the chunk of a row of the whole table, and the row in it."""
        chunk = self.chunks[bisect_right(self.chunks, row, key=attrgetter("start")) - 1]
        return chunk, row - chunk.start

    def find(self, id_bytes: npt.NDArray[np.uint8]) -> int | None:
        """Return the row with an id, (16,)."""
        for chunk in self.chunks:
            rows = np.flatnonzero((chunk.table.ids == id_bytes).all(axis=1))
            if len(rows):
                return chunk.start + int(rows[0])
        return None

    def rows(self, indices: Rows) -> Detections:
        """Return rows of the whole table as a table, ascending."""
        ordered = np.sort(indices)
        starts = [chunk.start for chunk in self.chunks]
        owners = np.searchsorted(starts, ordered, side="right") - 1
        return concatenate(
            [
                self.chunks[owner].table.take(ordered[owners == owner] - starts[owner])
                for owner in np.unique(owners).tolist()
            ]
        )

    def cover(self, ids: npt.NDArray[np.uint8], *, on: bool) -> list[tuple[Chunk, Rows]]:
        """Do as `Chunk.cover` with all chunks."""
        return [(chunk, chunk.cover(ids, on=on)) for chunk in self.chunks]

    def without(self, ids: npt.NDArray[np.uint8]) -> DetectionIndex:
        """Return an index of the other rows, in the same order; ``ids`` is (n, 16)."""
        rest = DetectionIndex()
        for chunk in self.chunks:
            table = chunk.table.without(ids)
            if len(table):
                rest.append(table)
        return rest
