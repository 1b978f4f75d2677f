"""Result files as an analysis would write them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.slides.slide import Slide
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile, new_run_path


def squares(
    corners: Sequence[tuple[float, float]],
    side: float = 20,
    class_name: str = "",
    color: tuple[int, int, int] = (200, 0, 0),
) -> Detections:
    """Return squares with their top-left corners at level-0 px, and their area in px."""
    n = len(corners)
    offsets = np.array([(0, 0), (side, 0), (side, side), (0, side)])
    rings = np.array(corners, float).reshape(n, 1, 2) + offsets
    ids = [uuid.uuid5(uuid.NAMESPACE_OID, f"{corner}").bytes for corner in corners]
    classes = (DetectionClass(class_name, color),) if class_name else ()
    return Detections(
        np.rint(rings.reshape(-1, 2) * SUBPIXEL).astype(np.int32),
        np.arange(n + 1, dtype=np.int64) * 4,
        np.frombuffer(b"".join(ids), np.uint8).reshape(n, 16),
        np.full(n, 0 if class_name else -1, np.int16),
        classes,
        {"Area px": np.full(n, side * side, np.float32)},
    )


def new_run(slide: Slide, **changes: Any) -> RunFile:
    """Return a result file of the slide, open for writing and empty."""
    facts: dict[str, Any] = {
        "key": uuid.uuid4().hex,
        "method": "nuclei_watershed",
        "title": "Nuclei",
        "slide_hash": slide.content_hash,
        "pseudonym": slide.pseudonym,
    }
    record = RunRecord(**(facts | changes))
    return RunFile.create(new_run_path(record), record)
