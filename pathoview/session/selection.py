"""The detection that was clicked, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass


@dataclass(frozen=True, slots=True)
class Selection:
    """One selected detection."""

    index: int
    """Row in the table of its run."""
    id: UUID
    detection_class: DetectionClass | None
    outline_l0: npt.NDArray[np.float64]
    """(vertices, 2), not closed."""
    area_um2: float | None
    """None when the slide has no scale."""
    measurements: Mapping[str, float]
    """Name with unit → value, in the order of the table; unknown ones are left out."""
