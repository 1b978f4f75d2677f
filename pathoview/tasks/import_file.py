"""Read an annotation file of any kind into a result of its own for a slide.

What is drawn for people to edit waits there to be taken into a study; everything else is shown
like the objects of an analysis.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from pathoview import __version__
from pathoview.annotations.detections import Detections, empty_detections
from pathoview.annotations.dialects import formats, geojson
from pathoview.annotations.dialects.formats import Dialect, DialectOptions, SlideFrame
from pathoview.annotations.dialects.import_params import ImportParams
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_reader import Batch, read_geojson, warning_sentences
from pathoview.core.errors import AnnotationFileError, GeoJSONError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext
from pathoview.slides.slide import Slide
from pathoview.study.records import RunRecord, moment, run_key
from pathoview.study.results import RunFile, new_run_path, remove_run
from pathoview.tasks.opening import open_scaled, slide_frame

_METHOD = "import"
_MARGIN_PX = 1.0
"""Outlines may touch the edge of the slide, and be rounded beyond it."""
_FEATURES_AT_ONCE = 2000


class ImportRequest(BaseModel):
    """Which file belongs to which slide."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    slide: str
    mpp: float | None = None
    """µm per level-0 px, where the person knows better than the slide's file."""
    format: str = ""
    """Name of a dialect; empty: as the file's content says."""
    options: dict[str, Any] = {}
    """See `ImportParams`."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Read the file; see `ImportRequest`. Half a file is never kept.

    Raises `AnnotationFileError` or `GeoJSONError` when the file cannot be understood or placed,
    `SlideError` when the slide cannot be opened, `StorageError` when the result cannot be saved,
    `Cancelled` when asked to stop.
    """
    order = ImportRequest.model_validate(request)
    file = Path(order.file)
    options = ImportParams.parse(order.options).dialect_options()
    dialect = formats.dialect_named(order.format) if order.format else formats.recognise(file)
    with open_scaled(Path(order.slide), order.mpp) as slide:
        record = _record(file, slide, order)
        frame = slide_frame(slide)
    batches = _batches(file, frame, dialect, options)
    path = new_run_path(record)
    try:
        with RunFile.create(path, record) as run_file:
            result = _Import(run_file, frame, progress).run(batches)
    except BaseException:
        remove_run(path)
        raise
    return {**result, "format": dialect.name if dialect else ""}


def _record(file: Path, slide: Slide, order: ImportRequest) -> RunRecord:
    try:
        facts = file.stat()
    except OSError as error:
        raise AnnotationFileError(_("There is no file “{name}”.").format(name=file.name)) from error
    said = {"bytes": facts.st_size, "modified_ns": facts.st_mtime_ns, **order.options}
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


def _batches(
    file: Path, frame: SlideFrame, dialect: Dialect | None, options: DialectOptions
) -> Iterator[Batch]:
    """Yield what is in a file, in the frame of the slide; GeoJSON with its plain detections."""
    if dialect is not None and dialect.name == geojson.NAME:
        offset_l0 = frame.bounds_offset_l0 if options.crop_to_bounds else (0, 0)
        yield from (_placed(batch, offset_l0) for batch in read_geojson(file))
        return
    warnings: Counter[str] = Counter()

    def note(text: str) -> None:
        warnings[text] += 1

    features = formats.read(file, frame, dialect=dialect, options=options, note=note)
    n_read = 0
    while part := tuple(islice(features, _FEATURES_AT_ONCE)):
        n_read += len(part)
        said = dict(warnings)
        warnings.clear()
        # These files do not tell how many objects are to come: the bar nears its end ever slower.
        yield Batch(empty_detections(), part, n_read / (n_read + _FEATURES_AT_ONCE), said)
    if warnings and not n_read:
        raise GeoJSONError(
            _("“{name}” holds no object that can be used.").format(name=file.name),
            " ".join(warning_sentences(warnings)),
        )
    yield Batch(empty_detections(), (), 1.0, dict(warnings))


def _placed(batch: Batch, offset_l0: tuple[int, int]) -> Batch:
    warnings = Counter(batch.warnings)

    def note(text: str) -> None:
        warnings[text] += 1

    valid = (geojson.valid_feature(feature, note) for feature in batch.features)
    features = tuple(_moved(one, offset_l0) for one in valid if one is not None)
    detections = batch.detections.moved(*offset_l0) if any(offset_l0) else batch.detections
    return Batch(detections, features, batch.fraction, warnings)


def _moved(feature: Feature, offset_l0: tuple[int, int]) -> Feature:
    return feature.moved(*offset_l0) if any(offset_l0) else feature


@dataclass(slots=True)
class _Counts:
    detections: int = 0
    features: int = 0
    annotations: int = 0
    warnings: Counter[str] = field(default_factory=Counter)

    @property
    def all(self) -> int:
        return self.detections + self.features + self.annotations


class _Import:
    """One file while it is read: every batch becomes a tile of its own."""

    def __init__(self, run_file: RunFile, frame: SlideFrame, progress: Progress) -> None:
        self._run_file = run_file
        self._whole_l0 = Rect(0, 0, frame.width_l0, frame.height_l0).expanded(_MARGIN_PX)
        self._progress = progress
        self._counts = _Counts()
        self._is_told = False

    def run(self, batches: Iterator[Batch]) -> dict[str, Any]:
        """Read everything and return what came in; a thread stores what was read before."""
        started = time.perf_counter()
        with ThreadPoolExecutor(1, thread_name_prefix="store") as writer:
            stored: Future[None] | None = None
            for number, batch in enumerate(batches):
                if stored is not None:
                    stored.result()
                stored = writer.submit(self._add, number, batch)
                self._report(batch.fraction)
            if stored is not None:
                stored.result()
        counts = self._counts
        self._run_file.update_record(
            state="done",
            finished=moment(),
            n_objects=counts.all,
            n_annotations=counts.annotations,
            seconds=time.perf_counter() - started,
        )
        return {
            "run_file": str(self._run_file.path),
            "n_objects": counts.detections,
            "n_features": counts.features,
            "n_annotations": counts.annotations,
            "warnings": warning_sentences(counts.warnings),
        }

    def _add(self, number: int, batch: Batch) -> None:
        self._counts.warnings.update(batch.warnings)
        drawn = [
            replace(one, origin=one.origin or geojson.NAME)
            for one in batch.features
            if one.object_type == "annotation"
        ]
        if drawn:
            self._run_file.add_annotations(drawn)
            self._counts.annotations += len(drawn)
        others = [one for one in batch.features if one.object_type != "annotation"]
        if others:
            self._tell_started()
            n_stored = self._run_file.add_features(others)
            self._counts.features += n_stored
            self._progress.event("features", {"n": n_stored})
        self._note_outside(np.array([one.geometry.bounds for one in batch.features]))
        if len(batch.detections):
            self._tell_started()
            self._add_tile(number, batch.detections)

    def _tell_started(self) -> None:
        """Have the run shown; one of nothing but annotations is not, for it will be gone soon."""
        if not self._is_told:
            self._is_told = True
            self._progress.event("started", {"run_file": str(self._run_file.path)})

    def _add_tile(self, number: int, detections: Detections) -> None:
        self._run_file.add_tile(number, 0, detections)
        self._counts.detections += len(detections)
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
        if self._whole_l0.intersection(extent) != extent:
            self._note_outside(detections.boxes_l0())

    def _note_outside(self, boxes_l0: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """Count the boxes, (n, 4), that are not wholly on the slide."""
        if not len(boxes_l0):
            return
        whole = self._whole_l0
        left, top, right, bottom = boxes_l0.T
        outside = (left < whole.x) | (top < whole.y) | (right > whole.right)
        n_outside = int(np.count_nonzero(outside | (bottom > whole.bottom)))
        if n_outside:
            text = _("lies outside of the slide (is it the right one?)")
            self._counts.warnings[text] += n_outside

    def _report(self, fraction: float) -> None:
        self._progress.check()
        n = self._counts.all
        text = ngettext("{n} object read", "{n} objects read", n).format(n=n)
        self._progress.report(fraction, text, objects=n)
