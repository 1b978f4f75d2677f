"""Analyze a slide: tissue → tiles → instances → outlines, written tile by tile to a run's file.

Readers, computers and one finishing thread work side by side (`jobs.pipeline`). A tile on disk is
finished: a run that was stopped, in whatever way, goes on from its finished tiles and ends with the
same objects and ids as one that never stopped.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from pathoview.annotations.detections import Detections
from pathoview.core.errors import Cancelled, SlideError, StorageError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.registry import load_entry
from pathoview.core.translation import _, ngettext
from pathoview.jobs.pipeline import run_pipeline
from pathoview.methods.registry import DEFAULT_METHOD, METHODS
from pathoview.methods.spec import Found
from pathoview.slides.reading import AnalysisGrid, analysis_grid
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask, tissue_mask
from pathoview.study.records import RunRecord, now
from pathoview.study.results import RunFile, find_unfinished, new_run_path
from pathoview.tasks.method_building import BuiltMethod, build_method
from pathoview.tasks.object_ids import id_namespace, object_ids
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.provenance import device_name, versions
from pathoview.tasks.seams import find_duplicates
from pathoview.tasks.stopwatch import Stopwatch
from pathoview.tasks.tile_plan import Tile, TilePlan
from pathoview.tasks.tile_work import Patch, TileWork

_MOST_COMPUTERS = 8
"""Each needs memory for a tile; more would not fit into 2 GiB together."""
_MOST_UNREADABLE = 8
"""Tiles that may fail to be read before the slide is given up."""

_logger = logging.getLogger(__name__)


class AnalyzeRequest(BaseModel):
    """What to analyze and how; sizes and rectangles in level-0 px unless they say otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slide: str
    method: str = ""
    """Empty: that of the model, or the default one."""
    model: str = ""
    """A model file, or the name of one in the library; empty: the method's own, if it has one."""
    numerics: str = "float32"
    params: dict[str, Any] = {}
    region_l0: tuple[int, int, int, int] | None = None
    """x, y, width, height; None: the whole slide."""
    mpp: float | None = None
    """µm per level-0 px, where the person knows better than the file."""
    resume: bool = False
    """Go on with an unfinished run of the same slide, method, parameters and region."""
    tile_px: int | None = None
    """Side of a tile's core at the analysis resolution; None: as the method likes it."""
    n_computers: int | None = None
    """Threads that compute; None: as many as help."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Analyze a slide; see `AnalyzeRequest`.

    Raises `MissingScaleError` without a scale, `UsageError` for a wrong method, parameter or
    region, `SlideError` when the slide cannot be read, `Cancelled` when asked to stop. Finished
    tiles are kept whatever happens.
    """
    order = AnalyzeRequest.model_validate(request)
    built = build_method(order.method, order.params, order.model, order.numerics)
    progress.report(0.0, _("Opening the slide"))
    with open_scaled(Path(order.slide), order.mpp) as slide:
        grid = analysis_grid(slide, built.mpp)
        region = _region(order.region_l0, slide)
        progress.report(0.0, _("Looking for tissue"))
        tissue = tissue_mask(slide)
        progress.check()
        with _open_run(order, built, slide, grid, progress) as run_file:
            work = TileWork(slide, built, grid, tissue, run_file.record.context)
            analysis = _Analysis(built, slide, grid, work, run_file, tissue, region, progress)
            return analysis.run(order.n_computers or _useful_computers(run_file.record.device))


def warm_up() -> None:
    """Import what the default method needs, so that the first analysis starts at once."""
    load_entry(METHODS.get(DEFAULT_METHOD).entry)


def _useful_computers(device: str) -> int:
    """Return how many threads compute: as many as there are processors, one for a GPU."""
    return _n_cores() if device == "cpu" else 1


def _n_cores() -> int:
    """Return how many processors this process may use, but not more than memory allows."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(usable or 1, _MOST_COMPUTERS))


def _region(region_l0: tuple[int, int, int, int] | None, slide: Slide) -> Rect | None:
    if region_l0 is None:
        return None
    inside = Rect(*region_l0).intersection(Rect(0, 0, slide.info.width, slide.info.height))
    if inside.is_empty:
        raise UsageError(
            _("The region lies outside of the slide."),
            _("The slide is {width} × {height} px.").format(
                width=slide.info.width, height=slide.info.height
            ),
        )
    return inside


@contextlib.contextmanager
def _open_run(
    order: AnalyzeRequest,
    built: BuiltMethod,
    slide: Slide,
    grid: AnalysisGrid,
    progress: Progress,
) -> Iterator[RunFile]:
    """Open the unfinished run to go on with, or make a new one."""
    spec = built.spec
    key = built.run_key(slide.content_hash, order.region_l0, grid.mpp)
    unfinished = find_unfinished(key) if order.resume else None
    if unfinished:
        with RunFile.open(unfinished, writable=True) as run_file:
            if order.tile_px in (None, run_file.record.tile_px):
                yield run_file
                return
    progress.report(0.0, _("Measuring the slide"))
    record = RunRecord(
        key=key,
        method=spec.name,
        method_version=spec.version,
        title=built.card.title if built.card else spec.title,
        params=built.params.model_dump(mode="json"),
        model=built.model_id,
        model_title=built.card.title if built.card else "",
        numerics=order.numerics if spec.uses_torch else "",
        context=dict(built.method.prepare(slide, grid.mpp)),
        slide_hash=slide.content_hash,
        pseudonym=slide.pseudonym,
        region_l0=order.region_l0,
        mpp=grid.mpp,
        slide_mpp=slide.info.mpp,
        slide_mpp_source=slide.scale_source,
        bounds_offset_l0=slide.info.bounds_offset_l0,
        tile_px=order.tile_px or spec.patch_px,
        device=device_name(spec),
        versions=versions(with_torch=spec.uses_torch),
    )
    with RunFile.create(new_run_path(record), record) as run_file:
        yield run_file


class _Analysis:
    """One run while it computes."""

    def __init__(
        self,
        built: BuiltMethod,
        slide: Slide,
        grid: AnalysisGrid,
        work: TileWork,
        run_file: RunFile,
        tissue: TissueMask,
        region_l0: Rect | None,
        progress: Progress,
    ) -> None:
        record = run_file.record
        self._slide = slide
        self._grid = grid
        self._work = work
        self._file = run_file
        self._tissue = tissue
        self._region_l0 = region_l0
        self._progress = progress
        self._before = record
        """As an earlier attempt left it."""
        # Without the region: a nucleus has one id, whichever regions it was found in.
        self._namespace = id_namespace(
            slide.content_hash, built.run_key(slide.content_hash, None, grid.mpp)
        )
        self._plan = TilePlan(grid, record.tile_px, tissue, region_l0, run_file.finished_tiles())
        self._n_tiles = len(self._plan.tiles)
        self._n_done = self._n_tiles - self._plan.n_pending
        self._n_objects = record.n_objects
        self._n_pixels = 0
        self._unreadable: list[SlideError] = []
        self._watch = Stopwatch(progress.check)
        self._writing = threading.Lock()

    def run(self, n_computers: int) -> dict[str, Any]:
        """Do the tiles that are left, settle the seams, and return what came out."""
        with self._state_kept():
            self._file.update_record(state="running", finished="")
            self._progress.event(
                "started",
                {
                    "run_file": str(self._file.path),
                    "n_tiles": self._n_tiles,
                    "n_done": self._n_done,
                },
            )
            self._report()
            run_pipeline(
                lambda: self._plan.next(self._progress.focus_l0),
                self._read,
                self._compute,
                self._finish,
                n_readers=1 if n_computers <= 2 else 2,
                n_computers=n_computers,
                n_finishers=max(1, _n_cores() // 2),
                queue_size=n_computers,
                check=self._watch.check,
            )
            if self._unreadable:
                raise self._cannot_be_read()
            n_objects = self._settle_seams()
            record = self._file.update_record(
                state="done",
                finished=now(),
                n_objects=n_objects,
                area_mm2=self._tissue.area_mm2(self._slide.mpp, self._region_l0),
                seconds=self._before.seconds + self._watch.seconds,
            )
        return {
            "run_file": str(self._file.path),
            "n_objects": record.n_objects,
            "area_mm2": record.area_mm2,
            "seconds": record.seconds,
            "megapixels": self._n_pixels / 1e6,
            "mp_per_s": self._speed(),
            "state": record.state,
        }

    @contextlib.contextmanager
    def _state_kept(self) -> Iterator[None]:
        """Write into the record how the run ended when it does not end well."""
        try:
            yield
        except BaseException as error:
            is_wish = isinstance(error, Cancelled | KeyboardInterrupt)
            with contextlib.suppress(StorageError):  # a full disk: the first error is told
                self._file.update_record(
                    state="cancelled" if is_wish else "failed",
                    finished=now(),
                    n_objects=self._n_objects,
                    seconds=self._before.seconds + self._watch.seconds,
                )
            raise

    def _read(self, tile: Tile) -> Patch | None:
        """Return a tile with its halo, cut at the slide's edge; None when it cannot be read."""
        try:
            return self._work.read(tile)
        except SlideError:
            _logger.warning("a tile could not be read; trying once more")
        try:
            return self._work.read(tile)
        except SlideError as error:
            self._unreadable.append(error)
            if len(self._unreadable) >= _MOST_UNREADABLE:
                raise self._cannot_be_read() from error
            return None

    def _compute(self, tile: Tile, patch: Patch | None) -> tuple[Patch, Found] | None:
        if patch is None:
            return None
        return patch, self._work.compute(patch)

    def _finish(self, tile: Tile, computed: tuple[Patch, Found] | None) -> None:
        if computed is None:
            return
        detections = self._own(self._work.outline(tile, *computed))
        with self._writing:
            self._store(tile, detections)

    def _store(self, tile: Tile, detections: Detections) -> None:
        self._file.add_tile(tile.col, tile.row, detections)
        self._n_done += 1
        self._n_objects += len(detections)
        self._n_pixels += tile.width * tile.height
        core = tile.core_l0(self._grid.scale_l0)
        self._progress.event(
            "tile",
            {
                "col": tile.col,
                "row": tile.row,
                "rect_l0": [core.x, core.y, core.width, core.height],
                "n": len(detections),
            },
        )
        self._report()

    def _own(self, found: Detections) -> Detections:
        """Return the objects inside the region, with their ids."""
        centers = found.centroids_l0()
        if self._region_l0:
            inside = _inside(self._region_l0, centers)
            found, centers = found.take(inside), centers[inside]
        return replace(found, ids=object_ids(self._namespace, centers))

    def _settle_seams(self) -> int:
        """Drop what two tiles both claimed; return how many objects there are."""
        self._progress.report(1.0, _("Comparing neighbouring tiles"))
        scale = self._grid.scale_l0
        seams = find_duplicates(
            {(tile.col, tile.row): tile.core_l0(scale) for tile in self._plan.tiles},
            self._file.tile,
            sight_l0=self._work.sight_l0,
            check=self._watch.check,
        )
        self._file.drop(seams.ids)
        ids = [one.tobytes().hex() for one in seams.ids]
        self._progress.event("finalised", {"dropped": len(ids), "ids": ids})
        return seams.n_kept

    def _report(self) -> None:
        self._progress.report(
            self._n_done / self._n_tiles if self._n_tiles else 1.0,
            _("Analyzing"),
            mp_per_s=self._speed(),
            objects=self._n_objects,
            tiles=self._n_done,
        )

    def _speed(self) -> float:
        """Return the megapixels a second so far, at the analysis resolution."""
        return self._n_pixels / 1e6 / max(self._watch.seconds, 1e-6)

    def _cannot_be_read(self) -> SlideError:
        n = len(self._unreadable)
        sentence = ngettext(
            "{n} tile of the slide could not be read: {why}",
            "{n} tiles of the slide could not be read: {why}",
            n,
        )
        return SlideError(
            sentence.format(n=n, why=self._unreadable[0]),
            _("Finished tiles are kept. Check the file and its disk, then resume the run."),
        )


def _inside(rect: Rect, points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    x, y = points.T
    return np.asarray(
        (x >= rect.x) & (x < rect.right) & (y >= rect.y) & (y < rect.bottom), np.bool_
    )
