"""One analysis while it computes, whatever kind of method it is: tiles, pipeline, record.

Readers, computers and finishing threads work side by side (`jobs.pipeline`). A tile on disk is
finished: a run that was stopped, in whatever way, goes on from its finished tiles and ends as one
that never stopped.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pathoview.core.geometry import Rect
from pathoview.core.machine import usable_cores
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.jobs.pipeline import run_pipeline
from pathoview.slides.reading import AnalysisGrid
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask
from pathoview.study.records import moment
from pathoview.study.results import RunFile
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.run_course import under_way
from pathoview.tasks.stopwatch import Stopwatch
from pathoview.tasks.tile_plan import Tile, TilePlan
from pathoview.tasks.tile_work import Patch, TileWork
from pathoview.tasks.unreadable import PatientReader

_MOST_COMPUTERS = 8
"""Each needs memory for a tile; more would not fit into 2 GiB together."""

Computed = TypeVar("Computed")


@dataclass(frozen=True, slots=True)
class Setting:
    """What an analysis works on."""

    built: BuiltMethod
    slide: Slide
    grid: AnalysisGrid
    tissue: TissueMask
    region_l0: Rect | None
    """None: the whole slide."""
    run_file: RunFile


class Analysis(ABC, Generic[Computed]):
    """The tiles of one run; a kind of method says what is computed and kept of each."""

    def __init__(
        self,
        setting: Setting,
        work: TileWork,
        finished: set[tuple[int, int]],
        progress: Progress,
    ) -> None:
        """``finished``: (column, row) of the tiles that the file has already."""
        self._setting = setting
        self._work = work
        self._file = setting.run_file
        self._progress = progress
        self._before = self._file.record
        """As an earlier attempt left it."""
        self._plan = TilePlan(
            setting.grid, self._before.tile_px, setting.tissue, setting.region_l0, finished
        )
        self._n_tiles = len(self._plan.tiles)
        self._n_done = self._n_tiles - self._plan.n_pending
        self._n_objects = self._before.n_objects
        self._n_pixels = 0
        self._reader = PatientReader[Tile, Patch](work.read)
        self._watch = Stopwatch(progress.check)
        self._writing = threading.Lock()

    # -- what a kind of method says --------------------------------------------------------------

    @abstractmethod
    def _compute(self, patch: Patch) -> Computed:
        """Return what the method says of a patch with its halo."""

    @abstractmethod
    def _finish(self, tile: Tile, patch: Patch, computed: Computed) -> None:
        """Keep what is the tile's own, and call `_store`."""

    @abstractmethod
    def _end(self) -> Mapping[str, Any]:
        """Do what can only be done when all tiles are there; return members of the record."""

    # -- the same for all ------------------------------------------------------------------------

    def run(self, n_computers: int) -> dict[str, Any]:
        """Do the tiles that are left, and return what came out."""
        with under_way(
            self._file,
            self._progress,
            n_tiles=self._n_tiles,
            n_done=self._n_done,
            reached=self._reached,
        ):
            self._report()
            run_pipeline(
                lambda: self._plan.next(self._progress.focus_l0),
                self._reader.read,
                self._computed,
                self._finished,
                n_readers=1 if n_computers <= 2 else 2,
                n_computers=n_computers,
                n_finishers=max(1, useful_computers("cpu") // 2),
                queue_size=n_computers,
                check=self._watch.check,
            )
            self._reader.check()
            ended = self._end()
            setting = self._setting
            record = self._file.update_record(
                state="done",
                finished=moment(),
                area_mm2=setting.tissue.area_mm2(setting.slide.mpp, setting.region_l0),
                **{**self._reached(), **ended},
            )
        return {
            "run_file": str(self._file.path),
            "gives": record.gives,
            "n_objects": record.n_objects,
            "area_mm2": record.area_mm2,
            "pathology_mm2": record.pathology_mm2,
            "seconds": record.seconds,
            "megapixels": self._n_pixels / 1e6,
            "mp_per_s": self._speed(),
            "state": record.state,
        }

    def _reached(self) -> Mapping[str, Any]:
        """Return the members of the record that tell how far the run has come."""
        seconds = self._before.seconds + self._watch.seconds
        return {"n_objects": self._n_objects, "seconds": seconds}

    def _computed(self, tile: Tile, patch: Patch | None) -> tuple[Patch, Computed] | None:
        return None if patch is None else (patch, self._compute(patch))

    def _finished(self, tile: Tile, computed: tuple[Patch, Computed] | None) -> None:
        if computed is not None:
            self._finish(tile, *computed)

    def _store(self, tile: Tile, store: Callable[[], None], n_objects: int = 0) -> None:
        """Have a tile stored, one at a time, and tell of it."""
        with self._writing:
            store()
            self._n_done += 1
            self._n_objects += n_objects
            self._n_pixels += tile.width * tile.height
            core = tile.core_l0(self._setting.grid.scale_l0)
            self._progress.event(
                "tile",
                {
                    "col": tile.col,
                    "row": tile.row,
                    "rect_l0": [core.x, core.y, core.width, core.height],
                    "n": n_objects,
                },
            )
            self._report()

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


def useful_computers(device: str) -> int:
    """Return how many threads compute: as many as cores and memory allow, one for a GPU."""
    return min(usable_cores(), _MOST_COMPUTERS) if device == "cpu" else 1
