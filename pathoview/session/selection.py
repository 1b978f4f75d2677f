"""The detection that was clicked, and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
    """Row in the table of its source, which knows whether others are chosen too."""
    id: UUID
    detection_class: DetectionClass | None
    outline_l0: npt.NDArray[np.float64]
    """(vertices, 2), not closed."""
    area_um2: float | None
    """None when the slide has no scale."""
    measurements: Mapping[str, float]
    """Name with unit → value, in the order of the table; unknown ones are left out."""


def detection_at(session: Session, x_l0: float, y_l0: float) -> tuple[DetectionSource, int] | None:
    """Return the smallest visible detection at a place, of the foremost run that has one."""
    for run in reversed(session.runs):
        index = run.source.pick(x_l0, y_l0) if run.detection_layer.visible else None
        if index is not None:
            return run.source, index
    return None


def add_detection_at(session: Session, x_l0: float, y_l0: float) -> bool:
    """Choose the detection at a place too, or no longer; return whether there is one."""
    found = detection_at(session, x_l0, y_l0)
    if found is None:
        return False
    source, index = found
    rows = list(source.chosen)
    (rows.remove if index in rows else rows.append)(index)
    choose_detections(session, source, rows)
    return True


def choose_detections(session: Session, source: DetectionSource, rows: Sequence[int]) -> None:
    """Select detections of one run in place of others; the first one is told about."""
    session.clear_selection()
    if rows and session.slide is not None:
        session.selection = select_row(source, rows[0], session.slide.info.mpp)
        source.choose(rows)
        session.selection_changed.emit()


def choose_detection(session: Session, source: DetectionSource, index: int) -> None:
    """Select a detection by its row, in place of the one that was selected."""
    chosen = session.selection
    if session.slide is None or (
        chosen is not None and (chosen.source, chosen.index) == (source, index)
    ):
        return
    choose_detections(session, source, [index])


def select_row(source: DetectionSource, index: int, mpp: tuple[float, float] | None) -> Selection:
    """Select a detection by its row; ``mpp``: µm per level-0 px (x, y)."""
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
