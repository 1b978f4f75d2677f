"""Detections as a part of a table of objects."""

from __future__ import annotations

from copy import copy
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pathoview.annotations.columns import Column, IdColumn, NumberColumn, Rows, TextColumn
from pathoview.annotations.detections import Detections
from pathoview.annotations.measures import TableOutlines, measure_names, measured
from pathoview.annotations.shapes import Mpp
from pathoview.core.geometry import Rect

KIND, RUN, CLASS, NAME, ROLE = "Kind", "Run", "Class", "Name", "Role"
AUTHOR, CREATED, CHANGED, FLAGS, ID = "Author", "Created", "Changed", "Flags", "Id"
TEXTS = (KIND, RUN, CLASS, NAME, ROLE, AUTHOR, CREATED, CHANGED, FLAGS)
"""What is said of an object, in words."""

Floats = npt.NDArray[np.float64]


class DetectionRows:
    """Detections that came together, but for those that something else stands for.

    A row is the place of a detection among those that are listed; its index is its number among
    all that its owner has. Thread-safe: what is computed twice is equal.
    """

    def __init__(
        self,
        table: Detections,
        mpp: Mpp | None,
        *,
        run: str = "",
        owner: object = None,
        start: int = 0,
    ) -> None:
        """``owner``: whose rows these are; ``start``: index of the first of the table."""
        self.table = table
        self.mpp = mpp
        self.run = run
        self.owner = owner
        self.start = start
        self.gone = np.empty(0, np.intp)
        """Rows of the table that are not listed, ascending."""
        self._listed = np.arange(len(table))
        """(n,) rows of the table, ascending."""
        self._columns: dict[str, Column] = {}
        """Of the whole table."""

    def without(self, gone: Rows) -> DetectionRows:
        """Return the same table with just these rows of it not listed, ascending.

        What was computed is shared.
        """
        if np.array_equal(gone, self.gone):
            return self
        other = copy(self)
        other.gone = gone
        other._listed = np.delete(np.arange(len(self.table)), gone)
        return other

    @cached_property
    def _outlines(self) -> TableOutlines:
        return TableOutlines(self.table, self.mpp)

    @cached_property
    def centroids_l0(self) -> Floats:
        """The centroids of the whole table, (n, 2) level-0 px."""
        return self.table.centroids_l0()

    def __len__(self) -> int:
        return len(self._listed)

    @property
    def indices(self) -> Rows:
        """The index of each row, (n,), ascending."""
        return self.start + self._listed

    def index_of(self, row: int) -> int:
        """Return the index of a row."""
        return self.start + int(self._listed[row])

    def row_of(self, index: int) -> int | None:
        """Return the row of a detection by its index; None: it is not listed here."""
        row = int(np.searchsorted(self._listed, index - self.start))
        return row if row < len(self) and self.index_of(row) == index else None

    @property
    def stored(self) -> tuple[str, ...]:
        return tuple(self.table.measurements)

    def column(self, name: str) -> Column:
        """Return what is said, or a measure by its name; NaN where there is none."""
        if name not in self._columns:
            is_said = name in TEXTS or name == ID
            self._columns[name] = self._said(name) if is_said else self._measured(name)
        column = self._columns[name]
        return column.take(self._listed) if len(self.gone) else column

    def _said(self, name: str) -> Column:
        if name == ID:
            return IdColumn(self.table.ids)
        if name == CLASS:
            names = [*(one.name for one in self.table.classes), ""]
            codes = self.table.class_index.astype(np.int32)
            return TextColumn(np.where(codes < 0, len(names) - 1, codes), names)
        word = {KIND: "detection", RUN: self.run}.get(name, "")
        return TextColumn.constant(word, len(self.table))

    def _measured(self, name: str) -> NumberColumn:
        """Return a measure as the run has stored it, else from the outlines."""
        kept = self.table.measurements.get(name)
        if name not in measure_names(self.mpp):
            return NumberColumn(
                np.full(len(self.table), np.nan, np.float32) if kept is None else kept
            )
        if kept is not None and not np.isnan(kept).any():
            return NumberColumn(kept)
        values = measured(self._outlines, [name], self.mpp)[name]
        return NumberColumn(values if kept is None else np.where(np.isnan(kept), values, kept))

    def bounds_l0(self, row: int) -> Rect:
        """Return the rectangle around an object."""
        ring = self.table.ring_l0(int(self._listed[row]))
        return Rect.from_corners(*ring.min(axis=0).tolist(), *ring.max(axis=0).tolist())
