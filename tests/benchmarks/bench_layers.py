"""A million nuclei on a 40,000 × 40,000 px slide: loading, painting, picking, and stalls.

``pytest tests/benchmarks/bench_layers.py -s``; ``PATHOVIEW_BENCH_OBJECTS`` changes the number.
"""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.core.geometry import Rect
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.outline_colors import OutlineStyle

SIDE = 40_000
N_OBJECTS = int(os.environ.get("PATHOVIEW_BENCH_OBJECTS", "1000000"))
N_VERTICES = 17
CLASSES = (DetectionClass("Tumor", (200, 0, 0)), DetectionClass("Stroma", (150, 200, 150)))


def nuclei(n: int, within: Rect, seed: int) -> Detections:
    rng = np.random.default_rng(seed)
    centers = rng.uniform((within.x, within.y), (within.right, within.bottom), (n, 2))
    angles = np.linspace(0, 2 * np.pi, N_VERTICES, endpoint=False)
    radii = rng.uniform(8, 14, (n, 1, 1))
    rings = centers[:, None] + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Detections(
        np.rint(rings.reshape(-1, 2) * SUBPIXEL).astype(np.int32),
        np.arange(n + 1, dtype=np.int64) * N_VERTICES,
        rng.integers(0, 256, (n, 16), np.uint8),
        rng.integers(0, 2, n).astype(np.int16),
        CLASSES,
        {"Area µm²": (np.pi * radii[:, 0, 0] ** 2).astype(np.float32)},
    )


def timed(what: str, call: object, times: int = 1) -> None:
    assert callable(call)
    started = time.perf_counter()
    for _time in range(times):
        call()
    print(f"{what:<58}{(time.perf_counter() - started) / times * 1e3:>10.2f} ms")


@pytest.fixture(scope="module")
def source() -> DetectionSource:
    """The table as it comes from an analysis: chunk by chunk, each from one place."""
    source = DetectionSource(SIDE, SIDE)
    n_chunks = 20
    strip = SIDE / n_chunks
    chunks = [
        nuclei(N_OBJECTS // n_chunks, Rect(0, index * strip, SIDE, strip), index)
        for index in range(n_chunks)
    ]
    print()
    timed(f"append {N_OBJECTS:,} in {n_chunks} chunks", lambda: [source.add(c) for c in chunks])
    return source


def test_times_of_what_a_person_waits_for(source: DetectionSource) -> None:
    small = nuclei(500, Rect(5000, 5000, 1024, 1024), 99)
    timed("append 500 more (one analysis tile)", lambda: source.append(small))
    for level, size in enumerate(source.pyramid.levels):
        keys = list(source.pyramid.tiles_in(Rect(20_000, 20_000, 1, 1), level))
        source.read_tile(keys[0])
        timed(
            f"paint a tile at downsample {size.downsample:g}",
            lambda keys=keys: source.read_tile(keys[0]),
            5,
        )
    timed("pick", lambda: source.pick(20_000, 20_000), 20)
    timed("recolour a class", lambda: source.recolor_class("Tumor", (0, 0, 200)))
    timed("counts per class", source.class_counts)
    timed("one column", lambda: source.column("Area µm²"))
    source.style = OutlineStyle("measurement", measurement="Area µm²")
    keys = list(source.pyramid.tiles_in(Rect(20_000, 20_000, 1, 1), 10))
    timed("first tile of dots by measurement", lambda: source.read_tile(keys[0]))
    source.style = OutlineStyle()


def test_stalls_of_another_thread_while_tiles_are_painted(source: DetectionSource) -> None:
    worst, done = 0.0, threading.Event()

    def paint(level: int) -> None:
        keys = list(source.pyramid.tiles_in(Rect(16_000, 16_000, 6000, 6000), level))
        while not done.is_set():
            for key in keys:
                source.read_tile(key)

    threads = [threading.Thread(target=paint, args=(level,)) for level in (5, 6)]
    for thread in threads:
        thread.start()
    gaps = []
    end = last = time.perf_counter()
    end += 3
    while last < end:
        time.sleep(0.001)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now
    done.set()
    for thread in threads:
        thread.join()
    worst = max(gaps)
    p99 = float(np.percentile(gaps, 99))
    print(f"\n{'stalls of a 1 ms ticker: 99th percentile, worst':<58}", end="")
    print(f"{p99 * 1e3:>10.1f} ms {worst * 1e3:>8.1f} ms")
