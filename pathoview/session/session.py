"""The open application without a window: what a window, a script or a test talks to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from psygnal import Signal

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import PathoViewError
from pathoview.core.geometry import Rect
from pathoview.core.machine import usable_cores
from pathoview.core.params import FormRow, form_rows
from pathoview.core.pyramid import Plane
from pathoview.core.translation import _
from pathoview.core.undo import History
from pathoview.jobs.runner import Job, JobRunner
from pathoview.layers.cache import TileCache
from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.slide_source import SlideSource
from pathoview.methods.registry import ready_methods
from pathoview.methods.spec import MethodSpec
from pathoview.session.analysis_desk import AnalysisDesk
from pathoview.session.annotation_desk import AnnotationDesk
from pathoview.session.annotation_operations import AnnotationOperations
from pathoview.session.class_desk import ClassDesk
from pathoview.session.evaluate_desk import EvaluateDesk
from pathoview.session.exchange_desk import ExchangeDesk
from pathoview.session.layer_desk import LayerDesk
from pathoview.session.leak_desk import LeakDesk
from pathoview.session.model_desk import ModelDesk
from pathoview.session.notices import from_error
from pathoview.session.opener import SlideOpener
from pathoview.session.overlay import Overlay
from pathoview.session.places import Places
from pathoview.session.preview_run import PreviewRun
from pathoview.session.review_desk import ReviewDesk
from pathoview.session.run_desk import RunDesk
from pathoview.session.runs import RunView
from pathoview.session.selection import Selection, choose_detection, detection_at
from pathoview.session.settings import Settings, load_settings
from pathoview.session.shelf import RunShelf
from pathoview.session.slide_desk import SlideDesk
from pathoview.session.slide_search import is_project
from pathoview.session.study_desk import StudyDesk
from pathoview.session.study_files import SUFFIX, StudyFiles
from pathoview.session.teach_desk import TeachDesk
from pathoview.session.tile_troubles import TileTroubles
from pathoview.session.toolbox import Tool, Toolbox
from pathoview.session.tools.kit import ToolKit
from pathoview.session.view import View
from pathoview.session.viewport import Viewport
from pathoview.session.views import Views
from pathoview.slides.opening import with_scale
from pathoview.slides.slide import Slide
from pathoview.study.scales import remember_scale

_logger = logging.getLogger(__name__)

Where = Literal["slide", "viewport"]
_MOST_TILE_THREADS = 4


class Session:
    """One slide, its layers and runs, where one looks, and what can be taken back.

    All methods are called on one thread (the window's); slow work goes to the scheduler's threads
    or to jobs, and comes back through ``post``. All signals are emitted on that thread.
    """

    slide_changed = Signal()
    """Another slide is open, or none, or the same one with another scale or plane."""
    opening_changed = Signal()
    """`is_opening`: a slide is being opened, or that has come to an end."""
    layers_changed = Signal()
    """The list of layers, or one's name, visibility or opacity."""
    active_layer_changed = Signal()
    viewport_changed = Signal()
    runs_changed = Signal()
    """`runs`, `results`, or the statistics of one of them; often while a run goes on."""
    selection_changed = Signal()
    """`selection` or `region_l0`."""
    cursor_changed = Signal()
    tool_changed = Signal()
    job_changed = Signal(object)
    """(Job)"""
    notice = Signal(object)
    """(Notice)"""
    scale_needed = Signal(object)
    """(Slide): nobody said its µm per px; ask, then call `set_scale`."""
    command_requested = Signal(str)
    """(id of a command that only a window can do)"""

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        settings: Settings | None = None,
        runner: JobRunner | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        n_threads = min(_MOST_TILE_THREADS, max(2, usable_cores()))
        self.memory = ByteCache(self.settings.cache_bytes)
        """Holds the tiles of all layers and slides; see `set_memory`."""
        self.scheduler = TileScheduler(TileCache(self.memory), post, n_threads)
        self.slide: Slide | None = None
        self.layers = LayerList()
        self.overlay = Overlay(self.layers, self.settings)
        self.history = History()
        self.selection: Selection | None = None
        self.region_l0: Rect | None = None
        """The rectangle drawn with the tool, to be analyzed."""
        shelf = RunShelf(self.layers, self.scheduler, self.overlay)
        self._desk = RunDesk(shelf, self.scheduler, self.history, runner or JobRunner(post))
        self._analyses = AnalysisDesk(self.settings, self._desk)
        self.layer_desk = LayerDesk(
            *(self.layers, self.scheduler, self.history, self.memory),
            self._desk.remove_by_layer,
        )
        # Views come after the desk: when a layer goes, it chooses another one first.
        self.views = Views(partial(View, self.layers, self.scheduler, post))
        self.studies = StudyDesk(self.scheduler, self.history, self.settings, post)
        self.annotations = AnnotationDesk(self.studies, self.layers, self.scheduler, self.overlay)
        self.classes = ClassDesk(self.studies, self.annotations)
        self.toolbox = Toolbox(self.layers, self.layer_desk.place, ToolKit(self))
        self.cursor_l0: tuple[float, float] | None = None
        """Where the mouse is, level-0 px; None: not on the slide."""
        self._opener = SlideOpener(self.scheduler, self.memory)
        self.places = Places(self)
        self.operations = AnnotationOperations(self)
        self.slides = SlideDesk(self)
        self.study_files = StudyFiles(self)
        self.exchange = ExchangeDesk(self, self._desk)
        self.teaching = TeachDesk(self, self._desk, PreviewRun(shelf, self.layers, self.scheduler))
        self.leaks, self.evaluation = LeakDesk(self, self._desk), EvaluateDesk(self, self._desk)
        self.models = ModelDesk(self, self._desk)
        self.review = ReviewDesk(self, self._desk, self.places.keeper)
        self._troubles = TileTroubles(self.scheduler, self.notice.emit)
        self._relay()

    def _relay(self) -> None:
        self.layers.changed.connect(self.layers_changed)
        self.layer_desk.active_changed.connect(self.active_layer_changed)
        self.views.viewport_changed.connect(self.viewport_changed)
        self._opener.changed.connect(self.opening_changed)
        self._opener.opened.connect(self._on_opened)
        self._opener.failed.connect(self._on_open_failed)
        self._desk.changed.connect(self._on_runs_changed)
        self._desk.job_changed.connect(self.job_changed)
        for desk in (self._desk, self._analyses, self.layer_desk, self.studies):
            desk.notice.connect(self.notice)
        self.toolbox.changed.connect(self.tool_changed)
        self.toolbox.alignment.failed.connect(self._on_error)
        self.annotations.selection_changed.connect(self.selection_changed)
        self._analyses.scale_needed.connect(self.scale_needed)

    # -- the slide -------------------------------------------------------------------------------

    @property
    def viewport(self) -> Viewport:
        """Where one looks, on the canvas that keys and commands work on."""
        return self.views.active.viewport

    @property
    def plane(self) -> Plane:
        """Which plane of a stack is shown; set it by `set_plane`."""
        return self.views.plane

    @property
    def path(self) -> Path | None:
        """Where the open slide lies."""
        return self.slide.path if self.slide else None

    @property
    def is_opening(self) -> bool:
        return self._opener.is_opening

    def open(self, path: Path | str) -> None:
        """Open a slide, a study or a QuPath project; `slide_changed` or a notice follows."""
        if Path(path).suffix.lower() == SUFFIX:
            self.study_files.open(Path(path))
        elif is_project(Path(path)):
            self.slides.search.add([Path(path)])
        else:
            self._opener.open(Path(path))

    def _on_open_failed(self, error: BaseException) -> None:
        self._on_error(error, (_("Open another slide"), "file.open"))

    def _on_opened(self, slide: Slide) -> None:
        self._clear()
        self.slide = slide
        source = SlideSource(slide, correct_colors=self.settings.correct_colors, memory=self.memory)
        self.layers.add(Layer(_("Slide"), source))
        self.layer_desk.set_slide(slide)
        self.scheduler.add(source, self.plane)
        self.views.set_slide(slide.info.width, slide.info.height)
        self.settings.add_recent(slide.path)
        _logger.info("opened %s with %s", slide.pseudonym, slide.info.reader)
        self.slide_changed.emit()
        if slide.info.mpp is None and not slide.is_series:
            self.scale_needed.emit(slide)
        self._desk.set_slide(slide)
        self._set_slide(slide)

    def _set_slide(self, slide: Slide | None) -> None:
        self.annotations.set_slide(slide)
        self.studies.set_slide(slide)

    def close_slide(self) -> None:
        self._opener.cancel()
        self._clear()
        self.slide_changed.emit()

    def _clear(self) -> None:
        self.history.clear()
        self.clear_selection()
        self.set_region(None)
        self.set_tool("move")
        self._desk.set_slide(None)
        self._set_slide(None)
        for layer in self.layers:
            self.layers.remove(layer)
            self.scheduler.remove(layer.source)
        self.layer_desk.set_slide(None)
        self.views.forget()
        self._troubles.clear()
        if self.slide is not None:
            self.slide.close()
            self.slide = None

    def set_scale(self, mpp: float) -> None:
        """State the µm per level-0 px of the open slide; it is remembered."""
        if self.slide is None:
            return
        try:
            with_scale(self.slide, mpp)
            remember_scale(self.slide.content_hash, (mpp, mpp))
        except PathoViewError as error:
            self._on_error(error)
        self.slide_changed.emit()

    def set_plane(self, plane: Plane) -> None:
        """Look at another plane of a stack, or at one channel."""
        if plane != self.plane and self.slide is not None:
            self.views.plane = plane
            self.scheduler.add(self.layers[0].source, plane)
            self.slide_changed.emit()

    def set_memory(self, n_bytes: int) -> None:
        """Let all caches together hold so many bytes from now on."""
        self.settings.cache_bytes = self.memory.max_bytes = n_bytes

    @property
    def active_layer(self) -> Layer | None:
        """The layer that is chosen in the list; `layer_desk` chooses and changes layers."""
        return self.layer_desk.active

    # -- runs ------------------------------------------------------------------------------------

    @property
    def runs(self) -> Sequence[RunView]:
        """Those shown, oldest first."""
        return self._desk.runs

    @property
    def results(self) -> RunView | None:
        """The run shown last, no preview: the one the results panel tells about."""
        return next((one for one in reversed(self.runs) if one.record.kind != "preview"), None)

    @property
    def jobs(self) -> Sequence[Job]:
        """All jobs of this session, newest last."""
        return self._desk.runner.jobs

    @property
    def is_busy(self) -> bool:
        """Whether a job is not over yet."""
        return self._desk.runner.is_busy

    def methods(self) -> Sequence[tuple[MethodSpec, Sequence[FormRow]]]:
        """Return those that analyze at once, the default first, with the rows of their forms."""
        return [(spec, form_rows(spec.params)) for spec in ready_methods()]

    def analyze(
        self,
        method: str = "",
        params: Mapping[str, Any] | None = None,
        where: Where | Rect = "slide",
        model: Path | None = None,
    ) -> Job | None:
        """Start an analysis, return its job; None when it cannot start (a notice says why)."""
        region_l0 = None if self.slide is None else self._region(where)
        job = self._analyses.analyze(self.slide, method, params or {}, region_l0, model)
        return self._focused(job)

    def _region(self, where: Where | Rect) -> Rect | None:
        if where == "slide":
            return None
        wanted = self.viewport.visible_l0 if where == "viewport" else where
        return wanted.outward().intersection(self.viewport.slide_l0)

    def resume_run(self, path: Path) -> Job | None:
        """Go on with an analysis of the open slide from its finished tiles; return its job."""
        return self._focused(self._analyses.resume(self.slide, path))

    def _focused(self, job: Job | None) -> Job | None:
        """Have a job do first what is seen now."""
        if job is not None:
            job.set_focus(self.viewport.visible_l0)
        return job

    def focus_changed(self) -> None:
        """Have running analyses do next what is seen now; call it when a pan has come to rest."""
        self._desk.set_focus(self.viewport.visible_l0)

    def remove_results(self) -> None:
        """Take the newest run from view; its file stays, and undo brings it back."""
        if self.results is not None:
            self.remove_run(self.results)

    def remove_run(self, run: RunView) -> None:
        """Take a run from view; its file stays, and undo brings it back."""
        self._desk.remove(run)

    def undo(self) -> None:
        self.history.undo()

    def redo(self) -> None:
        self.history.redo()

    def _on_runs_changed(self) -> None:
        chosen = self.selection
        shown = [run.source for run in self.runs]
        if chosen and (chosen.source not in shown or chosen.source.selected is None):
            self.clear_selection()
        self.studies.note_runs(self.runs)
        self.runs_changed.emit()

    # -- what is pointed at ----------------------------------------------------------------------

    def select_at(self, x_l0: float, y_l0: float) -> Selection | None:
        """Select the smallest visible detection at a place, or nothing."""
        self.clear_selection()
        found = detection_at(self, x_l0, y_l0)
        if found is not None:
            choose_detection(self, *found)
        return self.selection

    def clear_selection(self) -> None:
        if self.selection is not None:
            self.selection.source.selected = None
            self.selection = None
            self.selection_changed.emit()

    def set_region(self, rect_l0: Rect | None) -> None:
        """Take a rectangle drawn by the person (None: none), cut at the slide's edge."""
        inside = None if rect_l0 is None else rect_l0.intersection(self.viewport.slide_l0)
        region_l0 = None if inside is None or inside.is_empty else inside
        if region_l0 != self.region_l0:
            self.region_l0 = region_l0
            self.selection_changed.emit()

    def set_cursor(self, x_l0: float | None, y_l0: float | None = None) -> None:
        """Say where the mouse is; None: it has left the slide."""
        place_l0 = None if x_l0 is None or y_l0 is None else (x_l0, y_l0)
        if place_l0 != self.cursor_l0:
            self.cursor_l0 = place_l0
            self.cursor_changed.emit()

    @property
    def tool(self) -> Tool:
        return self.toolbox.tool

    def set_tool(self, tool: Tool) -> None:
        self.toolbox.choose(tool)

    # -- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """End jobs, threads and files; keep the settings."""
        self.settings.save()
        self._desk.close()
        self._opener.cancel()
        self._clear()
        self.studies.end()
        self.places.close()
        self.views.close()
        self.scheduler.close()

    def _on_error(self, error: BaseException | None, action: tuple[str, str] | None = None) -> None:
        if error is None:
            return
        if not isinstance(error, PathoViewError):
            _logger.error("unforeseen", exc_info=error)
        self.notice.emit(from_error(error, action))
