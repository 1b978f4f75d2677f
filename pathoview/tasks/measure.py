"""Write a table of all objects of a slide: what was drawn, what a run found, and all measures."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from pathoview.annotations.feature import Feature
from pathoview.annotations.objects import Objects, RunObjects, columns_of
from pathoview.annotations.table_writer import check_table_name, write_table
from pathoview.core.errors import InputError, UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.slides.slide import Slide
from pathoview.study.labelled_slides import not_looked_for
from pathoview.study.results import RunFile, find_runs
from pathoview.study.study import private_path
from pathoview.study.study_file import StudyFile
from pathoview.tasks.opening import open_scaled

NEWEST, NO_RUN = "newest", "none"
_COLUMNS_SHARE = 0.8


class MeasureRequest(BaseModel):
    """What to measure, and where to write it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slide: str
    output: str
    """Ends in ``.csv``, ``.tsv`` or ``.parquet``."""
    study: str = ""
    """Empty: the private study of the slide, if there is one."""
    run: str = NEWEST
    """``newest``, ``none``, or the beginning of a run's id."""
    columns: list[str] | None = None
    """Names of the columns; None: all of them."""
    mpp: float | None = None


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the file; see `MeasureRequest`. An older file of that name stays whole on failure.

    Raises `UsageError` for a file, a study, a run or a column that cannot be, `InputError` when
    the slide has no objects, `StorageError` when a file cannot be read or written.
    """
    order = MeasureRequest.model_validate(request)
    output = Path(order.output)
    check_table_name(output)
    with open_scaled(Path(order.slide), order.mpp) as slide, ExitStack() as stack:
        features, none = _drawn(order, slide)
        runs = _found(order, slide, stack)
        mpp, name = slide.info.mpp, slide.path.name
    objects = Objects(features, runs, mpp, not_looked_for=none)
    if not len(objects):
        raise InputError(
            _("“{name}” has neither annotations nor results.").format(name=name),
            _("Analyze it first: pathoview analyze {name}").format(name=name),
        )
    columns = columns_of(objects, _names(order, objects), progress, _COLUMNS_SHARE)
    n = write_table(output, columns, np.arange(len(objects)), progress, _COLUMNS_SHARE)
    return {"output": str(output), "n_objects": n, "n_columns": len(columns)}


def _names(order: MeasureRequest, objects: Objects) -> tuple[str, ...]:
    if order.columns is None:
        return objects.names
    unknown = [name for name in order.columns if name not in objects.names]
    if unknown:
        raise UsageError(
            _("There is no column “{name}”.").format(name=unknown[0]),
            _("There are: {names}.").format(names=", ".join(objects.names)),
        )
    return tuple(order.columns)


def _drawn(order: MeasureRequest, slide: Slide) -> tuple[list[Feature], set[str]]:
    """Return what was drawn, and the classes that mean what is not looked for."""
    path = Path(order.study) if order.study else private_path(slide.content_hash)
    if not order.study and not path.exists():
        return [], set()
    with StudyFile.open(path) as study:
        return study.features(slide.content_hash), not_looked_for(study.classes())


def _found(order: MeasureRequest, slide: Slide, stack: ExitStack) -> list[RunObjects]:
    """Return the run that is meant; none when the slide has none."""
    if order.run == NO_RUN:
        return []
    for path, record in find_runs(slide.content_hash):
        is_meant = record.state == "done" and record.has_objects
        if order.run != NEWEST:
            is_meant = _has_id(record.id, order.run)
        if is_meant:
            file = stack.enter_context(RunFile.open(path))
            return [RunObjects(record.title, path, [file.all()], list(file.features()))]
    if order.run != NEWEST:
        raise UsageError(
            _("The slide has no run “{id}”.").format(id=order.run),
            _("Say newest, none, or the id of a run."),
        )
    return []


def _has_id(run_id: str, beginning: str) -> bool:
    return run_id.startswith(beginning.replace("-", "").casefold())
