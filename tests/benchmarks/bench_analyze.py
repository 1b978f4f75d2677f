"""How fast a slide is analyzed, beside what its stages allow.

`pytest tests/benchmarks/bench_analyze.py -s`
``PATHOVIEW_BIG_SLIDE`` names a pyramid made earlier by ``make_big_slide.py``; else one is made.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import pytest
from make_big_slide import make_big_slide

from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import JobRequest, JobRunner, JobState
from pathoview.methods.registry import DEFAULT_METHOD
from pathoview.tasks import analyze

REGION_L0 = (4096, 4096, 16384, 16384)
ROUNDS = 3
GOAL_RATIO = 0.85
GOAL_FIRST_TILE_S = 2.0
GOAL_MEMORY_MIB = 2048


@pytest.fixture(scope="module")
def big_slide(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    ready = os.environ.get("PATHOVIEW_BIG_SLIDE")
    if ready:
        return Path(ready)
    return make_big_slide(tmp_path_factory.mktemp("big") / "big.tif")


@pytest.fixture
def one_thread_each() -> Iterator[None]:
    """As in the worker: threads inside OpenCV would count twice."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def request(slide: Path, region_l0: tuple[int, ...] | None) -> dict[str, Any]:
    return {"slide": str(slide), "method": DEFAULT_METHOD, "region_l0": region_l0}


@dataclass
class Timing:
    """Seconds of the stages one after the other, or of the pipeline; and of the whole run."""

    stages: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    pipeline: float = 0.0
    whole: float = 0.0
    megapixels: float = 0.0
    threads: tuple[int, int, int] = (1, 1, 1)


def serial(timing: Timing) -> Callable[..., None]:
    """Return a pipeline without threads that times each stage on its own."""

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
                timing.stages[stage] += marks[stage + 1] - marks[stage]

    return run_serially


def threaded(timing: Timing) -> Callable[..., None]:
    """Return the real pipeline, timed."""
    run_pipeline = analyze.run_pipeline

    def run_timed(*steps: Any, **settings: Any) -> None:
        started = time.perf_counter()
        run_pipeline(*steps, **settings)
        timing.pipeline = time.perf_counter() - started
        timing.threads = settings["n_readers"], settings["n_computers"], 1

    return run_timed


def timed_run(
    slide: Path,
    kind: Callable[[Timing], Callable[..., None]],
    monkeypatch: pytest.MonkeyPatch,
) -> Timing:
    timing = Timing()
    with monkeypatch.context() as patch:
        patch.setattr(analyze, "run_pipeline", kind(timing))
        started = time.perf_counter()
        result = analyze.run(request(slide, REGION_L0), SilentProgress())
        timing.whole = time.perf_counter() - started
    timing.megapixels = result["megapixels"]
    return timing


def test_throughput_beside_its_bound(
    big_slide: Path, monkeypatch: pytest.MonkeyPatch, one_thread_each: None
) -> None:
    """The bound: no stage is faster than its threads, all together not faster than the cores."""
    stages, runs = [], []
    for _round in range(ROUNDS):
        stages.append(timed_run(big_slide, serial, monkeypatch))
        runs.append(timed_run(big_slide, threaded, monkeypatch))
    best = [min(timing.stages[stage] for timing in stages) for stage in range(3)]
    run = min(runs, key=lambda timing: timing.whole)
    cores = len(os.sched_getaffinity(0))
    limits = [n / seconds for n, seconds in zip(run.threads, best, strict=True)]
    bound = run.megapixels * min(*limits, cores / sum(best))
    print(f"\n\n{cores} cores, {run.megapixels:.1f} MP at the analysis resolution")
    print(f"{'stage':22} {'threads':>7} {'seconds':>8} {'MP/s':>8}")
    rows = zip(("reading", "computing", "outlines, writing"), run.threads, best, strict=True)
    for name, threads, seconds in rows:
        print(f"{name:22} {threads:7} {seconds:8.2f} {run.megapixels / seconds:8.1f}")
    print(f"{'bound':22} {'':7} {run.megapixels / bound:8.2f} {bound:8.1f}")
    for name, seconds in (("pipeline", run.pipeline), ("whole run", run.whole)):
        speed = run.megapixels / seconds
        print(f"{name:22} {'':7} {seconds:8.2f} {speed:8.1f}   {speed / bound:.2f} of the bound")
    assert run.megapixels / run.whole >= GOAL_RATIO * bound


def test_memory_and_first_tile(big_slide: Path) -> None:
    runner = JobRunner(lambda call: call())
    told: list[float] = []
    try:
        runner.warm_up()
        missing = {"slide": "missing.svs"}
        runner.submit(JobRequest("pathoview.tasks.analyze:run", missing, "warm")).wait(60)
        started = time.perf_counter()
        asked = JobRequest("pathoview.tasks.analyze:run", request(big_slide, None), "big")
        job = runner.submit(asked)
        job.event.connect(
            lambda kind, _data: told.append(time.perf_counter() - started) if kind == "tile" else 0
        )
        job.set_focus(Rect(20_000, 20_000, 1900, 1000))
        assert job.wait(3600)
        assert job.state is JobState.DONE, job.details
        memory = peak_memory_mib(runner.worker_pid())
    finally:
        runner.close()
    result = job.result or {}
    print(f"\n\n{result['megapixels']:.0f} MP, {result['n_objects']:,} nuclei", end=", ")
    print(f"{result['seconds']:.1f} s, {result['mp_per_s']:.1f} MP/s", end=", ")
    print(f"peak {memory:.0f} MiB, first tile after {told[0]:.2f} s")
    assert memory < GOAL_MEMORY_MIB
    assert told[0] <= GOAL_FIRST_TILE_S


def peak_memory_mib(pid: int | None) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
