"""What computes: which device and why, how busy it is, and how networks are computed on it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from psygnal import Signal
from pydantic import BaseModel, ConfigDict

from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobRequest, JobState
from pathoview.session.run_desk import RunDesk
from pathoview.session.settings import NumericPath, Settings

PATHS: tuple[NumericPath, ...] = get_args(NumericPath)
LOOK, TUNE = "pathoview.tasks.device:run", "pathoview.tasks.tune:run"


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Gpu(_Told):
    """A GPU and its memory."""

    title: str
    used_bytes: int
    total_bytes: int


class DeviceFacts(_Told):
    """What a worker said of the device; see `tasks.device`."""

    name: str
    reason: str
    gpus: tuple[Gpu, ...] = ()


class MeasuredPath(_Told):
    """How fast and how exact a way of computing is; see `tasks.tune`."""

    path: str
    seconds: float | None
    """None: it could not be measured."""
    speed_up: float | None
    max_error: float | None
    tolerance: float | None
    problem: str
    """Why it is not taken; empty: it could be."""


class DeviceDesk:
    """Asks workers: the window never imports torch. Called on the session's thread."""

    changed = Signal()
    """`facts`, `measured`, `problem`, the pinned path, or whether something goes on."""

    def __init__(self, settings: Settings, runs: RunDesk) -> None:
        self._settings = settings
        self._runner = runs.runner
        self._looking: Job | None = None
        self._measuring: Job | None = None
        self.facts: DeviceFacts | None = None
        """None: not known yet; `look` asks."""
        self.measured: Sequence[MeasuredPath] = ()
        """What the last measurement of this session found."""
        self.problem = ""
        """Why the last question has no answer."""

    @property
    def numerics(self) -> NumericPath:
        """The way in which networks are computed from now on."""
        return self._settings.numerics

    @property
    def is_measuring(self) -> bool:
        return self._measuring is not None

    @property
    def progress(self) -> str:
        """What is measured now; empty: nothing."""
        job = self._measuring
        if job is None:
            return ""
        return job.text if job.state is JobState.RUNNING else _("Waits for other jobs")

    @property
    def cpu_load(self) -> float | None:
        """How many processes want a processor, as a share of the processors; None: unknown."""
        if not hasattr(os, "getloadavg"):
            return None
        return os.getloadavg()[0] / max(1, os.cpu_count() or 1)

    def look(self) -> None:
        """Ask which device is used, once; of a GPU each time, how full its memory is."""
        is_known = self.facts is not None and not self.facts.gpus
        if self._looking is None and not is_known:
            self._looking = self._runner.submit(JobRequest(LOOK, {}, _("Device"), "io"))
            self._looking.changed.connect(self._on_looked)

    def measure(self) -> None:
        """Measure all ways of computing networks; the fastest that is exact is pinned."""
        if self._measuring is None:
            self.problem = ""
            self._measuring = self._runner.submit(JobRequest(TUNE, {}, _("Measure")))
            self._measuring.changed.connect(self._on_measured)
            self.changed.emit()

    def stop(self) -> None:
        """Stop measuring."""
        if self._measuring is not None:
            self._measuring.cancel()

    def pin(self, path: NumericPath) -> None:
        """Compute networks in that way from now on."""
        self._settings.numerics = path
        self._settings.save()
        self.changed.emit()

    def _on_looked(self, job: Job) -> None:
        if job.is_over and job is self._looking:
            self._looking = None
            result = self._result(job)
            if result is not None:
                self.facts = DeviceFacts.model_validate(result)
            self.changed.emit()

    def _on_measured(self, job: Job) -> None:
        if job is not self._measuring:
            return
        if job.is_over:
            self._measuring = None
            result = self._result(job)
            if result is not None:
                self.measured = [MeasuredPath.model_validate(row) for row in result["paths"]]
                self.pin(result["fastest"])
                return
        self.changed.emit()

    def _result(self, job: Job) -> Mapping[str, Any] | None:
        if job.state is JobState.DONE:
            return job.result
        is_stopped = job.state is JobState.CANCELLED
        self.problem = _("Stopped.") if is_stopped else f"{job.error} {job.hint}".strip()
        return None
