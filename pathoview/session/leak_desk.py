"""The check for leaks: one job at a time, and the page of what it found."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from pydantic import Base64Bytes, BaseModel, ConfigDict

from pathoview.core.files import replacing
from pathoview.core.paths import cache_folder
from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobRequest, JobState
from pathoview.session import orders
from pathoview.session.notices import Notice, from_error
from pathoview.session.run_desk import RunDesk
from pathoview.study.leak_params import LeakParams as LeakParams

if TYPE_CHECKING:
    from pathoview.session.session import Session

_PATIENCE_S = 60.0


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LeakSide(_Shown):
    """One of the two pictures of a pair."""

    name: str
    split: str
    label: str
    png: Base64Bytes
    """Empty: it cannot be read."""


class LeakPair(_Shown):
    """Two pictures that show a leak."""

    note: str
    items: tuple[LeakSide, LeakSide]


class LeakFinding(_Shown):
    """One thing that was found; see `datasets.leaks.Finding`."""

    kind: str
    severity: str
    """``error`` or ``warning``."""
    sentence: str
    n_pairs: int
    pairs: tuple[LeakPair, ...]
    """The first of them."""


class LeakPage(_Shown):
    """All that was found."""

    summary: str
    n_errors: int
    splits: dict[str, int]
    findings: tuple[LeakFinding, ...]
    priors: dict[str, dict[str, int]]
    """By label and split: how many."""
    warnings: tuple[str, ...]
    """About the source, such as rows of a table that fit nothing."""


class LeakDesk:
    """Runs the check in a worker. All methods are called on the session's thread."""

    changed = Signal()
    """The job has come further, or ended; `page` or `problem` is there then."""

    def __init__(self, session: Session, runs: RunDesk) -> None:
        self._session = session
        self._runner = runs.runner
        self._folder: Path | None = None
        self.job: Job | None = None
        """What goes on; None: nothing."""
        self.page: LeakPage | None = None
        self.problem = ""
        """Why there is no page."""

    @property
    def study(self) -> Path | None:
        """The study whose slides can be checked; None: none is open, or it has no slides."""
        study = self._session.studies.study
        has_slides = self._session.studies.is_named and bool(self._session.slides.rows)
        return study.path if study is not None and has_slides else None

    @property
    def is_busy(self) -> bool:
        """Whether a check goes on."""
        return self._folder is not None and self.page is None and not self.problem

    def check(self, source: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        """Begin; ``source`` names ``study``, ``tiles``, or ``folders`` by split, and ``groups``.

        A study is read when all that was changed in it is on disk.
        """
        self.forget()
        self._folder = Path(tempfile.mkdtemp(prefix="leaks-", dir=cache_folder()))
        order = orders.leaks(source, params, self._report, self._folder / "page.json")
        study = self._session.studies.study
        if source.get("study") and study is not None and study.writer.n_waiting:
            flush = partial(study.writer.flush, _PATIENCE_S)
            self._session.scheduler.submit(flush, partial(self._on_flushed, order, self._folder))
        else:
            self._submit(order)

    def _on_flushed(
        self,
        order: JobRequest,
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
            self._submit(order)

    def _submit(self, order: JobRequest) -> None:
        job = self.job = self._runner.submit(order)
        job.changed.connect(self._on_job_changed)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop what goes on."""
        if self.job is not None:
            self.job.cancel()

    def save(self, path: Path) -> None:
        """Copy the report to a file; a notice tells."""
        if self.page is not None:
            copy = partial(_copied, self._report, path)
            self._session.scheduler.submit(copy, partial(self._on_saved, path))

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
                read = partial(_read, Path(str(job.request.payload["page"])))
                self._session.scheduler.submit(read, partial(self._on_read, self._folder))
                return
            is_stopped = job.state is JobState.CANCELLED
            self.problem = _("Stopped.") if is_stopped else f"{job.error} {job.hint}".strip()
        self.changed.emit()

    def _on_read(
        self, folder: Path | None, page: LeakPage | None, error: BaseException | None
    ) -> None:
        if folder is not self._folder:
            return  # it was forgotten meanwhile
        self.page = page
        self.problem = "" if error is None else from_error(error).text
        self.changed.emit()

    def _on_saved(self, path: Path, _done: None, error: BaseException | None) -> None:
        text = _("“{name}” is written.").format(name=path.name)
        self._session.notice.emit(Notice(text) if error is None else from_error(error))


def _read(path: Path) -> LeakPage:
    return LeakPage.model_validate_json(path.read_bytes())


def _copied(report: Path, path: Path) -> None:
    with replacing(path) as file:
        file.write(report.read_bytes())
