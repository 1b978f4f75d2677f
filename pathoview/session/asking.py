"""A question to a worker about the open slide: one job at a time, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from psygnal import Signal
from pydantic import BaseModel, ConfigDict

from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobRequest, JobState
from pathoview.session.run_desk import RunDesk
from pathoview.session.tile_review import TileReview

if TYPE_CHECKING:
    from pathoview.session.session import Session


class Answered(BaseModel):
    """What a task says; members that are not shown are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


A = TypeVar("A", bound=Answered)


class Asking(Generic[A]):
    """All methods are called on the session's thread."""

    changed = Signal()
    """`is_busy`, `answer` or `problem`."""

    def __init__(
        self, session: Session, review: TileReview, runs: RunDesk, answer: type[A]
    ) -> None:
        self._session = session
        self._answer = answer
        self._review = review
        self._runner = runs.runner
        self._job: Job | None = None
        self.answer: A | None = None
        self.problem = ""
        """Why there is no answer."""

    @property
    def is_busy(self) -> bool:
        return self._job is not None

    def _ask(self, task: str, title: str, *, others: bool, **members: Any) -> None:
        """Ask about the open slide, and (``others``) about those of its study, in place of before.

        Tiles are compared by what the run that is looked at was made from.
        """
        slide, studies, run = self._session.slide, self._session.studies, self._review.run
        if slide is None:
            return
        study = studies.study if studies.is_named and others else None
        payload: Mapping[str, Any] = {
            "slide": str(slide.path),
            "study": "" if study is None else str(study.path),
            "encoder": None if run is None else run.record.context.get("encoder"),
            **members,
        }
        self._send(JobRequest(task, payload, title, "io"))

    def _send(self, order: JobRequest, submit: Callable[[JobRequest], Job] | None = None) -> None:
        """Have an order done in place of the one before.

        ``submit``: takes it in place of the runner, so that it is told of as work that takes long.
        """
        self.forget()
        job = self._job = (submit or self._runner.submit)(order)
        job.changed.connect(self._on_job_changed)
        self.changed.emit()

    def forget(self) -> None:
        """Stop what goes on, and drop what was answered."""
        job, self._job = self._job, None
        if job is not None:
            job.changed.disconnect(self._on_job_changed)
            job.cancel()
        self.answer, self.problem = None, ""

    def _on_job_changed(self, job: Job) -> None:
        if job is not self._job or not job.is_over:
            return
        self._job = None
        if job.state is JobState.DONE:
            self.answer = self._answer.model_validate(job.result)
        else:
            self.problem = f"{job.error} {job.hint}".strip() or _("Stopped.")
        self.changed.emit()
