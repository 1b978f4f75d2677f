"""Where a run takes the slide for pathology, or finds it to differ, as areas with holes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.translation import _
from pathoview.layers.colormaps import colors_of
from pathoview.study.map_params import SynthesisParams
from pathoview.study.raster_rows import Planes
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import difference_of, pathology_of
from pathoview.tasks.vectorise import Numbers, features_of, map_areas

_DIFFERENCE_COLOR = 200
"""Which of the colours of the difference outlines have."""


def synthesis_regions(
    run_file: RunFile, params: SynthesisParams, check: Callable[[], None] = lambda: None
) -> Iterator[Feature]:
    """Yield the areas from a threshold on, level-0 px, as annotations.

    What is outlined is the slide: no pixel of the picture counts. Raises `StorageError`, and what
    ``check`` raises.
    """
    record = run_file.record
    values_of = pathology_of if params.of == "pathology" else difference_of

    def numbers_of(planes: Planes) -> Numbers:
        return np.where(values_of(planes) >= np.float32(params.threshold), 0, -1)  # NaN: it is not

    found = map_areas(run_file.synthesis_rows(), (0,), check, numbers_of)
    classes = (_class_of(record, params),)
    yield from features_of(record, found, classes, params.tolerance_um, params.smallest_um2)


def _class_of(record: RunRecord, params: SynthesisParams) -> DetectionClass:
    """Return the class of pathology; a difference alone is of no class that was learned."""
    if params.of == "pathology":
        return record.classes[0]
    red, green, blue = colors_of("magma")[_DIFFERENCE_COLOR].tolist()
    return DetectionClass(f"{_('Difference')} ≥ {params.threshold:g}", (red, green, blue))
