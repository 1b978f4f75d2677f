"""The areas of what a run has mapped, of whatever kind it is, and what can be set about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pathoview.annotations.feature import Feature
from pathoview.core.params import BaseParams
from pathoview.study.map_params import AttentionParams, MapParams, SynthesisParams, area_params
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks.synthesis_outlines import synthesis_regions
from pathoview.tasks.tile_outlines import tile_regions
from pathoview.tasks.vectorise import class_regions


def region_params(record: RunRecord | None) -> type[BaseParams]:
    """Return what can be set about the areas of a run."""
    return area_params("" if record is None else record.gives)


def regions(
    run_file: RunFile,
    said: Mapping[str, Any],
    classes: Collection[str] | None,
    check: Callable[[], None],
) -> Iterator[Feature]:
    """Return the areas of a run's map, tiles or pathology; nothing for a run of objects.

    ``said``: members of `region_params`. ``classes``: names of those wanted; None: all that are
    worth it. Raises `UsageError`, `StorageError` and what ``check`` raises.
    """
    gives = run_file.record.gives
    if gives == "pixel":
        return class_regions(run_file, MapParams.parse(said), classes, check)
    if gives == "bag":
        found = tile_regions(run_file, AttentionParams.parse(said))
        return (one for one in found if classes is None or _class_name(one) in classes)
    if gives == "synthesis":
        found = synthesis_regions(run_file, SynthesisParams.parse(said), check)
        return (one for one in found if classes is None or _class_name(one) in classes)
    return iter(())


def _class_name(feature: Feature) -> str:
    return "" if feature.classification is None else feature.classification.name
