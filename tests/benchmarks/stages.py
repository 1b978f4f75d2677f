"""How fast work in stages is, beside what the stages allow: reading, computing, finishing.

The bound: no stage is faster than its threads, and all together not faster than the cores. What is
timed runs in a worker process, as in the window.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pathoview.core.progress import Progress
from pathoview.jobs.runner import Job, JobRequest, JobRunner, JobState

PATIENCE_S = 7200.0
ROUNDS = 2
GOAL_RATIO = 0.85

Task = Callable[[Mapping[str, Any], Progress], Mapping[str, Any]]


def submit(runner: JobRunner, task: str, **payload: Any) -> Job:
    return runner.submit(JobRequest(task, payload, "benchmark"))


def finished(job: Job) -> Mapping[str, Any]:
    assert job.wait(PATIENCE_S)
    assert job.state is JobState.DONE, job.details or job.error
    assert job.result is not None
    return job.result


def peak_memory_mib(pid: int | None) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def timed_serially(
    module: ModuleType, task: Task, request: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """Do a task without threads; return the seconds of each stage of ``module.run_pipeline``."""
    seconds = [0.0, 0.0, 0.0]

    def run_serially(
        next_item: Any, read: Any, compute: Any, finish: Any, **_settings: object
    ) -> None:
        while (item := next_item()) is not None:
            marks = [time.perf_counter()]
            raw = read(item)
            marks.append(time.perf_counter())
            value = compute(item, raw)
            marks.append(time.perf_counter())
            finish(item, value)
            marks.append(time.perf_counter())
            for stage in range(3):
                seconds[stage] += marks[stage + 1] - marks[stage]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_pipeline", run_serially)
        task(request, progress)
    return {"stages": seconds}


def timed_as_always(
    module: ModuleType, task: Task, request: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """Do a task; return its result, and the seconds of ``module.run_pipeline`` and of all."""
    run_pipeline, timing = module.run_pipeline, dict[str, Any]()

    def run_timed(*steps: Any, **settings: Any) -> None:
        started = time.perf_counter()
        run_pipeline(*steps, **settings)
        timing["pipeline"] = time.perf_counter() - started
        timing["threads"] = [
            settings.get(f"n_{who}", 1) for who in ("readers", "computers", "finishers")
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_pipeline", run_timed)
        started = time.perf_counter()
        result = task(request, progress)
    return {**timing, "whole": time.perf_counter() - started, **result}


@dataclass(frozen=True, slots=True)
class Throughput:
    """What two timings of the same work say."""

    seconds: list[float]
    """Of each stage, without threads."""
    run: Mapping[str, Any]
    """As `timed_as_always` tells."""

    @property
    def n_cores(self) -> int:
        return len(os.sched_getaffinity(0))

    @property
    def bound_s(self) -> float:
        """The least seconds in which threads and cores can do it."""
        threads = self.run["threads"]
        stages = [seconds / n for n, seconds in zip(threads, self.seconds, strict=True)]
        return float(max(*stages, sum(self.seconds) / self.n_cores))

    @property
    def ratio(self) -> float:
        """How near the whole task comes to the bound; 1 is the bound."""
        return float(self.bound_s / self.run["whole"])

    def show(self, names: tuple[str, str, str], amount: float, unit: str) -> None:
        """Print a table; ``amount``: of work done, in ``unit``."""
        print(f"{'stage':22} {'threads':>7} {'seconds':>8} {unit + '/s':>8}")
        for name, n, seconds in zip(names, self.run["threads"], self.seconds, strict=True):
            print(f"{name:22} {n:7} {seconds:8.2f} {amount / seconds:8.1f}")
        print(f"{'bound':22} {'':7} {self.bound_s:8.2f} {amount / self.bound_s:8.1f}")
        for name in ("pipeline", "whole"):
            seconds = self.run[name]
            share = self.bound_s / seconds
            print(f"{name:22} {'':7} {seconds:8.2f} {amount / seconds:8.1f}", end="   ")
            print(f"{share:.2f} of the bound")


def throughput(runner: JobRunner, bench: str, **payload: Any) -> Throughput:
    """Time ``time_stages`` and ``time_run`` of a benchmark in turn; return the best of each."""
    serial, threaded = [], []
    for _round in range(ROUNDS):
        serial.append(finished(submit(runner, f"{bench}:time_stages", **payload))["stages"])
        threaded.append(finished(submit(runner, f"{bench}:time_run", **payload)))
    return Throughput(
        min(serial, key=sum), min(threaded, key=lambda timing: float(timing["whole"]))
    )
