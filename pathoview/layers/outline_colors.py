"""How outlines look, and which colour each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass, Detections
from pathoview.layers.colormaps import DEFAULT, colors_of
from pathoview.layers.density import UNCOUNTED, Kinds
from pathoview.layers.paint import Color

_EVERY_ROW = slice(None)
_MOST_LOOKED_AT = 50_000
"""So many values of a measurement tell well enough where its colours begin and end."""
_AUTO_PERCENTILES = (1, 99)


@dataclass(frozen=True, slots=True)
class OutlineStyle:
    """How detections look."""

    mode: Literal["class", "single", "measurement"] = "class"
    color: Color = (255, 214, 10)
    """Of all in mode ``single``; of unclassified objects in mode ``class``."""
    measurement: str = ""
    limits: tuple[float, float] | None = None
    """Values at both ends of the colours; None: taken from the data (percentiles 1 and 99)."""
    line_width_px: float = 1.5
    """Lines round objects that are small on the screen are thinner."""
    fill_opacity: float = 0.0
    """0: outlines only."""


@dataclass(frozen=True, slots=True)
class Look:
    """A style at one moment, and what it needs to know of the objects it is for."""

    style: OutlineStyle
    classes: tuple[DetectionClass, ...]
    hidden: frozenset[str]
    """Names of classes that are not seen; an empty name: unclassified objects."""
    limits: tuple[float, float]
    """Values at both ends of the colours of a measurement."""

    def palette(self, n_colors: int) -> Mapping[int, Color]:
        """Return the colours that `kinds` points to; ``n_colors`` for measurements."""
        style = self.style
        if style.mode == "measurement":
            steps = np.linspace(0, 255, n_colors).astype(int)
            rows = colors_of(DEFAULT)[steps].tolist()
            colors = {index: (row[0], row[1], row[2]) for index, row in enumerate(rows)}
        elif style.mode == "single":
            colors = dict.fromkeys(range(len(self.classes)), style.color)
        else:
            colors = {index: entry.color for index, entry in enumerate(self.classes)}
        return {-1: style.color, **colors}

    def kinds(
        self, table: Detections, n_colors: int, rows: slice | npt.NDArray[np.intp] = _EVERY_ROW
    ) -> Kinds:
        """Return which colour of `palette` each row has; `UNCOUNTED` where it is hidden."""
        class_index = table.class_index[rows]
        if self.style.mode == "measurement":
            kinds = self._steps(column_of(table, self.style.measurement)[rows], n_colors)
        else:
            kinds = class_index.astype(np.int64)
        return np.where(self.is_hidden(class_index), UNCOUNTED, kinds) if self.hidden else kinds

    def _steps(self, values: npt.NDArray[np.float32], n_colors: int) -> Kinds:
        low, high = self.limits
        known = np.isfinite(values)
        share = np.clip((np.where(known, values, low) - low) / max(high - low, 1e-12), 0, 1)
        return np.where(known, np.rint(share * (n_colors - 1)), -1).astype(np.int64)

    def is_hidden(self, class_index: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """Say which objects are not seen."""
        names = [*(entry.name for entry in self.classes), ""]  # -1 takes the last: unclassified
        hidden: npt.NDArray[np.bool_] = np.array([name in self.hidden for name in names])
        return hidden.take(class_index, mode="wrap")


def column_of(table: Detections, name: str) -> npt.NDArray[np.float32]:
    """Return a measurement, NaN where the table lacks it."""
    column = table.measurements.get(name)
    return np.full(len(table), np.nan, np.float32) if column is None else column


def limits_of(tables: Sequence[Detections], name: str) -> tuple[float, float]:
    """Return the values at which the colours of a measurement begin and end."""
    step = max(1, sum(map(len, tables)) // _MOST_LOOKED_AT)
    parts = [column_of(table, name)[::step] for table in tables]
    values = np.concatenate(parts) if parts else np.empty(0)
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, _AUTO_PERCENTILES) if len(values) else (0, 1)
    return float(low), float(high)
