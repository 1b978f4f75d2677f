"""How fast a slide's tiles are described, beside what the stages allow; memory; a kill.

`pytest tests/benchmarks/bench_features.py -s`, on a machine that does nothing else. All of it runs
in a worker process, as in the window.

``PATHOVIEW_BIG_SLIDE`` names a pyramid made earlier by ``make_big_slide.py``; else one of
``PATHOVIEW_BIG_SIDE`` px (40,000) is made.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from make_big_slide import make_big_slide
from stages import (
    GOAL_RATIO,
    PATIENCE_S,
    finished,
    peak_memory_mib,
    submit,
    throughput,
    timed_as_always,
    timed_serially,
)

from pathoview.core.progress import Progress
from pathoview.jobs.runner import JobRunner, JobState
from pathoview.tasks import feature_extraction, features

GOAL_MEMORY_MIB = 2048
N_BLOCKS_BEFORE_KILL = 3


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


def warm_up(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Build the encoder and compute a tile (a task for the worker)."""
    features._encoder(features.FeatureOrder()).rows(np.zeros((1, 224, 224, 3), np.uint8))
    return {}


def time_stages(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Describe without threads (a task for the worker)."""
    return timed_serially(feature_extraction, features.run, request, progress)


def time_run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Describe as always (a task for the worker)."""
    return timed_as_always(feature_extraction, features.run, request, progress)


def test_throughput_beside_its_bound(big_slide: Path, runner: JobRunner) -> None:
    found = throughput(runner, "bench_features", slide=str(big_slide), restart=True)
    run = found.run
    print(
        f"\n\n{found.n_cores} cores, {run['n_tiles']:,} tiles, {run['megapixels']:.0f} MP", end=", "
    )
    print(f"{run['bytes'] / 1e6:.1f} MB of features")
    found.show(("reading", "encoding", "writing"), run["n_tiles"], "tiles")
    print(f"peak {peak_memory_mib(runner.worker_pid()):.0f} MiB")
    assert found.ratio >= GOAL_RATIO


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
