"""A runner of jobs that does some of them in a thread, and keeps the others waiting."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from pathoview.core.errors import Cancelled, PathoViewError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import Job, JobRequest, JobRunner, JobState, Lane, Post


class InlineRunner(JobRunner):
    """Does the tasks it was told to do with what the test has put in place."""

    def __init__(self, post: Post, tasks: Collection[str]) -> None:
        super().__init__(post)
        self.taken: list[Job] = []
        self._told, self._tasks = post, set(tasks)
        self._work: dict[str, tuple[threading.Thread, SilentProgress]] = {}

    @property
    def jobs(self) -> tuple[Job, ...]:
        return tuple(self.taken)

    @property
    def is_busy(self) -> bool:
        return any(not job.is_over for job in self.taken)

    def submit(self, request: JobRequest) -> Job:
        job = Job(request, self)
        job.state = JobState.RUNNING
        self.taken.append(job)
        if request.task in self._tasks:
            progress = _Telling(job, self._told)
            thread = threading.Thread(target=self._do, args=(job, progress))
            self._work[job.id] = thread, progress
            thread.start()
        return job

    def _do(self, job: Job, progress: SilentProgress) -> None:
        module, _colon, name = job.request.task.partition(":")
        try:
            result = getattr(importlib.import_module(module), name)(job.request.payload, progress)
        except Cancelled:
            self._told(partial(_end, job, JobState.CANCELLED))
        except PathoViewError as error:
            self._told(partial(_end, job, JobState.FAILED, error=str(error)))
        else:
            self._told(partial(_end, job, JobState.DONE, result))

    def hold(self, task: str) -> None:
        """Keep jobs of a task waiting from now on."""
        self._tasks.discard(task)

    def warm_up(self, lane: Lane = "compute", entry: str = "") -> None:
        """Nothing needs to be warm."""

    def set_focus(self, job: Job, rect_l0: Rect | None) -> None:
        job.focus_l0 = rect_l0

    def cancel(self, job: Job) -> None:
        if job.id in self._work:
            self._work[job.id][1].control.cancel()
        else:
            _end(job, JobState.CANCELLED)

    def close(self, grace_s: float = 2.0) -> None:
        for job in self.taken:
            if not job.is_over:
                self.cancel(job)
        for thread, _progress in self._work.values():
            thread.join()


class _Telling(SilentProgress):
    """Tells the job's listeners, on the thread that they live on."""

    def __init__(self, job: Job, post: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._job, self._post = job, post

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        def tell() -> None:
            self._job.fraction, self._job.text = fraction, text or self._job.text
            self._job.changed.emit(self._job)

        self._post(tell)

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        self._post(partial(self._job.event.emit, kind, dict(data)))


def _end(
    job: Job, state: JobState, result: Mapping[str, Any] | None = None, error: str = ""
) -> None:
    job.state, job.result, job.error = state, result, error
    job.changed.emit(job)
