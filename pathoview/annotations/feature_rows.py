"""Annotations as a part of a table of objects: they change one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from uuid import UUID

import numpy as np
import numpy.typing as npt

from pathoview.annotations.columns import Column, IdColumn, NumberColumn, TextColumn
from pathoview.annotations.detection_field import DetectionField, class_of, is_detected
from pathoview.annotations.detection_rows import (
    AUTHOR,
    CHANGED,
    CLASS,
    CREATED,
    FLAGS,
    ID,
    KIND,
    NAME,
    ROLE,
    RUN,
    TEXTS,
)
from pathoview.annotations.feature import Feature
from pathoview.annotations.measures import (
    ShapeOutlines,
    measure_names,
    measured,
)
from pathoview.annotations.shapes import Mpp
from pathoview.core.geometry import Rect
from pathoview.core.translation import _

AREA = "Area µm²"

Floats = npt.NDArray[np.float64]

_COUNTS = ""
"""Stands for the counts inside, an array of two dimensions, among the names of numbers."""


def flags_of(feature: Feature) -> str:
    """Return in words what is marked on an annotation."""
    marks = {
        _("uncertain"): feature.is_uncertain,
        _("disputed"): feature.is_disputed,
        _("locked"): feature.is_locked,
        _("hidden"): feature.is_hidden,
    }
    return ", ".join(word for word, is_set in marks.items() if is_set)


_SAID: Mapping[str, Callable[[Feature], str]] = {
    KIND: lambda one: one.object_type,
    CLASS: class_of,
    NAME: lambda one: one.name,
    ROLE: lambda one: one.role,
    AUTHOR: lambda one: one.author,
    CREATED: lambda one: one.created,
    CHANGED: lambda one: one.changed,
    FLAGS: flags_of,
}


class FeatureRows:
    """Annotations, and other single objects. Thread-safe: what is computed twice is equal."""

    def __init__(
        self,
        features: Sequence[Feature],
        mpp: Mpp | None,
        *,
        run: str = "",
        owner: object = None,
        field: DetectionField | None = None,
        before: FeatureRows | None = None,
    ) -> None:
        """``field``: the detections that are counted inside.

        ``before``: rows of the same scale; what was computed and is still true is kept.
        """
        self.features = tuple(features)
        self.mpp = mpp
        self.run = run
        self.owner = owner
        """Whose rows these are; None: the document's."""
        self.field = field
        self.geometries = np.array([one.geometry for one in self.features], object)
        self.is_detected = np.array([is_detected(one) for one in self.features], bool)
        """(n,) which are what was found, rather than what holds others."""
        self._numbers: dict[str, Floats] = {}
        self._texts: dict[str, Column] = {}
        self._places: dict[UUID, int] | None = None
        if before is not None and len(before):
            self._keep(before)

    def _keep(self, before: FeatureRows) -> None:
        """Take over numbers, and compute those of features that are new."""
        places = {id(one): row for row, one in enumerate(before.features)}
        old = np.array([places.get(id(one), -1) for one in self.features], np.intp)
        new = np.flatnonzero(old < 0)
        for name, column in before._numbers.items():
            if name != _COUNTS or before.field is self.field:
                values = column[old]
                values[new] = self._measured(name, new)
                self._numbers[name] = values

    def __len__(self) -> int:
        return len(self.features)

    @property
    def stored(self) -> tuple[str, ...]:
        """Names of measurements that are kept with some of the objects."""
        return tuple(dict.fromkeys(name for one in self.features for name in one.measurements))

    def column(self, name: str) -> Column:
        """Return what is said, or a measure by its name; NaN where there is none."""
        if name in TEXTS or name == ID:
            if name not in self._texts:
                self._texts[name] = self._said(name)
            return self._texts[name]
        if self.field is not None and name in self.field.names:
            return NumberColumn(self._inside(self.field, name))
        return NumberColumn(self._number(name))

    def _number(self, name: str) -> Floats:
        if name not in self._numbers:
            self._numbers[name] = self._measured(name, np.arange(len(self)))
        return self._numbers[name]

    def _inside(self, field: DetectionField, name: str) -> Floats:
        areas_um2 = self._number(AREA) if self.mpp else np.full(len(self), np.nan)
        return field.column(name, self._number(_COUNTS), areas_um2)

    def _said(self, name: str) -> Column:
        if name == ID:
            ids = b"".join(one.id.bytes for one in self.features)
            return IdColumn(np.frombuffer(ids, np.uint8).reshape(-1, 16))
        if name == RUN:
            return TextColumn.constant(self.run, len(self))
        return TextColumn.of([_SAID[name](one) for one in self.features])

    def _measured(self, name: str, rows: npt.NDArray[np.intp]) -> Floats:
        """Return a measure of some rows: as it is kept with the object, else from its shape."""
        if name == _COUNTS and self.field is not None:
            counts = np.full((len(rows), len(self.field.classes)), np.nan)
            holding = ~self.is_detected[rows]
            counts[holding] = self.field.counts(self.geometries[rows[holding]])
            return counts
        kept = (self.features[row].measurements.get(name, np.nan) for row in rows.tolist())
        values = np.fromiter(kept, np.float64, len(rows))
        unknown = np.flatnonzero(np.isnan(values))
        if len(unknown) and name in measure_names(self.mpp):
            is_all = len(unknown) == len(self)
            outlines = self._outlines if is_all else self._outlined(rows[unknown])
            values[unknown] = measured(outlines, [name], self.mpp)[name]
        return values

    @cached_property
    def _outlines(self) -> ShapeOutlines:
        return self._outlined(np.arange(len(self)))

    def _outlined(self, rows: npt.NDArray[np.intp]) -> ShapeOutlines:
        return ShapeOutlines(self.geometries[rows], self.mpp)

    def row_of(self, feature_id: UUID) -> int | None:
        """Return the row of an object by its id; None: it is not here."""
        if self._places is None:
            self._places = {one.id: row for row, one in enumerate(self.features)}
        return self._places.get(feature_id)

    def bounds_l0(self, row: int) -> Rect:
        """Return the rectangle around an object."""
        return Rect.from_corners(*self.geometries[row].bounds)
