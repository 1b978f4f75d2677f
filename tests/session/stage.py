"""A session with a hand-cranked event loop, and a runner that does what the test says."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from typing import Any

from pathoview.core.geometry import Rect
from pathoview.jobs.runner import Job, JobRequest, JobRunner, JobState
from pathoview.session.notices import Notice
from pathoview.session.session import Session


class Loop:
    """Stands in for the window's event loop."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def post(self, call: Callable[[], None]) -> None:
        self._calls.put(call)

    def run_until(self, is_so: Callable[[], Any], timeout_s: float = 20) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < deadline, "it never came about"
            try:
                self._calls.get(timeout=0.02)()
            except queue.Empty:
                continue

    def run_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self._calls.get(timeout=0.01)()
            except queue.Empty:
                continue


class FakeRunner(JobRunner):
    """Takes jobs and starts no process; the test says what happens to them."""

    def __init__(self) -> None:
        super().__init__(lambda call: call())
        self.taken: list[Job] = []

    def submit(self, request: JobRequest) -> Job:
        job = Job(request, self)
        job.state = JobState.RUNNING
        self.taken.append(job)
        return job

    @property
    def jobs(self) -> tuple[Job, ...]:
        return tuple(self.taken)

    @property
    def is_busy(self) -> bool:
        return any(not job.is_over for job in self.taken)

    def set_focus(self, job: Job, rect_l0: Rect | None) -> None:
        job.focus_l0 = rect_l0

    def close(self, grace_s: float = 2.0) -> None:
        for job in self.taken:
            if not job.is_over:
                end(job, JobState.CANCELLED)


def end(job: Job, state: JobState, result: Mapping[str, Any] | None = None) -> None:
    job.state, job.result = state, result
    job.changed.emit(job)


class Ears:
    """Everything a session said."""

    def __init__(self, session: Session) -> None:
        self.notices: list[Notice] = []
        self.scales_needed = 0
        self.commands: list[str] = []
        self.n_runs_changed = 0
        session.notice.connect(self.notices.append)
        session.scale_needed.connect(self._on_scale_needed)
        session.command_requested.connect(self.commands.append)
        session.runs_changed.connect(self._on_runs_changed)

    def _on_scale_needed(self, slide: object) -> None:
        self.scales_needed += 1

    def _on_runs_changed(self) -> None:
        self.n_runs_changed += 1
