"""A run that is shown: its objects as layers, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass
from pathoview.layers.layer import Layer
from pathoview.study.records import RunRecord


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many objects of one class were found."""

    detection_class: DetectionClass | None
    """None: not classified."""
    n: int
    per_mm2: float | None
    """None when the analysed area is not known."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the objects of a run add up to."""

    n: int
    area_mm2: float | None
    per_mm2: float | None
    classes: tuple[ClassCount, ...]


class RunView:
    """One run on the open slide."""

    path: Path
    record: RunRecord
    layers: Sequence[Layer]
    is_growing: bool
    """Objects still come in."""

    @property
    def statistics(self) -> Statistics: ...

    @property
    def measurement_names(self) -> Sequence[str]: ...

    def column(self, name: str) -> npt.NDArray[np.float32]:
        """Return one measurement of all objects, NaN where unknown."""
