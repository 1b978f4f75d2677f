"""How fast a slide is analyzed, beside what its stages allow.

`pytest tests/benchmarks/bench_analyze.py -s`, on a machine that does nothing else. All of it runs
in a worker process, as in the window.

``PATHOVIEW_BIG_SLIDE`` names a pyramid made earlier by ``make_big_slide.py``; else one is made.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from make_big_slide import make_big_slide

from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.jobs.runner import Job, JobRequest, JobRunner, JobState
from pathoview.tasks import analysis, analyze

REGION_L0 = {
    "nuclei_watershed": (4096, 4096, 32768, 32768),
    "nuclei_unet": (8192, 8192, 12288, 12288),
}
ROUNDS = 2
GOAL_RATIO = 0.85
GOAL_FIRST_TILE_S = 2.0
GOAL_MEMORY_MIB = 2048
PATIENCE_S = 3600.0


@pytest.fixture(scope="module")
def big_slide(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    ready = os.environ.get("PATHOVIEW_BIG_SLIDE")
    if ready:
        return Path(ready)
    return make_big_slide(tmp_path_factory.mktemp("big") / "big.tif")


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    """A runner with a warm worker."""
    runner = JobRunner(lambda call: call())
    runner.warm_up()
    submit(runner, "pathoview.tasks.analyze:run", slide="missing.svs").wait(PATIENCE_S)
    yield runner
    runner.close()


def submit(runner: JobRunner, task: str, **payload: Any) -> Job:
    return runner.submit(JobRequest(task, payload, "benchmark"))


def request(slide: Path, method: str, region_l0: tuple[int, ...] | None) -> dict[str, Any]:
    return {"slide": str(slide), "method": method, "region_l0": region_l0}


def time_stages(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Analyze without threads (a task for the worker); return the seconds of each stage."""
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
        patch.setattr(analysis, "run_pipeline", run_serially)
        analyze.run(request, progress)
    return {"stages": seconds}


def time_run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Analyze as always (a task for the worker); return the seconds of the pipeline and of all."""
    run_pipeline, timing = analysis.run_pipeline, dict[str, Any]()

    def run_timed(*steps: Any, **settings: Any) -> None:
        started = time.perf_counter()
        run_pipeline(*steps, **settings)
        timing["pipeline"] = time.perf_counter() - started
        timing["threads"] = [settings[f"n_{who}"] for who in ("readers", "computers", "finishers")]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "run_pipeline", run_timed)
        started = time.perf_counter()
        result = analyze.run(request, progress)
    whole = time.perf_counter() - started
    return {**timing, "whole": whole, "megapixels": result["megapixels"]}


@pytest.mark.parametrize("method", list(REGION_L0))
def test_throughput_beside_its_bound(big_slide: Path, runner: JobRunner, method: str) -> None:
    """The bound: no stage is faster than its threads, all together not faster than the cores."""
    asked = request(big_slide, method, REGION_L0[method])
    serial, threaded = [], []
    for _round in range(ROUNDS):
        serial.append(finished(submit(runner, "bench_analyze:time_stages", **asked))["stages"])
        threaded.append(finished(submit(runner, "bench_analyze:time_run", **asked)))
    best = min(serial, key=sum)
    run = min(threaded, key=lambda timing: timing["whole"])
    megapixels, threads = run["megapixels"], run["threads"]
    cores = len(os.sched_getaffinity(0))
    limits = [n / seconds for n, seconds in zip(threads, best, strict=True)]
    bound = megapixels * min(*limits, cores / sum(best))
    print(f"\n\n{method}, {cores} cores, {megapixels:.1f} MP at the analysis resolution")
    print(f"{'stage':22} {'threads':>7} {'seconds':>8} {'MP/s':>8}")
    names = ("reading", "computing", "outlines, writing")
    for name, n_threads, seconds in zip(names, threads, best, strict=True):
        print(f"{name:22} {n_threads:7} {seconds:8.2f} {megapixels / seconds:8.1f}")
    print(f"{'bound':22} {'':7} {megapixels / bound:8.2f} {bound:8.1f}")
    for name in ("pipeline", "whole"):
        speed = megapixels / run[name]
        print(f"{name:22} {'':7} {run[name]:8.2f} {speed:8.1f}   {speed / bound:.2f} of the bound")
    assert megapixels / run["whole"] >= GOAL_RATIO * bound


def test_memory_and_first_tile(big_slide: Path, runner: JobRunner) -> None:
    told: list[float] = []
    started = time.perf_counter()
    job = submit(
        runner, "pathoview.tasks.analyze:run", **request(big_slide, "nuclei_watershed", None)
    )
    job.event.connect(
        lambda kind, _data: told.append(time.perf_counter() - started) if kind == "tile" else None
    )
    job.set_focus(Rect(20_000, 20_000, 1900, 1000))
    result = finished(job)
    memory = peak_memory_mib(runner.worker_pid())
    print(f"\n\n{result['megapixels']:.0f} MP, {result['n_objects']:,} nuclei", end=", ")
    print(f"{result['seconds']:.1f} s, {result['mp_per_s']:.1f} MP/s", end=", ")
    print(f"peak {memory:.0f} MiB, first tile after {told[0]:.2f} s")
    assert memory < GOAL_MEMORY_MIB
    assert told[0] <= GOAL_FIRST_TILE_S


def finished(job: Job) -> Mapping[str, Any]:
    assert job.wait(PATIENCE_S)
    assert job.state is JobState.DONE, job.details or job.error
    assert job.result is not None
    return job.result


def peak_memory_mib(pid: int | None) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
