"""A million objects in the open program: importing, opening, recolouring, picking, memory.

``pytest tests/benchmarks/bench_objects.py -s``; ``PATHOVIEW_BENCH_OBJECTS`` names another number
than a million, ``PATHOVIEW_BENCH_JSON`` a file for the numbers.
Everything is measured in processes of its own, in a session with the worker processes and the
threads of the program, on a screen of 1,920 × 1,080 px: only the window itself is missing.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
N_OBJECTS = int(os.environ.get("PATHOVIEW_BENCH_OBJECTS", "1000000"))
N_VERTICES, N_MEASUREMENTS, SIDE_PX = 16, 3, 40_000
BATCH_ROWS = 500
"""Objects of a tile of a run: what an analysis gives for a tile of 1,024 px."""
SCREEN = (1920, 1080)
N_ROUNDS = 20
GOALS = {
    "import: first objects seen": "≤ 2 s",
    "import: everything seen": "≤ 15 s",
    "result file: everything seen": "≤ 3 s",
    "recolour by measurement, whole slide": "≤ 0.5 s",
    "recolour by measurement, at 1:1": "≤ 0.5 s",
    "pick, median": "≤ 5 ms",
    "pick, slowest": "≤ 5 ms",
    "columns and index": "≤ 600 MiB",
    "stall while 6,700 outlines are painted": "≤ 5 ms",
}
Numbers = dict[str, tuple[float, str]]
"""What was measured → (value, unit)."""


# -- the program, without its window ---------------------------------------------------------------


class Desk:
    """A session, its event loop, and a screen that wants its tiles."""

    def __init__(self) -> None:
        from stage import Loop

        from pathoview.core import threads
        from pathoview.jobs.runner import JobRunner
        from pathoview.session.session import Session
        from pathoview.session.settings import Settings

        if hasattr(threads, "keep_responsive"):
            threads.keep_responsive()
        self.loop = Loop()
        self.longest_stall_s = 0.0
        self._inside = 0
        self.session = Session(self._post, Settings(), JobRunner(self._post))
        self.session.viewport.set_size(*SCREEN)
        for signal in (self.session.layers_changed, self.session.viewport_changed):
            signal.connect(self.want)

    def _post(self, call: Callable[[], None]) -> None:
        def timed() -> None:
            started = time.perf_counter()
            call()
            self.longest_stall_s = max(self.longest_stall_s, time.perf_counter() - started)

        self.loop.post(timed)

    def screen(self) -> list[Any]:
        viewport = self.session.viewport
        return [
            (layer.source, key)
            for layer in self.session.layers
            for pyramid in [layer.source.pyramid]
            for key in pyramid.tiles_in(viewport.visible_l0, pyramid.level_for(viewport.downsample))
        ]

    def want(self) -> None:
        if self.session.slide is not None:
            self.session.scheduler.request(self.screen())

    def shows_objects(self) -> bool:
        """Whether something but the slide is on the screen."""
        if not len(self.session.layers):
            return False
        slide = self.session.layers[0].source
        scheduler = self.session.scheduler
        return any(
            piece.pixels[..., 3].any()
            for source, key in self.screen()
            if source is not slide
            for piece in scheduler.pieces(source, key)
        )

    def is_finished(self) -> bool:
        """Whether every object was loaded and every tile of the screen is fine."""
        runs = self.session.runs
        if not runs or self.session.is_busy or len(runs[-1].source) != runs[-1].record.n_objects:
            return False
        return self.is_painted()

    def is_painted(self) -> bool:
        scheduler = self.session.scheduler
        return all(scheduler.get(source, key) is not None for source, key in self.screen())

    def seconds_until(self, is_so: Callable[[], bool]) -> float:
        started = time.perf_counter()
        self.loop.run_until(is_so, 120)
        return time.perf_counter() - started

    def open(self, slide: str) -> None:
        self.session.open(slide)
        self.loop.run_until(lambda: self.session.slide is not None, 60)


def import_file(slide: str, geojson: str) -> Numbers:
    """Import a file onto an open slide."""
    desk = Desk()
    desk.open(slide)
    desk.loop.run_for(1)
    desk.longest_stall_s = 0.0
    job = desk.session.exchange.import_as(Path(geojson), "geojson")
    assert job is not None
    first = desk.seconds_until(desk.shows_objects)
    rest = desk.seconds_until(lambda: job.is_over)
    drawn = desk.seconds_until(desk.is_finished)
    assert not job.error, job.error
    numbers: Numbers = {
        "import: first objects seen": (first, "s"),
        "import: read and stored": (first + rest, "s"),
        "import: everything seen": (first + rest + drawn, "s"),
        "import: longest stall of the loop": (desk.longest_stall_s * 1e3, "ms"),
    }
    desk.session.close()
    return numbers


def open_result(slide: str) -> Numbers:
    """Open a slide whose run was stored before, then look at it in other colours and places."""
    desk = Desk()
    desk.open(slide)
    desk.longest_stall_s = 0.0
    first = desk.seconds_until(desk.shows_objects)
    rest = desk.seconds_until(desk.is_finished)
    stall = desk.longest_stall_s
    numbers: Numbers = {
        "result file: first objects seen": (first, "s"),
        "result file: everything seen": (first + rest, "s"),
        "result file: longest stall of the loop": (stall * 1e3, "ms"),
    }
    for name, scale in {"whole slide": None, "at 4× less": 0.25, "at 1:1": 1.0}.items():
        if scale is not None:
            desk.session.viewport.look_at(SIDE_PX / 2, SIDE_PX / 2, scale)
        numbers[f"painted, {name}"] = (desk.seconds_until(desk.is_painted), "s")
        for column in desk.session.runs[-1].measurement_names[:1]:
            seconds, blocked = _recolored(desk, column)
            numbers[f"recolour by measurement, {name}"] = (seconds, "s")
            numbers[f"recolour by measurement, {name}: caller"] = (blocked * 1e3, "ms")
    numbers |= _picks(desk)
    desk.session.close()
    return numbers


def _recolored(desk: Desk, column: str) -> tuple[float, float]:
    overlay = desk.session.settings.overlay
    overlay.mode, overlay.measurement = "measurement", column
    started = time.perf_counter()
    desk.session.overlay.apply()
    blocked = time.perf_counter() - started
    seconds = blocked + desk.seconds_until(desk.is_painted)
    overlay.mode = "class"
    desk.session.overlay.apply()
    desk.seconds_until(desk.is_painted)
    return seconds, blocked


def _picks(desk: Desk) -> Numbers:
    source = desk.session.runs[-1].source
    times = []
    for x, y in np.random.default_rng(0).uniform(0, SIDE_PX, (500, 2)).tolist():
        started = time.perf_counter()
        source.pick(x, y)
        times.append(1e3 * (time.perf_counter() - started))
    return {"pick, median": (float(np.median(times)), "ms"), "pick, slowest": (max(times), "ms")}


def memory() -> Numbers:
    """How much a process grows by the columns and the index."""
    from pathoview.layers.detection_source import DetectionSource

    source = DetectionSource(SIDE_PX, SIDE_PX)
    _tables(2 * BATCH_ROWS)
    before = _resident_mib()
    started = time.perf_counter()
    for table in _tables():
        source.add(table)
    seconds = time.perf_counter() - started
    grown = _resident_mib() - before
    source.read_tile(next(source.pyramid.tiles_in(source.pyramid.tile_l0(_last(source)), 10)))
    return {
        "columns and index": (grown, "MiB"),
        "columns, index and density": (_resident_mib() - before, "MiB"),
        "made and added": (seconds, "s"),
    }


def _last(source: Any) -> Any:
    from pathoview.core.pyramid import TileKey

    return TileKey(len(source.pyramid.levels) - 1, 0, 0)


def stalls() -> Numbers:
    """How long another thread waits at most while one tile of many outlines is painted.

    The best of several rounds is that of the program; the rest is due to other programs.
    """
    from pathoview.core import threads
    from pathoview.core.pyramid import TileKey
    from pathoview.layers.detection_source import DetectionSource
    from pathoview.layers.outline_colors import OutlineStyle

    if hasattr(threads, "keep_responsive"):
        threads.keep_responsive()
    source = DetectionSource(512, 512)
    source.add(_table(6700, 3, 512))
    numbers: Numbers = {}
    for name, fill in {"6,700 outlines": 0.0, "6,700 filled outlines": 0.35}.items():
        source.style = OutlineStyle(fill_opacity=fill)
        source.read_tile(TileKey(4, 0, 0))
        times, stalls_ms = [], []
        for _time in range(N_ROUNDS):
            started = time.perf_counter()
            with _ticking() as gaps:
                source.read_tile(TileKey(4, 0, 0))
            times.append(1e3 * (time.perf_counter() - started))
            stalls_ms.append(1e3 * max(gaps, default=0.0))
        numbers[f"{name} painted"] = (float(np.median(times)), "ms")
        numbers[f"stall while {name} are painted, median"] = (float(np.median(stalls_ms)), "ms")
        numbers[f"stall while {name} are painted"] = (min(stalls_ms), "ms")
    return numbers


@contextmanager
def _ticking() -> Iterator[list[float]]:
    gaps: list[float] = []
    done = threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0.0005)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    thread = threading.Thread(target=tick)
    thread.start()
    yield gaps
    done.set()
    thread.join()


def real_nuclei(path: str) -> Numbers:
    """Index and paint the nuclei of a real slide at every size."""
    from bench_geojson import _real_objects

    from pathoview.core.geometry import Rect
    from pathoview.layers.detection_source import DetectionSource

    table, _with_holes = _real_objects(Path(path))
    source = DetectionSource(47_001, 66_210)
    numbers: Numbers = {}
    started = time.perf_counter()
    for start in range(0, len(table), 50_000):
        source.add(table.take(np.arange(start, min(start + 50_000, len(table)))))
    numbers[f"{len(table):,} real nuclei added"] = (time.perf_counter() - started, "s")
    x, y = np.median(table.centroids_l0(), axis=0)
    for level, size in enumerate(source.pyramid.levels):
        reach = 1024 * size.downsample
        keys = list(
            source.pyramid.tiles_in(Rect(x - reach, y - reach, 2 * reach, 2 * reach), level)
        )
        source.read_tile(keys[0])
        times = []
        for key in keys:
            started = time.perf_counter()
            source.read_tile(key)
            times.append(1e3 * (time.perf_counter() - started))
        if size.downsample >= 1:
            numbers[f"real nuclei, slowest tile at downsample {size.downsample:g}"] = (
                max(times),
                "ms",
            )
    return numbers


# -- objects, and where they are measured ----------------------------------------------------------


def _tables(n_objects: int = N_OBJECTS) -> Iterator[Any]:
    """Yield tables of objects that lie together, as an analysis finds them: in tiles."""
    n_tiles = n_objects // BATCH_ROWS
    across = int(np.ceil(np.sqrt(n_tiles)))
    side = SIDE_PX // across
    for tile in range(n_tiles):
        row, column = divmod(tile, across)
        yield _table(BATCH_ROWS, tile, side).moved(column * side, row * side)


def _table(n: int, seed: int, side: int) -> Any:
    from outline_tables import random_table

    return random_table(
        n, seed=seed, n_vertices=N_VERTICES, n_measurements=N_MEASUREMENTS, side_px=side
    )


def make_run(slide: str) -> Numbers:
    """Store a finished run of a slide where the program looks for it."""
    from pathoview.slides.opening import open_slide
    from pathoview.study.records import RunRecord
    from pathoview.study.results import RunFile, new_run_path

    with open_slide(Path(slide)) as opened:
        record = RunRecord(
            key="k",
            method="nuclei_watershed",
            title="Nuclei",
            slide_hash=opened.content_hash,
            pseudonym=opened.pseudonym,
        )
    path = new_run_path(record)
    with RunFile.create(path, record) as run_file:
        run_file._connection.execute("PRAGMA synchronous=OFF")
        for number, table in enumerate(_tables()):
            run_file.add_tile(number % 1000, number // 1000, table)
        run_file.update_record(n_objects=N_OBJECTS // BATCH_ROWS * BATCH_ROWS, state="done")
    return {}


def export_run(output: str) -> Numbers:
    """Write the run of `make_run` as GeoJSON."""
    from pathoview.core.paths import data_folder
    from pathoview.core.progress import SilentProgress
    from pathoview.tasks import export_file

    run_file = next(data_folder().rglob("*.run"))
    export_file.run({"run_file": str(run_file), "output": output}, SilentProgress())
    return {}


def make_slide(path: str) -> Numbers:
    """Write a white pyramid."""
    import pyvips

    white = pyvips.Image.black(SIDE_PX, SIDE_PX, bands=3) + 255
    white.cast("uchar").copy(interpretation="srgb", xres=4000, yres=4000).tiffsave(
        path, compression="jpeg", tile=True, pyramid=True, bigtiff=True, resunit="cm"
    )
    return {}


def _resident_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


TASKS: dict[str, Callable[..., Numbers]] = {
    task.__name__: task
    for task in (
        *(make_slide, make_run, export_run),
        *(import_file, open_result, memory, stalls, real_nuclei),
    )
}


def measured(task: Callable[..., Numbers], *arguments: str, home: Path) -> Numbers:
    """Run a task in a process of its own, print and return its numbers."""
    folders = [HERE, HERE.parent / "annotations", HERE.parent / "session", *sys.path]
    environment = os.environ | {
        "PATHOVIEW_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
    }
    command = [sys.executable, __file__, task.__name__, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    numbers = json.loads(done.stdout.splitlines()[-1])
    for name, (value, unit) in numbers.items():
        print(f"{name:<58}{value:>10.3f} {unit:<4}  {GOALS.get(name, '')}")
    return dict(numbers)


class Bench:
    """The files that all measurements share, and all their numbers."""

    def __init__(self, folder: Path) -> None:
        self.slide, self.geojson = str(folder / "white.tif"), str(folder / "objects.geojson")
        self.home, self.empty_home = folder / "home", folder / "empty"
        self.numbers: Numbers = {}
        for task, argument in (
            (make_slide, self.slide),
            (make_run, self.slide),
            (export_run, self.geojson),
        ):
            measured(task, argument, home=self.home)

    def measure(self, task: Callable[..., Numbers], *arguments: str) -> Numbers:
        home = self.home if task is open_result else self.empty_home
        numbers = measured(task, *arguments, home=home)
        self.numbers |= numbers
        return numbers


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    print()
    bench = Bench(tmp_path_factory.mktemp("objects"))
    yield bench
    if path := os.environ.get("PATHOVIEW_BENCH_JSON"):
        machine = {"machine": platform.platform(), "cores": os.cpu_count(), "objects": N_OBJECTS}
        Path(path).write_text(json.dumps({**machine, "numbers": bench.numbers}, indent=2))


def test_import_of_a_file(bench: Bench) -> None:
    bench.measure(import_file, bench.slide, bench.geojson)


def test_opening_a_result_recolouring_and_picking(bench: Bench) -> None:
    bench.measure(open_result, bench.slide)


def test_memory_of_columns_and_index(bench: Bench) -> None:
    bench.measure(memory)


def test_stalls_while_a_crowded_tile_is_painted(bench: Bench) -> None:
    bench.measure(stalls)


def test_the_nuclei_of_a_real_slide(bench: Bench, shared_data: Path) -> None:
    bench.measure(real_nuclei, str(shared_data / "polygons" / "hgsc_nuclei_wsi_int.npz"))


if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
