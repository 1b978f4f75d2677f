"""One job at a time whose result is a page: shown in the window, and saved as an HTML report."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from psygnal import Signal
from pydantic import BaseModel, ConfigDict

from pathoview.core.files import replacing
from pathoview.core.paths import cache_folder
from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobRequest, JobState
from pathoview.session.notices import Notice, from_error
from pathoview.session.run_desk import RunDesk

if TYPE_CHECKING:
    from pathoview.session.session import Session

_PATIENCE_S = 60.0


class Shown(BaseModel):
    """A part of a page; what else the task says is not shown."""

    model_config = ConfigDict(frozen=True, extra="ignore")


P = TypeVar("P", bound=Shown)


class PageDesk(Generic[P]):
    """Runs it in a worker. All methods are called on the session's thread."""

    changed = Signal()
    """The job has come further, or ended; `page` or `problem` is there then."""

    def __init__(self, session: Session, runs: RunDesk, page: type[P], prefix: str) -> None:
        """``prefix``: of the folder in the cache that holds page and report."""
        self._session = session
        self._runner = runs.runner
        self._page, self._prefix = page, prefix
        self._folder: Path | None = None
        self.job: Job | None = None
        """What goes on; None: nothing."""
        self.page: P | None = None
        self.problem = ""
        """Why there is no page."""

    @property
    def is_busy(self) -> bool:
        """Whether a job goes on."""
        return self._folder is not None and self.page is None and not self.problem

    def begin(self, order: Callable[[Path, Path], JobRequest], *, reads_study: bool) -> None:
        """Begin; ``order`` makes the order from where report and page go.

        A study is read when all that was changed in it is on disk.
        """
        self.forget()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{self._prefix}-", dir=cache_folder()))
        request = order(self._report, self._folder / "page.json")
        study = self._session.studies.study
        if reads_study and study is not None and study.writer.n_waiting:
            flush = partial(study.writer.flush, _PATIENCE_S)
            self._session.scheduler.submit(flush, partial(self._on_flushed, request, self._folder))
        else:
            self._submit(request)

    def _on_flushed(
        self,
        request: JobRequest,
        folder: Path,
        _is_written: bool | None,
        error: BaseException | None,
    ) -> None:
        if folder is not self._folder:
            return  # it was forgotten meanwhile
        if error is not None:
            self.problem = from_error(error).text
            self.changed.emit()
        else:
            self._submit(request)

    def _submit(self, request: JobRequest) -> None:
        job = self.job = self._runner.submit(request)
        job.changed.connect(self._on_job_changed)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop what goes on."""
        if self.job is not None:
            self.job.cancel()

    def save(self, path: Path, write: Callable[[Path], None] | None = None) -> None:
        """Copy the report to a file, or ``write`` it in another form; a notice tells."""
        if self.page is not None:
            work = partial(write or partial(_copied, self._report), path)
            self._session.scheduler.submit(work, partial(self._on_saved, path))

    def forget(self) -> None:
        """Stop what goes on, and drop what was found: it has pictures of tissue."""
        job, self.job = self.job, None
        if job is not None:
            job.changed.disconnect(self._on_job_changed)
            job.cancel()
        self.page, self.problem = None, ""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @property
    def _report(self) -> Path:
        assert self._folder is not None
        return self._folder / "report.html"

    def _on_job_changed(self, job: Job) -> None:
        if job is not self.job:
            return
        if job.is_over:
            self.job = None
            if job.state is JobState.DONE:
                read = partial(_read, self._page, Path(str(job.request.payload["page"])))
                self._session.scheduler.submit(read, partial(self._on_read, self._folder))
                return
            is_stopped = job.state is JobState.CANCELLED
            self.problem = _("Stopped.") if is_stopped else f"{job.error} {job.hint}".strip()
        self.changed.emit()

    def _on_read(self, folder: Path | None, page: P | None, error: BaseException | None) -> None:
        if folder is not self._folder:
            return  # it was forgotten meanwhile
        self.page = page
        self.problem = "" if error is None else from_error(error).text
        self.changed.emit()

    def _on_saved(self, path: Path, _done: None, error: BaseException | None) -> None:
        text = _("“{name}” is written.").format(name=path.name)
        self._session.notice.emit(Notice(text) if error is None else from_error(error))


def _read(page: type[P], path: Path) -> P:
    return page.model_validate_json(path.read_bytes())


def _copied(report: Path, path: Path) -> None:
    with replacing(path) as file:
        file.write(report.read_bytes())
