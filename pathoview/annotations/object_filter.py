"""Which objects of a table are shown, and in which order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pathoview.annotations.columns import NumberColumn, Rows, TextColumn
from pathoview.annotations.detection_rows import CLASS, KIND, NAME
from pathoview.annotations.objects import Objects


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """What an object has to be; everything is shown where nothing is said."""

    kind: str = ""
    """``annotation``, ``detection`` …; empty: any."""
    class_name: str | None = None
    """None: any; empty: objects without a class."""
    text: str = ""
    """Part of the name, in small or large letters."""
    measurement: str = ""
    """A column of numbers; empty: any value will do."""
    low: float = -math.inf
    high: float = math.inf
    """Bounds of its value, both included; an unknown value lies within none."""

    @property
    def has_range(self) -> bool:
        return bool(self.measurement) and (self.low > -math.inf or self.high < math.inf)

    @property
    def is_empty(self) -> bool:
        """Whether everything is shown."""
        return not (self.kind or self.text or self.has_range) and self.class_name is None

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the columns that are looked at."""
        wanted = {
            KIND: bool(self.kind),
            CLASS: self.class_name is not None,
            NAME: bool(self.text),
            self.measurement: self.has_range,
        }
        return tuple(name for name, is_needed in wanted.items() if is_needed)


@dataclass(frozen=True, slots=True)
class Order:
    """By which column objects are sorted; an empty name: as they came."""

    name: str = ""
    is_descending: bool = False


def arranged(objects: Objects, wanted: ObjectFilter, order: Order) -> Rows:
    """Return the rows of the objects that are wanted, in order."""
    rows = _rows(objects, wanted)
    if order.name not in objects.names:
        return rows
    return objects.column(order.name).sorted(rows, is_descending=order.is_descending)


def _rows(objects: Objects, wanted: ObjectFilter) -> Rows:
    if wanted.is_empty:
        return np.arange(len(objects))
    mask = np.ones(len(objects), bool)
    for name in wanted.needs:
        if name not in objects.names:
            return np.empty(0, np.intp)
        column = objects.column(name)
        if isinstance(column, NumberColumn):
            mask &= column.within(wanted.low, wanted.high)
        elif isinstance(column, TextColumn):
            mask &= _matches(column, name, wanted)
    return np.flatnonzero(mask)


def _matches(column: TextColumn, name: str, wanted: ObjectFilter) -> np.ndarray:
    if name == NAME:
        return column.containing(wanted.text)
    if name == KIND:
        return column.equal_to(wanted.kind)
    return column.equal_to(wanted.class_name or "")
