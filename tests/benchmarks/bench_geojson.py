"""How fast GeoJSON is written and read, and how much memory that takes.

`pytest tests/benchmarks/bench_geojson.py -s`
Every line is measured in a process of its own on one core. ``PATHOVIEW_BENCH_POLYGONS`` names
another number of polygons than a million.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
N_POLYGONS = int(os.environ.get("PATHOVIEW_BENCH_POLYGONS", "1000000"))
N_MEASUREMENTS = 6
GOAL_WRITE_MB_PER_S = 60
GOAL_READ_S = 15
GOAL_MEMORY_MIB = 1024
TILE_ROWS = 500
"""Objects of a tile of a run: what an analysis gives for a tile of 1,024 px."""


def make_run(path: Path) -> int:
    """Write a result file of random outlines; return how many."""
    sys.path.insert(0, str(HERE.parent / "annotations"))
    from outline_tables import random_table

    tables = (
        random_table(TILE_ROWS, seed=tile, n_measurements=N_MEASUREMENTS, side_px=100_000)
        for tile in range(N_POLYGONS // TILE_ROWS)
    )
    return _save(path, tables)


def make_real_run(path: Path, source: Path) -> int:
    """Write a result file of the nuclei of a real slide; return how many."""
    whole, with_holes = _real_objects(source)
    tables = (
        whole.take(np.arange(start, min(start + TILE_ROWS, len(whole))))
        for start in range(0, len(whole), TILE_ROWS)
    )
    return _save(path, tables, with_holes)


def _save(path: Path, tables: Iterator[Any], features: Sequence[Any] = ()) -> int:
    from pathoview.study.records import RunRecord
    from pathoview.study.results import RunFile

    record = RunRecord(key="k", method="m", title="t", slide_hash="h", pseudonym="p")
    n = 0
    with RunFile.create(path, record) as run_file:
        run_file._connection.execute("PRAGMA synchronous=OFF")
        for tile, table in enumerate(tables):
            run_file.add_tile(tile, 0, table)
            n += len(table)
        n += run_file.add_features(features)
        run_file.update_record(n_objects=n, state="done")
    return n


def _real_objects(source: Path) -> tuple[Any, list[Any]]:
    """Return the outlines without holes as a table, and the few with holes as features."""
    import shapely

    from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
    from pathoview.annotations.feature import Feature

    with np.load(source) as stored:
        arrays = dict(stored)
    counts = arrays["n"].astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    sums = np.cumsum(arrays["delta"].astype(np.int64), axis=0)  # a ring is first + cumsum(delta)
    firsts = np.repeat(arrays["first"] - sums[offsets[:-1]], counts, axis=0)
    colors = np.random.default_rng(0).integers(0, 256, (len(arrays["names"]), 3)).tolist()
    classes = tuple(map(DetectionClass, arrays["names"].tolist(), map(tuple, colors)))
    rings = Detections(
        ((sums + firsts) * SUBPIXEL).astype(np.int32),
        offsets,
        np.random.default_rng(1).integers(0, 256, (len(counts), 16), dtype=np.uint8),
        arrays["cls"].astype(np.int16) % len(classes),
        classes,
        {"Points": counts.astype(np.float32)},
    )
    polygon = arrays["polygon"]
    opened = np.unique(polygon[arrays["hole"]])
    parts = [[rings.ring_l0(row) for row in np.flatnonzero(polygon == one)] for one in opened]
    features = [
        Feature(shapely.Polygon(shell, holes), object_type="detection") for shell, *holes in parts
    ]
    return rings.take(~np.isin(polygon, opened)), features


def export(run_file: str, output: str) -> dict[str, Any]:
    from pathoview.core.progress import SilentProgress
    from pathoview.tasks import export_file

    return export_file.run({"run_file": run_file, "output": output}, SilentProgress())


def read(path: str) -> dict[str, Any]:
    from pathoview.annotations.geojson_reader import read_geojson

    batches = [(len(batch.detections), len(batch.features)) for batch in read_geojson(Path(path))]
    n_detections, n_features = map(sum, zip(*batches, strict=True))
    return {"n_objects": n_detections, "n_features": n_features}


def compare(run_file: str, path: str) -> dict[str, Any]:
    """Read a file back, and find the largest difference from the run; the order is the same."""
    from pathoview.annotations.detections import SUBPIXEL, concatenate
    from pathoview.annotations.geojson_reader import read_geojson
    from pathoview.study.results import RunFile

    with RunFile.open(Path(run_file)) as run:
        table = run.all()
    again = concatenate([batch.detections for batch in read_geojson(Path(path))])
    same_ids = bool(np.array_equal(table.ids, again.ids))
    largest = np.abs(table.points - again.points).max() / SUBPIXEL if same_ids else None
    return {"same_ids": same_ids, "largest_px": largest}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "export": export,
    "read": read,
    "compare": compare,
}


def measured(task: str, *arguments: str) -> dict[str, Any]:
    """Run a task in a process of its own; return its result, seconds and peak memory."""
    command = [sys.executable, __file__, task, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def _main() -> None:
    import time

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    started = time.perf_counter()
    result = TASKS[sys.argv[1]](*sys.argv[2:])
    result["wall_s"] = time.perf_counter() - started
    result["peak_mib"] = _peak_mib()
    print(json.dumps(result))


def _peak_mib() -> float:
    """Return the most memory this process had; `ru_maxrss` would count the parent's too."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture(scope="module")
def random_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    path = tmp_path_factory.mktemp("bench") / "random.run"
    return path, make_run(path)


@pytest.fixture(scope="module")
def real_run(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> tuple[Path, int]:
    path = tmp_path_factory.mktemp("bench") / "real.run"
    return path, make_real_run(path, shared_data / "polygons" / "hgsc_nuclei_wsi_int.npz")


def _there_and_back(run: tuple[Path, int], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    run_file, n = run
    output = run_file.with_name(name)
    written = measured("export", str(run_file), str(output))
    given = measured("read", str(output))
    size_mb = output.stat().st_size / 1e6
    print(
        f"\n{name}: {n:,} polygons, {size_mb:,.0f} MB"
        f"\n  write {written['wall_s']:6.1f} s  {written['mb_per_s']:6.1f} MB/s of text"
        f"  {written['peak_mib']:6.0f} MiB"
        f"\n  read  {given['wall_s']:6.1f} s  {size_mb / given['wall_s']:6.1f} MB/s of file"
        f"  {given['peak_mib']:6.0f} MiB"
    )
    assert written["n_objects"] + written["n_left_out"] == n
    assert given["n_objects"] + given["n_features"] == written["n_objects"]
    assert written["peak_mib"] < GOAL_MEMORY_MIB
    assert given["peak_mib"] < GOAL_MEMORY_MIB
    return written, given


def test_a_million_polygons_there_and_back(random_run: tuple[Path, int]) -> None:
    written, given = _there_and_back(random_run, "random.geojson")
    same = measured("compare", str(random_run[0]), str(random_run[0].with_name("random.geojson")))
    print(f"  ids equal: {same['same_ids']}, largest difference {same['largest_px']} px")
    assert same["same_ids"]
    assert same["largest_px"] <= 0.005
    assert written["mb_per_s"] >= GOAL_WRITE_MB_PER_S
    assert given["wall_s"] <= GOAL_READ_S


def test_packed_there_and_back(random_run: tuple[Path, int]) -> None:
    _there_and_back(random_run, "random.geojson.gz")


def test_the_nuclei_of_a_real_slide_there_and_back(real_run: tuple[Path, int]) -> None:
    _there_and_back(real_run, "real.geojson")


if __name__ == "__main__":
    _main()
