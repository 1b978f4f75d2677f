"""Painting in one thread does not stop another."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.core.pyramid import TileKey
from pathoview.core.threads import keep_responsive
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.outline_colors import OutlineStyle

N_OUTLINES, N_VERTICES, SIDE_PX = 6_700, 17, 512
LONGEST_STALL_S = 0.005
ATTEMPTS = 50
"""The machine may be busy with something else: one of them has to be undisturbed."""
LEVEL_0 = TileKey(4, 0, 0)
"""Four enlarged levels come first."""


@pytest.fixture
def responsive() -> Iterator[None]:
    before = sys.getswitchinterval()
    keep_responsive()
    yield
    sys.setswitchinterval(before)


def crowd() -> Detections:
    """Return outlines all over one tile."""
    rng = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, N_VERTICES, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings = rng.uniform(0, SIDE_PX, (N_OUTLINES, 1, 2)) + 5 * circle
    return Detections(
        np.rint(rings.reshape(-1, 2) * SUBPIXEL).astype(np.int32),
        np.arange(N_OUTLINES + 1, dtype=np.int64) * N_VERTICES,
        rng.integers(0, 256, (N_OUTLINES, 16), dtype=np.uint8),
        rng.integers(-1, 2, N_OUTLINES).astype(np.int16),
        (DetectionClass("Tumor", (200, 0, 0)), DetectionClass("Stroma", (0, 160, 80))),
        {"Area": rng.uniform(0, 1, N_OUTLINES).astype(np.float32)},
    )


def longest_stall_s(work: Callable[[], object]) -> float:
    """Return the longest time in which this thread could do nothing while another one works."""
    done = threading.Event()

    def do() -> None:
        work()
        done.set()

    thread = threading.Thread(target=do)
    longest, last = 0.0, time.perf_counter()
    thread.start()
    while not done.is_set():
        time.sleep(0.0002)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    thread.join()
    return longest


def best_of_attempts(work: Callable[[], object], attempts: int = ATTEMPTS) -> float:
    best = float("inf")
    for _attempt in range(attempts):
        best = min(best, longest_stall_s(work))
        if best <= LONGEST_STALL_S:
            break
    return best


@pytest.mark.parametrize(
    "style",
    [
        OutlineStyle(),
        OutlineStyle("single", fill_opacity=0.4),
        OutlineStyle("measurement", measurement="Area"),
    ],
    ids=["by class", "filled", "by measurement"],
)
@pytest.mark.usefixtures("responsive")
def test_another_thread_runs_while_a_crowded_tile_is_painted(style: OutlineStyle) -> None:
    source = DetectionSource(SIDE_PX, SIDE_PX, style)
    source.add(crowd())
    assert source.read_tile(LEVEL_0) is not None
    assert best_of_attempts(lambda: source.read_tile(LEVEL_0)) <= LONGEST_STALL_S


@pytest.mark.usefixtures("responsive")
def test_a_stall_would_be_noticed() -> None:
    def hold_the_lock() -> None:
        sum(range(5_000_000))  # one call that never makes way for another thread

    assert best_of_attempts(hold_the_lock, attempts=3) > LONGEST_STALL_S
