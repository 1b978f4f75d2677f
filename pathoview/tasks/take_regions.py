"""The regions that a run has mapped on their way into a study, as annotations to be corrected."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams
from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext
from pathoview.study.records import RunRecord, moment
from pathoview.study.results import RunFile, new_run_path, remove_run
from pathoview.tasks.regions import region_params, regions

_METHOD = "regions"
_AT_ONCE = 500


class RegionsRequest(BaseModel):
    """Whose map to outline, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_file: str
    map: dict[str, Any] = {}
    """See `regions.region_params`."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write a result file with the regions as annotations that wait, as an import does.

    Raises `UsageError` for a run without a map, `StorageError`, and `Cancelled` when asked to
    stop; then nothing is left.
    """
    order = RegionsRequest.model_validate(request)
    with RunFile.open(Path(order.run_file)) as source:
        params = region_params(source.record).parse(order.map)
        record = _record(source.record, params)
        path = new_run_path(record)
        try:
            with RunFile.create(path, record) as target:
                n = _copy(source, target, params, progress)
        except BaseException:
            remove_run(path)
            raise
    return {
        "run_file": str(path),
        "n_objects": 0,
        "n_features": 0,
        "n_annotations": n,
        "warnings": [],
    }


def _copy(source: RunFile, target: RunFile, params: BaseParams, progress: Progress) -> int:
    found = regions(source, params.model_dump(), None, progress.check)
    n = 0
    while part := tuple(islice(found, _AT_ONCE)):
        target.add_annotations(part)
        n += len(part)
        # How many are to come is not known: the bar nears its end ever slower.
        text = ngettext("{n} region outlined", "{n} regions outlined", n).format(n=n)
        progress.report(n / (n + _AT_ONCE), text)
    target.update_record(state="done", finished=moment(), n_objects=n, n_annotations=n)
    return n


def _record(of: RunRecord, params: BaseParams) -> RunRecord:
    if of.has_objects:
        raise UsageError(
            _("“{title}” has found objects and made no map.").format(title=of.title),
            _("Copy its objects one by one."),
        )
    return RunRecord(
        key=of.key,
        kind="import",
        method=_METHOD,
        title=of.title,
        params=params.model_dump(mode="json"),
        slide_hash=of.slide_hash,
        pseudonym=of.pseudonym,
        mpp=of.mpp,
        slide_mpp=of.slide_mpp,
        slide_mpp_source=of.slide_mpp_source,
        bounds_offset_l0=of.bounds_offset_l0,
        versions=of.versions,
    )
