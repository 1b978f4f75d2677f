"""The runs of the open slide: those kept from before, and those that go on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from psygnal import Signal

from pathoview.core.errors import PathoViewError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.core.undo import History, Step
from pathoview.jobs.runner import Job, JobRequest, JobRunner
from pathoview.layers.layer import Layer
from pathoview.layers.scheduler import TileScheduler
from pathoview.session.job_book import JobBook
from pathoview.session.notices import Notice, from_error
from pathoview.session.runs import RunView
from pathoview.session.shelf import RunShelf
from pathoview.slides.slide import Slide
from pathoview.study.records import RunRecord
from pathoview.study.results import find_runs

_logger = logging.getLogger(__name__)


class RunDesk:
    """Brings the result files that jobs write, or wrote, onto the shelf."""

    changed = Signal()
    """A run came, went or grew."""
    job_changed = Signal(object)
    """(Job)"""
    notice = Signal(object)
    """(Notice)"""
    annotations_found = Signal(object, object)
    """(path, RunRecord): annotations of the open slide's file wait to be taken into the study."""

    def __init__(
        self, shelf: RunShelf, scheduler: TileScheduler, history: History, runner: JobRunner
    ) -> None:
        self.runner = runner
        self._shelf = shelf
        self._scheduler = scheduler
        self._history = history
        self._book = JobBook(runner)
        self._slide: Slide | None = None
        shelf.changed.connect(self.changed)
        shelf.failed.connect(self._on_error)
        self._book.job_changed.connect(self.job_changed)
        self._book.notice.connect(self.notice)
        self._book.unlike.connect(self._on_unlike)
        self._book.run_started.connect(self._on_run_started)
        self._book.run_grew.connect(self._on_run_grew)
        self._book.run_ended.connect(self._on_run_ended)

    @property
    def runs(self) -> Sequence[RunView]:
        """Those shown, oldest first."""
        return self._shelf.runs

    def set_slide(self, slide: Slide | None) -> None:
        """Forget the runs of the slide before; show those that go on, look for finished ones."""
        self._shelf.clear()
        self._slide = slide
        if slide is not None:
            for path in self._book.live_runs(slide.content_hash):
                self._open_run(path)
            self._scheduler.submit(
                partial(find_runs, slide.content_hash), partial(self._on_runs_found, slide)
            )

    def submit(self, order: JobRequest, slide_hash: str) -> Job:
        return self._book.submit(order, slide_hash)

    def show(self, path: Path) -> None:
        """Show a run of the open slide."""
        self._open_run(path)

    def set_focus(self, rect_l0: Rect) -> None:
        """Have the jobs of the open slide do next what lies in a rectangle."""
        if self._slide is not None:
            self._book.set_focus(self._slide.content_hash, rect_l0)

    def remove(self, run: RunView) -> None:
        """Take a run from view, as a step of the history."""
        hide, show = partial(self._shelf.hide, run), partial(self._shelf.show, run)
        self._history.do(Step(_("Remove {title}").format(title=run.record.title), hide, show))

    def remove_by_layer(self, layer: Layer) -> bool:
        """Take the run from view that a layer belongs to; return whether there is one."""
        run = self._shelf.run_of(layer)
        if run is not None:
            self.remove(run)
        return run is not None

    def close(self) -> None:
        """Stop all jobs; finished tiles are kept."""
        self._book.close()

    def _on_runs_found(
        self,
        slide: Slide,
        found: list[tuple[Path, RunRecord]] | None,
        error: BaseException | None,
    ) -> None:
        """Show the newest finished run of a slide that was opened; offer to resume a newer one."""
        if found is None:
            self._on_error(error)
        if self._slide is not slide or found is None:
            return
        live = self._book.live_runs(slide.content_hash)
        done = [one for one in found if one[1].state == "done" and one[0] not in live]
        shown = [path for path, record in done if not record.is_only_annotations]
        if shown:
            self.show(shown[0])
        for path, record in done:
            if record.n_annotations:
                self.annotations_found.emit(path, record)
        is_stopped = bool(found) and found[0][1].state != "done" and found[0][0] not in live
        if is_stopped and not self._book.runner.is_busy:  # a job may not have told its file yet
            self.notice.emit(
                Notice(
                    _("An analysis of this slide was not finished."),
                    action=(_("Resume"), "analyze.resume"),
                    argument=str(found[0][0]),
                )
            )

    def _open_run(self, path: Path, step_name: str = "") -> None:
        """Show the run of a file; a step of the history if it has a name."""
        slide = self._slide
        if slide is None:
            return
        self._scheduler.submit(
            partial(RunView, path, slide.info, self._scheduler.memory),
            partial(self._on_run_open, slide, step_name),
        )

    def _on_run_open(
        self, slide: Slide, step_name: str, run: RunView | None, error: BaseException | None
    ) -> None:
        if run is None:
            self._on_error(error)
        elif self._slide is not slide or self._shelf.find(run.path) is not None:
            run.close()
        else:
            run.is_growing = run.path in self._book.live_runs(slide.content_hash)
            self._shelf.show(run)
            self._shelf.load(run)
            if step_name:
                show, hide = partial(self._shelf.show, run), partial(self._shelf.hide, run)
                self._history.remember(Step(step_name, show, hide))

    def _on_unlike(self, job: Job, slide_hash: str, data: Mapping[str, str]) -> None:
        """Warn of a slide that looks strange to a model.

        One that is open is waited for, unless other jobs would have to wait as well.
        """
        is_open = self._slide is not None and self._slide.content_hash == slide_hash
        others = [one for one in self.runner.jobs if one is not job and not one.is_over]
        text, action = data["text"], None
        if not is_open:
            text = f"{job.request.title}: {text}"
        elif not others:
            job.pause()
            action = _("Apply anyway"), "analyze.anyway"
        self.notice.emit(Notice(text, "warning", action, data["details"], job.id))

    def go_on(self, job_id: str) -> None:
        """Let a job go on that waits for the person."""
        for job in self.runner.jobs:
            if job.id == job_id:
                job.resume()

    def _on_run_started(self, slide_hash: str, path: Path, title: str) -> None:
        if self._slide is None or self._slide.content_hash != slide_hash:
            return
        run = self._shelf.find(path)
        if run is None:
            self._open_run(path, title)
        else:
            run.is_growing = True
            self._shelf.show(run)

    def _on_run_grew(self, path: Path, may_have_dropped: bool) -> None:
        run = self._shelf.find(path)
        if run is not None:
            run.may_have_dropped |= may_have_dropped
            self._shelf.load(run)

    def _on_run_ended(self, path: Path) -> None:
        run = self._shelf.find(path)
        if run is not None:
            run.is_growing = False
            self._shelf.load(run)

    def _on_error(self, error: BaseException | None) -> None:
        if error is None:
            return
        if not isinstance(error, PathoViewError):
            _logger.error("a run cannot be read", exc_info=error)
        self.notice.emit(from_error(error))
