"""Read a GeoJSON file into a result of its own for a slide, shown like an analysis."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from pathoview import __version__
from pathoview.annotations.detections import Detections
from pathoview.annotations.geojson_reader import Batch, read_geojson, warning_sentences
from pathoview.core.errors import GeoJSONError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext
from pathoview.slides.slide import Slide
from pathoview.study.records import RunRecord, now, run_key
from pathoview.study.results import RunFile, new_run_path, remove_run
from pathoview.tasks.opening import open_scaled

_METHOD = "import"
_MARGIN_PX = 1.0
"""Outlines may touch the edge of the slide, and be rounded beyond it."""


class ImportRequest(BaseModel):
    """Which file belongs to which slide."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    slide: str
    mpp: float | None = None
    """µm per level-0 px, where the person knows better than the slide's file."""
    crop_to_bounds: bool = True
    """The file's origin is the corner of the vendor's bounds, as QuPath has it."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Read the file; see `ImportRequest`. Half a file is never kept.

    Raises `GeoJSONError` when the file cannot be understood, `SlideError` when the slide cannot be
    opened, `StorageError` when the result cannot be saved, `Cancelled` when asked to stop.
    """
    order = ImportRequest.model_validate(request)
    file = Path(order.file)
    with open_scaled(Path(order.slide), order.mpp) as slide:
        record = _record(file, slide)
        whole_l0 = Rect(0, 0, slide.info.width, slide.info.height).expanded(_MARGIN_PX)
    path = new_run_path(record)
    try:
        with RunFile.create(path, record) as run_file:
            offset_l0 = record.bounds_offset_l0 if order.crop_to_bounds else (0, 0)
            return _Import(run_file, offset_l0, whole_l0, progress).run(file)
    except BaseException:
        remove_run(path)
        raise


def _record(file: Path, slide: Slide) -> RunRecord:
    try:
        facts = file.stat()
    except OSError as error:
        raise GeoJSONError(_("There is no file “{name}”.").format(name=file.name)) from error
    said = {"bytes": facts.st_size, "modified_ns": facts.st_mtime_ns}
    mpp = slide.mpp if slide.info.mpp else None
    return RunRecord(
        key=run_key(slide.content_hash, _METHOD, 1, {**said, "name": file.name}, None, mpp),
        kind="import",
        method=_METHOD,
        title=file.name,
        params=said,
        slide_hash=slide.content_hash,
        pseudonym=slide.pseudonym,
        mpp=mpp,
        slide_mpp=slide.info.mpp,
        slide_mpp_source=slide.scale_source,
        bounds_offset_l0=slide.info.bounds_offset_l0,
        versions={"pathoview": __version__},
    )


class _Import:
    """One file while it is read: every batch becomes a tile of its own."""

    def __init__(
        self, run_file: RunFile, offset_l0: tuple[int, int], whole_l0: Rect, progress: Progress
    ) -> None:
        self._run_file = run_file
        self._offset_l0 = offset_l0
        self._whole_l0 = whole_l0
        self._progress = progress
        self._warnings: Counter[str] = Counter()
        self._n_detections = 0
        self._n_features = 0

    def run(self, file: Path) -> dict[str, Any]:
        """Read everything and return what came in; a thread stores what was read before."""
        started = time.perf_counter()
        self._progress.event("started", {"run_file": str(self._run_file.path)})
        with ThreadPoolExecutor(1, thread_name_prefix="store") as writer:
            stored: Future[None] | None = None
            for number, batch in enumerate(read_geojson(file)):
                if stored is not None:
                    stored.result()
                stored = writer.submit(self._add, number, batch)
                self._report(batch.fraction)
            if stored is not None:
                stored.result()
        self._run_file.update_record(
            state="done",
            finished=now(),
            n_objects=self._n_detections + self._n_features,
            seconds=time.perf_counter() - started,
        )
        return {
            "run_file": str(self._run_file.path),
            "n_objects": self._n_detections,
            "n_features": self._n_features,
            "warnings": warning_sentences(self._warnings),
        }

    def _add(self, number: int, batch: Batch) -> None:
        self._warnings.update(batch.warnings)
        features, detections = batch.features, batch.detections
        if any(self._offset_l0):
            features = tuple(feature.moved(*self._offset_l0) for feature in features)
            detections = detections.moved(*self._offset_l0)
        if features:
            n_stored = self._run_file.add_features(features)
            self._n_features += n_stored
            self._progress.event("features", {"n": n_stored})
        if not len(detections):
            return
        self._run_file.add_tile(number, 0, detections)
        self._n_detections += len(detections)
        extent = detections.extent_l0()
        self._progress.event(
            "tile",
            {
                "col": number,
                "row": 0,
                "rect_l0": [extent.x, extent.y, extent.width, extent.height],
                "n": len(detections),
            },
        )
        n_outside = self._n_outside(detections, extent)
        if n_outside:
            self._warnings[_("lies outside of the slide (is it the right one?)")] += n_outside

    def _n_outside(self, detections: Detections, extent: Rect) -> int:
        whole = self._whole_l0
        if whole.intersection(extent) == extent:
            return 0
        left, top, right, bottom = detections.boxes_l0().T
        outside = (left < whole.x) | (top < whole.y) | (right > whole.right)
        return int(np.count_nonzero(outside | (bottom > whole.bottom)))

    def _report(self, fraction: float) -> None:
        self._progress.check()
        n = self._n_detections + self._n_features
        text = ngettext("{n} object read", "{n} objects read", n).format(n=n)
        self._progress.report(fraction, text, objects=n)
