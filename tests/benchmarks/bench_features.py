"""How fast a slide's tiles are described, beside what the stages allow; memory; a kill.

`pytest tests/benchmarks/bench_features.py -s`, on a machine that does nothing else. All of it runs
in a worker process, as in the window.

``PATHOVIEW_BIG_SLIDE`` names a pyramid made earlier by ``make_big_slide.py``; else one of
``PATHOVIEW_BIG_SIDE`` px (40,000) is made.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_analyze import finished, peak_memory_mib
from make_big_slide import make_big_slide

from pathoview.core.progress import Progress
from pathoview.jobs.runner import Job, JobRequest, JobRunner, JobState
from pathoview.tasks import feature_extraction, features

ROUNDS = 2
GOAL_RATIO = 0.85
GOAL_MEMORY_MIB = 2048
N_BLOCKS_BEFORE_KILL = 3
PATIENCE_S = 7200.0


@pytest.fixture(scope="module")
def big_slide(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    ready = os.environ.get("PATHOVIEW_BIG_SLIDE")
    if ready:
        return Path(ready)
    side_px = int(os.environ.get("PATHOVIEW_BIG_SIDE", "40000"))
    return make_big_slide(tmp_path_factory.mktemp("big") / "big.tif", side_px)


@pytest.fixture
def runner(own_home: Path) -> Iterator[JobRunner]:
    """A runner with a worker that has imported what it needs."""
    runner = JobRunner(lambda call: call())
    submit(runner, "bench_features:warm_up").wait(PATIENCE_S)
    yield runner
    runner.close()


def submit(runner: JobRunner, task: str, **payload: Any) -> Job:
    return runner.submit(JobRequest(task, payload, "benchmark"))


def warm_up(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Build the encoder and compute a tile (a task for the worker)."""
    features._encoder(features.FeatureOrder()).rows(np.zeros((1, 224, 224, 3), np.uint8))
    return {}


def time_stages(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Describe without threads (a task for the worker); return the seconds of each stage."""
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
        patch.setattr(feature_extraction, "run_pipeline", run_serially)
        features.run(request, progress)
    return {"stages": seconds}


def time_run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Describe as always (a task for the worker); return the seconds of the pipeline and of all."""
    run_pipeline, timing = feature_extraction.run_pipeline, dict[str, Any]()

    def run_timed(*steps: Any, **settings: Any) -> None:
        started = time.perf_counter()
        run_pipeline(*steps, **settings)
        timing["pipeline"] = time.perf_counter() - started
        timing["threads"] = [settings["n_readers"], settings["n_computers"], 1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_extraction, "run_pipeline", run_timed)
        started = time.perf_counter()
        result = features.run(request, progress)
    return {**timing, "whole": time.perf_counter() - started, **result}


def test_throughput_beside_its_bound(big_slide: Path, runner: JobRunner) -> None:
    """The bound: no stage is faster than its threads, all together not faster than the cores."""
    asked = {"slide": str(big_slide), "restart": True}
    serial, threaded = [], []
    for _round in range(ROUNDS):
        serial.append(finished(submit(runner, "bench_features:time_stages", **asked))["stages"])
        threaded.append(finished(submit(runner, "bench_features:time_run", **asked)))
    best = min(serial, key=sum)
    run = min(threaded, key=lambda timing: timing["whole"])
    n_tiles, threads = run["n_tiles"], run["threads"]
    cores = len(os.sched_getaffinity(0))
    limits = [n / seconds for n, seconds in zip(threads, best, strict=True)]
    bound = n_tiles * min(*limits, cores / sum(best))
    print(f"\n\n{cores} cores, {n_tiles:,} tiles, {run['megapixels']:.0f} MP", end=", ")
    print(f"{run['bytes'] / 1e6:.1f} MB of features")
    print(f"{'stage':22} {'threads':>7} {'seconds':>8} {'tiles/s':>8}")
    names = ("reading", "encoding", "writing")
    for name, n_threads, seconds in zip(names, threads, best, strict=True):
        print(f"{name:22} {n_threads:7} {seconds:8.2f} {n_tiles / seconds:8.1f}")
    print(f"{'bound':22} {'':7} {n_tiles / bound:8.2f} {bound:8.1f}")
    for name in ("pipeline", "whole"):
        speed = n_tiles / run[name]
        print(f"{name:22} {'':7} {run[name]:8.2f} {speed:8.1f}   {speed / bound:.2f} of the bound")
    print(f"peak {peak_memory_mib(runner.worker_pid()):.0f} MiB")
    assert n_tiles / run["whole"] >= GOAL_RATIO * bound


def test_memory_and_a_kill(big_slide: Path, runner: JobRunner) -> None:
    task, asked = "pathoview.tasks.features:run", {"slide": str(big_slide)}
    whole = finished(submit(runner, task, **asked))
    memory = peak_memory_mib(runner.worker_pid())
    undisturbed = features.bag_of(Path(whole["path"]))[0]
    Path(whole["path"]).unlink()

    before: list[tuple[float, ...]] = []

    def kill_at_last(kind: str, data: Mapping[str, Any]) -> None:
        if kind == "tile":
            before.append(tuple(data["rect_l0"]))
            if len(before) == N_BLOCKS_BEFORE_KILL and (pid := runner.worker_pid()):
                os.kill(pid, signal.SIGKILL)

    job = submit(runner, task, **asked)
    job.event.connect(kill_at_last)
    assert job.wait(PATIENCE_S)
    assert job.state is JobState.DIED
    after: list[tuple[float, ...]] = []
    resumed = submit(runner, task, **asked)
    resumed.event.connect(
        lambda kind, data: after.append(tuple(data["rect_l0"])) if kind == "tile" else None
    )
    again = finished(resumed)
    found = features.bag_of(Path(again["path"]))[0]
    repeated = set(before[:N_BLOCKS_BEFORE_KILL]) & set(after)
    print(f"\n\n{whole['n_tiles']:,} tiles, peak {memory:.0f} MiB; killed after", end=" ")
    print(f"{len(before)} blocks, {len(after)} left, {len(repeated)} repeated", end="; ")
    print(f"largest difference {np.abs(found - undisturbed).max():g}")
    assert memory < GOAL_MEMORY_MIB
    assert repeated == set()
    assert np.array_equal(found, undisturbed)
