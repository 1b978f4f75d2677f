"""The window's side of jobs: a queue a lane, one warm worker a lane, and what it says as signals.

All methods may be called from any thread; every signal is emitted through ``post``.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.core.privacy import scrub
from pathoview.core.translation import _
from pathoview.jobs.messages import (
    Cancel,
    Done,
    Event,
    Exit,
    Failed,
    Finish,
    Focus,
    Log,
    Message,
    Pause,
    Report,
    Resume,
    Run,
    Stopped,
    WarmUp,
)
from pathoview.jobs.process import WorkerProcess
from pathoview.jobs.time_left import TimeLeft

Lane = Literal["compute", "learn", "io"]
Post = Callable[[Callable[[], None]], None]

_CANCEL_GRACE_S = 5.0
"""A task that does not stop by itself in this time is stopped with its process."""

_logger = logging.getLogger(__name__)


class JobState(enum.StrEnum):
    """Where a job stands; the last four are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DIED = "died"


_ENDS = {JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.DIED}


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What to do: ``task`` is ``"module:function"``, ``payload`` JSON-able."""

    task: str
    payload: Mapping[str, Any]
    title: str
    lane: Lane = "compute"
    """Jobs of one lane wait for each other: ``compute`` for analyses, ``learn`` for trainings,
    ``io`` for files."""


class Job:
    """One piece of work as the window sees it. Made by `JobRunner.submit`."""

    changed = Signal(object)
    """Emitted with the job when anything about it has changed."""
    event = Signal(str, dict)
    """Emitted with the kind and the data of something that happened in the task."""

    def __init__(self, request: JobRequest, runner: JobRunner) -> None:
        self.id = uuid.uuid4().hex
        self.request = request
        self.state = JobState.QUEUED
        self.fraction = 0.0
        self.text = ""
        self.metrics: Mapping[str, float] = {}
        self.seconds_left: float | None = None
        self.result: Mapping[str, Any] | None = None
        self.error = ""
        self.hint = ""
        self.details = ""
        self.focus_l0: Rect | None = None
        self.is_cancelling = False
        self.is_finishing = False
        self.time_left = TimeLeft()
        self.ended = threading.Event()
        self._runner = runner

    @property
    def is_over(self) -> bool:
        return self.state in _ENDS

    def pause(self) -> None:
        self._runner.pause(self)

    def resume(self) -> None:
        self._runner.resume(self)

    def cancel(self) -> None:
        """Ask the task to stop; after a while its process is stopped. Finished tiles are kept."""
        self._runner.cancel(self)

    def finish(self) -> None:
        """Have the task end well with what it has so far; a training keeps its best."""
        self._runner.finish(self)

    def set_focus(self, rect_l0: Rect | None) -> None:
        """Say where the person looks, so that work begins there."""
        self._runner.set_focus(self, rect_l0)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end (not from the thread that ``post`` serves); False: too slow."""
        return self.ended.wait(timeout_s)


@dataclass(slots=True)
class _LaneState:
    waiting: deque[Job] = field(default_factory=deque)
    current: Job | None = None
    worker: WorkerProcess | None = None
    warm: set[str] = field(default_factory=set)
    """Entries that the worker was told to import."""


class JobRunner:
    """Runs jobs in worker processes: in each lane one after the other, the lanes side by side."""

    changed = Signal(object)
    """Emitted with a `Job` when anything about it has changed."""

    def __init__(
        self,
        post: Post,
        *,
        warm_up_entry: str = "pathoview.tasks.analyze:warm_up",
        cancel_grace_s: float = _CANCEL_GRACE_S,
    ) -> None:
        self._post = post
        self._warm_up_entry = warm_up_entry
        self._cancel_grace_s = cancel_grace_s
        self._lanes: dict[Lane, _LaneState] = {lane: _LaneState() for lane in get_args(Lane)}
        self._jobs: list[Job] = []
        self._lock = threading.RLock()
        self._is_closed = False

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs since the start, oldest first."""
        return tuple(self._jobs)

    @property
    def is_busy(self) -> bool:
        return any(not job.is_over for job in self._jobs)

    def worker_pid(self, lane: Lane = "compute") -> int | None:
        worker = self._lanes[lane].worker
        return worker.pid if worker else None

    def submit(self, request: JobRequest) -> Job:
        """Queue a job; it starts when its lane is free."""
        job = Job(request, self)
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the runner is closed")
            self._jobs.append(job)
            self._lanes[request.lane].waiting.append(job)
            self._tell(job)
            self._start_next(request.lane)
        return job

    def warm_up(self, lane: Lane = "compute", entry: str = "") -> None:
        """Have a lane's worker start and import what is needed (``entry``, by itself).

        One that works on something is left alone.
        """
        with self._lock:
            state = self._lanes[lane]
            if self._is_closed or state.current is not None:
                return
            worker = state.worker or self._start_worker(lane)
            if entry and entry not in state.warm:
                state.warm.add(entry)
                worker.send(WarmUp(entry))

    def pause(self, job: Job) -> None:
        with self._lock:
            if job.state is JobState.RUNNING:
                self._send(job, Pause(job.id))
                job.time_left.pause()
                job.state = JobState.PAUSED
                self._tell(job)

    def resume(self, job: Job) -> None:
        with self._lock:
            if job.state is JobState.PAUSED:
                self._send(job, Resume(job.id))
                job.time_left.resume()
                job.state = JobState.RUNNING
                self._tell(job)

    def cancel(self, job: Job) -> None:
        with self._lock:
            lane = self._lanes[job.request.lane]
            if job in lane.waiting:
                lane.waiting.remove(job)
                self._end(job, JobState.CANCELLED)
            elif lane.current is job and not job.is_cancelling:
                job.is_cancelling = True
                self._send(job, Cancel(job.id))
                timer = threading.Timer(self._cancel_grace_s, self._kill_if_running, [job])
                timer.daemon = True
                timer.start()
                self._tell(job)

    def finish(self, job: Job) -> None:
        with self._lock:
            if job.state is JobState.PAUSED:
                job.time_left.resume()
                job.state = JobState.RUNNING
            job.is_finishing = True
            self._send(job, Finish(job.id))
            self._tell(job)

    def set_focus(self, job: Job, rect_l0: Rect | None) -> None:
        with self._lock:
            job.focus_l0 = rect_l0
            self._send(job, Focus(job.id, _corners(rect_l0)))

    def close(self, grace_s: float = 2.0) -> None:
        """Stop everything: jobs may end well for ``grace_s``, then their processes are killed."""
        with self._lock:
            self._is_closed = True
            lanes = list(self._lanes.values())
            for lane in lanes:
                while lane.waiting:
                    self._end(lane.waiting.popleft(), JobState.CANCELLED)
                if lane.current:
                    lane.current.is_cancelling = True
            workers = [lane.worker for lane in lanes if lane.worker]
        for worker in workers:
            worker.send(Exit())
        deadline = time.monotonic() + grace_s
        for worker in workers:
            if not worker.join(max(0.0, deadline - time.monotonic())):
                worker.kill()
                worker.join(grace_s)

    def _start_next(self, name: Lane) -> None:
        lane = self._lanes[name]
        if lane.current or not lane.waiting:
            return
        worker = lane.worker or self._start_worker(name)
        job = lane.current = lane.waiting.popleft()
        focus = _corners(job.focus_l0)
        worker.send(Run(job.id, job.request.task, job.request.payload, focus))
        job.state = JobState.RUNNING
        self._tell(job)

    def _start_worker(self, name: Lane) -> WorkerProcess:
        lane = self._lanes[name]
        worker = WorkerProcess(
            partial(self._on_message, lane), lambda code: self._on_end(name, worker, code)
        )
        lane.worker, lane.warm = worker, set()
        worker.listen()
        if name == "compute":
            worker.send(WarmUp(self._warm_up_entry))
        return worker

    def _send(self, job: Job, message: Message) -> None:
        lane = self._lanes[job.request.lane]
        if lane.current is job and lane.worker:
            lane.worker.send(message)

    def _kill_if_running(self, job: Job) -> None:
        with self._lock:
            lane = self._lanes[job.request.lane]
            if lane.current is job and lane.worker:
                lane.worker.kill()

    def _on_message(self, lane: _LaneState, message: Message) -> None:
        if isinstance(message, Log):
            logging.getLogger(message.logger).log(message.level, "%s", message.text)
            return
        with self._lock:
            job = lane.current
            if job is None or getattr(message, "job", None) != job.id:
                return
            match message:
                case Report(fraction=fraction, text=text, metrics=metrics):
                    job.fraction, job.text, job.metrics = fraction, text, metrics
                    job.seconds_left = job.time_left.update(fraction)
                    self._tell(job)
                case Event(kind=kind, data=data):
                    self._post(partial(job.event.emit, kind, data))
                case Done(result=result):
                    job.result, job.fraction = result, 1.0
                    self._end(job, JobState.DONE)
                case Failed(sentence=sentence, hint=hint, details=details):
                    job.error, job.hint, job.details = sentence, hint, scrub(details)
                    _logger.warning("%s: %s", job.request.task, sentence)
                    self._end(job, JobState.FAILED)
                case Stopped():
                    self._end(job, JobState.CANCELLED)

    def _on_end(self, name: Lane, worker: WorkerProcess, code: int | None) -> None:
        """Take note that a worker has ended, asked or not; the next job gets a fresh one."""
        with self._lock:
            lane = self._lanes[name]
            if lane.worker is not worker:
                return
            lane.worker = None
            job = lane.current
            if job is None:
                return
            if job.is_cancelling:
                self._end(job, JobState.CANCELLED)
            else:
                job.error, job.hint = _obituary(code)
                _logger.error("%s: the worker ended with %s", job.request.task, code)
                self._end(job, JobState.DIED)
            if name == "compute":
                self.warm_up()

    def _end(self, job: Job, state: JobState) -> None:
        """Finish a job and start the next of its lane."""
        job.state = state
        job.seconds_left = None
        job.ended.set()
        self._tell(job)
        lane = self._lanes[job.request.lane]
        if lane.current is job:
            lane.current = None
            if not self._is_closed:
                self._start_next(job.request.lane)

    def _tell(self, job: Job) -> None:
        self._post(partial(job.changed.emit, job))
        self._post(partial(self.changed.emit, job))


def _corners(rect: Rect | None) -> tuple[float, float, float, float] | None:
    return (rect.x, rect.y, rect.width, rect.height) if rect else None


def _obituary(code: int | None) -> tuple[str, str]:
    """Return what a person reads when a worker ended without a word, and what to do next."""
    if code is not None and code < 0:
        how = _("signal {number}").format(number=-code)
    else:
        how = _("exit code {number}").format(number="?" if code is None else code)
    return (
        _("The worker process ended unexpectedly ({how}); what was finished is kept.").format(
            how=how
        ),
        _("Start it again to go on from there. If it happens again, memory may be short."),
    )
