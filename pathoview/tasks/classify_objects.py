"""Tell the detected objects of a run apart: a new run with the same outlines and new classes.

The run before stays as it is, and so do all annotations. Tile by tile, as detections are stored; a
tile on disk is finished, and a run that was stopped goes on from there.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from pathoview.annotations.detections import CONFIDENCE, DetectionClass, Detections
from pathoview.core.errors import RunError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.datasets.patches import inside
from pathoview.jobs.pipeline import run_pipeline
from pathoview.methods.object_features import BLOCK_PX, PICTURE_PX, pictures, surroundings
from pathoview.methods.spec import Kind, ObjectBatch, ObjectMethod
from pathoview.slides.reading import AnalysisGrid, analysis_grid
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import tissue_mask
from pathoview.study.records import RunRecord, moment, run_key
from pathoview.study.results import RunFile, find_unfinished, new_run_path
from pathoview.tasks import analyze
from pathoview.tasks.analysis import useful_computers
from pathoview.tasks.method_building import BuiltMethod, build_method
from pathoview.tasks.object_examples import NEWEST, object_run
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.provenance import device_name, versions
from pathoview.tasks.run_course import under_way
from pathoview.tasks.stopwatch import Stopwatch

PROBABILITY = "Probability of "
"""Begins the name of the column of each class."""

_AT_ONCE = 2048
"""Objects whose pictures are in memory together."""
_DETECTION_SHARE = 0.7
"""Share of the bar that finding nuclei takes, where nobody has found them yet."""

_Place = tuple[int, int]


class ClassifyRequest(analyze.AnalyzeRequest):
    """What to classify and with which model; ``tile_px`` changes nothing."""

    run: str = NEWEST
    """The run whose objects are meant: ``newest``, or the beginning of its id."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Tell the objects of a run apart; see `ClassifyRequest`.

    Where a slide has none, the default method looks for nuclei first, which is a run of its own.
    Raises as `analyze.run` does, and `UsageError` for a run that is not there.
    """
    order = ClassifyRequest.model_validate(request)
    built = build_method(order.method, order.params, order.model, order.numerics)
    if built.spec.kind is not Kind.OBJECT or not (built.card and built.card.classes):
        raise UsageError(
            _("“{title}” does not tell objects apart.").format(title=built.spec.title),
            _("Name a model that was trained on examples of objects."),
        )
    progress.report(0.0, _("Opening the slide"))
    with open_scaled(Path(order.slide), order.mpp) as slide:
        path = object_run(slide, order.run)
        if path is None:
            path = _found(order, PartOf(progress, 0.0, _DETECTION_SHARE, tells_events=False))
            progress = PartOf(progress, _DETECTION_SHARE, 1.0)
        with RunFile.open(path) as source, _open_run(order, built, slide, source) as target:
            return _Classification(order, built, slide, source, target, progress).run()


def _found(order: ClassifyRequest, progress: Progress) -> Path:
    """Find nuclei with the default method; return its run."""
    said = {"slide": order.slide, "region_l0": order.region_l0, "mpp": order.mpp, "resume": True}
    return Path(analyze.run(said, progress)["run_file"])


@contextlib.contextmanager
def _open_run(
    order: ClassifyRequest, built: BuiltMethod, slide: Slide, source: RunFile
) -> Iterator[RunFile]:
    """Open the unfinished run to go on with, or make a new one."""
    record = _new_record(order, built, slide, source.record)
    unfinished = find_unfinished(record.key) if order.resume else None
    if unfinished:
        with RunFile.open(unfinished, writable=True) as run_file:
            yield run_file
        return
    with RunFile.create(new_run_path(record), record) as run_file:
        yield run_file


def _new_record(
    order: ClassifyRequest, built: BuiltMethod, slide: Slide, source: RunRecord
) -> RunRecord:
    """Return what is known of the new run: the slide's facts are those of the run before."""
    spec, card = built.spec, built.card
    assert card is not None
    params = built.params.model_dump(mode="json")
    key_facts = {**params, "source_run": source.id}
    grid = analysis_grid(slide, built.mpp)
    return source.model_copy(
        update={
            "id": uuid.uuid4().hex,
            "key": run_key(
                *(slide.content_hash, spec.name, spec.version, key_facts),
                *(order.region_l0, grid.mpp, card.id),
            ),
            "kind": "analysis",
            "gives": spec.kind.value,
            "method": spec.name,
            "method_version": spec.version,
            "title": card.title,
            "params": params,
            "model": card.id,
            "model_title": card.title,
            "model_path": "" if built.path is None else str(built.path),
            "numerics": built.numerics,
            "source_run": source.id,
            "region_l0": order.region_l0 or source.region_l0,
            "mpp": grid.mpp,
            "device": device_name(spec),
            "versions": versions(with_torch=spec.uses_torch),
            "started": moment(),
            "finished": "",
            "state": "running",
            "n_objects": 0,
            "n_annotations": 0,
            "seconds": 0.0,
        }
    )


class _Classification:
    """The tiles of one run while they are worked on."""

    def __init__(
        self,
        order: ClassifyRequest,
        built: BuiltMethod,
        slide: Slide,
        source: RunFile,
        target: RunFile,
        progress: Progress,
    ) -> None:
        self._method: ObjectMethod = built.method
        assert built.card is not None
        self._classes = tuple(DetectionClass(one.name, one.color) for one in built.card.classes)
        self._slide = slide
        self._grid: AnalysisGrid = analysis_grid(slide, built.mpp)
        self._source, self._target = source, target
        self._region_l0 = None if order.region_l0 is None else Rect(*order.region_l0)
        self._progress = progress
        self._n_computers = order.n_computers or useful_computers(target.record.device)
        self._before = target.record
        self._places = sorted(source.finished_tiles(), key=lambda place: place[::-1])
        self._finished = target.finished_tiles()
        self._waiting = iter([one for one in self._places if one not in self._finished])
        self._n_objects = self._before.n_objects
        self._watch = Stopwatch(progress.check)
        self._writing = threading.Lock()
        self._everything: cKDTree[Any, Any] = cKDTree(np.empty((0, 2)))
        """The middles of all objects of the run before, µm."""

    def run(self) -> dict[str, Any]:
        """Do the tiles that are left, and return what came out."""
        with under_way(
            self._target,
            self._progress,
            n_tiles=len(self._places),
            n_done=len(self._finished),
            reached=self._reached,
        ):
            self._report()
            self._everything = self._middles_um()
            run_pipeline(
                lambda: next(self._waiting, None),
                lambda place: self._source.tile(*place),
                lambda _place, table: self._classified(table),
                self._store,
                n_readers=1,
                n_computers=self._n_computers,
                queue_size=self._n_computers,
                check=self._watch.check,
            )
            record = self._target.update_record(
                state="done",
                finished=moment(),
                area_mm2=self._area_mm2(),
                **self._reached(),
            )
        return {
            "run_file": str(self._target.path),
            "gives": record.gives,
            "n_objects": record.n_objects,
            "area_mm2": record.area_mm2,
            "seconds": record.seconds,
            "state": record.state,
        }

    def _reached(self) -> Mapping[str, Any]:
        """Return the members of the record that tell how far the run has come."""
        seconds = self._before.seconds + self._watch.seconds
        return {"n_objects": self._n_objects, "seconds": seconds}

    def _middles_um(self) -> cKDTree:
        found = [np.empty((0, 2))]
        for table in self._source.tiles():
            self._watch.check()
            found.append(table.centroids_l0())
        return cKDTree(np.concatenate(found) * self._slide.mpp)

    def _classified(self, table: Detections) -> Detections:
        """Return the objects of a tile that lie in the region, with their classes."""
        middles_l0 = table.centroids_l0()
        if self._region_l0 is not None:
            is_in = inside(self._region_l0, middles_l0)
            table, middles_l0 = table.take(is_in), middles_l0[is_in]
        # Those that lie together are read together, whatever their order.
        blocks = middles_l0 // (BLOCK_PX * self._grid.scale_l0)
        order = np.lexsort(blocks.T)
        told = np.empty((len(table), len(self._classes)), np.float32)
        for start in range(0, len(table), _AT_ONCE):
            self._watch.check()
            rows = order[start : start + _AT_ONCE]
            told[rows] = self._told(table.take(rows), middles_l0[rows])
        return _with_classes(table, told, self._classes)

    def _told(
        self, table: Detections, middles_l0: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        """Return the probabilities of objects, (n, class); raise `SlideError`, `RunError`."""
        around = surroundings(middles_l0 * self._slide.mpp, self._everything)
        shown = np.zeros((len(table), PICTURE_PX, PICTURE_PX, 3), np.uint8)
        if self._method.sees_pictures:
            shown = pictures(self._slide, self._grid, middles_l0)
        found = self._method.predict(ObjectBatch({**table.measurements, **around}, shown))
        if found.shape != (len(table), len(self._classes)) or not np.isfinite(found).all():
            raise RunError(
                _("The method did not give a probability for each class and object."),
                _("The model may be damaged: train it again, or choose another one."),
            )
        return found

    def _store(self, place: _Place, table: Detections) -> None:
        with self._writing:
            self._target.add_tile(*place, table)
            self._finished.add(place)
            self._n_objects += len(table)
            around = table.extent_l0()
            rect_l0 = [around.x, around.y, around.width, around.height]
            said = {"col": place[0], "row": place[1], "rect_l0": rect_l0, "n": len(table)}
            self._progress.event("tile", said)
            self._report()

    def _report(self) -> None:
        fraction = len(self._finished) / len(self._places) if self._places else 1.0
        self._progress.report(fraction, _("Telling nuclei apart"), objects=self._n_objects)

    def _area_mm2(self) -> float:
        """Return the tissue that the objects are of: that of the run before, or of the region."""
        source = self._source.record
        if self._region_l0 is None or not source.area_mm2:
            return source.area_mm2
        region = self._region_l0
        if source.region_l0 is not None:
            region = region.intersection(Rect(*source.region_l0))
        return tissue_mask(self._slide).area_mm2(self._slide.mpp, region)


def _with_classes(
    table: Detections, told: npt.NDArray[np.float32], classes: tuple[DetectionClass, ...]
) -> Detections:
    """Return the table with new classes and their columns instead of those that it had."""
    kept = {
        name: column
        for name, column in table.measurements.items()
        if name != CONFIDENCE and not name.startswith(PROBABILITY)
    }
    new = {PROBABILITY + one.name: told[:, index] for index, one in enumerate(classes)}
    confidence = {CONFIDENCE: told.max(axis=1, initial=0.0)}
    return replace(
        table,
        class_index=told.argmax(axis=1).astype(np.int16),
        classes=classes,
        measurements={**kept, **confidence, **new},
    )
