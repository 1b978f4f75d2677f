"""How outlines look, and which colour each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass, Detections
from pathoview.layers.paint import Color, even_colormap

ColorIndex = npt.NDArray[np.int64]
"""(n,) index into a palette; -1: no class, or no value."""


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


def palette(
    style: OutlineStyle, classes: Sequence[DetectionClass], n_colors: int
) -> Mapping[int, Color]:
    """Return the colours that `color_index` points to; ``n_colors`` for measurements."""
    if style.mode == "measurement":
        steps = np.linspace(0, 255, n_colors).astype(int)
        rows = even_colormap()[steps].tolist()
        colors = {index: (row[0], row[1], row[2]) for index, row in enumerate(rows)}
    else:
        colors = {index: entry.color for index, entry in enumerate(classes)}
    return {-1: style.color, **colors}


def color_index(
    style: OutlineStyle, table: Detections, limits: tuple[float, float], n_colors: int
) -> ColorIndex:
    """Return which colour each row has; ``limits`` are the ends of a measurement's colours."""
    if style.mode == "class":
        return table.class_index.astype(np.int64)
    if style.mode == "single":
        return np.full(len(table), -1)
    low, high = limits
    values = column_of(table, style.measurement)
    known = np.isfinite(values)
    share = np.clip((np.where(known, values, low) - low) / max(high - low, 1e-12), 0, 1)
    return np.where(known, np.rint(share * (n_colors - 1)), -1).astype(np.int64)


def column_of(table: Detections, name: str) -> npt.NDArray[np.float32]:
    """Return a measurement, NaN where the table lacks it."""
    column = table.measurements.get(name)
    return np.full(len(table), np.nan, np.float32) if column is None else column
