"""The detection that was clicked, and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.picking import ring_area

if TYPE_CHECKING:
    from pathoview.session.session import Session


@dataclass(frozen=True, slots=True)
class Selection:
    """One selected detection."""

    source: DetectionSource
    index: int
    """Row in the table of its source."""
    id: UUID
    detection_class: DetectionClass | None
    outline_l0: npt.NDArray[np.float64]
    """(vertices, 2), not closed."""
    area_um2: float | None
    """None when the slide has no scale."""
    measurements: Mapping[str, float]
    """Name with unit → value, in the order of the table; unknown ones are left out."""


def select(
    source: DetectionSource, x_l0: float, y_l0: float, mpp: tuple[float, float] | None
) -> Selection | None:
    """Select the smallest detection at a place; ``mpp``: µm per level-0 px (x, y)."""
    index = source.pick(x_l0, y_l0)
    return None if index is None else select_row(source, index, mpp)


def choose_detection(session: Session, source: DetectionSource, index: int) -> None:
    """Select a detection by its row, in place of the one that was selected."""
    chosen = session.selection
    if session.slide is None or (
        chosen is not None and (chosen.source, chosen.index) == (source, index)
    ):
        return
    session.clear_selection()
    session.selection = select_row(source, index, session.slide.info.mpp)
    session.selection_changed.emit()


def select_row(source: DetectionSource, index: int, mpp: tuple[float, float] | None) -> Selection:
    """Select a detection by its row."""
    source.selected = index
    row = source.row(index)
    outline = row.ring_l0(0)
    class_index = int(row.class_index[0])
    values = {name: float(column[0]) for name, column in row.measurements.items()}
    return Selection(
        source,
        index,
        row.uuid(0),
        row.classes[class_index] if class_index >= 0 else None,
        outline,
        ring_area(outline) * mpp[0] * mpp[1] if mpp else None,
        {name: value for name, value in values.items() if not math.isnan(value)},
    )
