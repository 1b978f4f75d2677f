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

from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.jobs.runner import JobRunner
from pathoview.tasks import analysis, analyze

REGION_L0 = {
    "nuclei_watershed": (4096, 4096, 32768, 32768),
    "nuclei_unet": (8192, 8192, 12288, 12288),
}
GOAL_FIRST_TILE_S = 2.0
GOAL_MEMORY_MIB = 2048


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


def request(slide: Path, method: str, region_l0: tuple[int, ...] | None) -> dict[str, Any]:
    return {"slide": str(slide), "method": method, "region_l0": region_l0}


def time_stages(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Analyze without threads (a task for the worker)."""
    return timed_serially(analysis, analyze.run, request, progress)


def time_run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Analyze as always (a task for the worker)."""
    return timed_as_always(analysis, analyze.run, request, progress)


@pytest.mark.parametrize("method", list(REGION_L0))
def test_throughput_beside_its_bound(big_slide: Path, runner: JobRunner, method: str) -> None:
    found = throughput(runner, "bench_analyze", **request(big_slide, method, REGION_L0[method]))
    megapixels = found.run["megapixels"]
    print(f"\n\n{method}, {found.n_cores} cores, {megapixels:.1f} MP at the analysis resolution")
    found.show(("reading", "computing", "outlines, writing"), megapixels, "MP")
    assert found.ratio >= GOAL_RATIO


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
