"""Detections as a part of a table of objects."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from pathoview.annotations.columns import Column, IdColumn, NumberColumn, TextColumn
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
    """Detections that came together. Thread-safe: what is computed twice is equal."""

    def __init__(
        self,
        table: Detections,
        mpp: Mpp | None,
        *,
        run: str = "",
        owner: object = None,
        start: int = 0,
    ) -> None:
        """``owner``: whose rows these are; ``start``: number of the first among all of them."""
        self.table = table
        self.mpp = mpp
        self.run = run
        self.owner = owner
        self.start = start
        self._columns: dict[str, Column] = {}

    @cached_property
    def _outlines(self) -> TableOutlines:
        return TableOutlines(self.table, self.mpp)

    @cached_property
    def centroids_l0(self) -> Floats:
        """The centroids, (n, 2) level-0 px."""
        return self.table.centroids_l0()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def stored(self) -> tuple[str, ...]:
        return tuple(self.table.measurements)

    def column(self, name: str) -> Column:
        """Return what is said, or a measure by its name; NaN where there is none."""
        if name not in self._columns:
            is_said = name in TEXTS or name == ID
            self._columns[name] = self._said(name) if is_said else self._measured(name)
        return self._columns[name]

    def _said(self, name: str) -> Column:
        if name == ID:
            return IdColumn(self.table.ids)
        if name == CLASS:
            names = [*(one.name for one in self.table.classes), ""]
            codes = self.table.class_index.astype(np.int32)
            return TextColumn(np.where(codes < 0, len(names) - 1, codes), names)
        word = {KIND: "detection", RUN: self.run}.get(name, "")
        return TextColumn.constant(word, len(self))

    def _measured(self, name: str) -> NumberColumn:
        """Return a measure as the run has stored it, else from the outlines."""
        kept = self.table.measurements.get(name)
        if name not in measure_names(self.mpp):
            return NumberColumn(np.full(len(self), np.nan, np.float32) if kept is None else kept)
        if kept is not None and not np.isnan(kept).any():
            return NumberColumn(kept)
        values = measured(self._outlines, [name], self.mpp)[name]
        return NumberColumn(values if kept is None else np.where(np.isnan(kept), values, kept))

    def bounds_l0(self, row: int) -> Rect:
        """Return the rectangle around an object."""
        ring = self.table.ring_l0(row)
        return Rect.from_corners(*ring.min(axis=0).tolist(), *ring.max(axis=0).tolist())
