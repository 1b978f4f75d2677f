"""How smooth the canvas is: `pytest tests/benchmarks/bench_canvas.py -s`.

A view of 1,920 × 1,080 px of a large slide with 200,000 outlines is panned and zoomed.
Printed are the times of painting a frame and the longest time in which the window did nothing else.
``PATHOVIEW_BIG_SLIDE`` names a pyramid made earlier by ``make_big_slide.py``; else one of
16,384 × 16,384 px is made of the demo slide.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from make_big_slide import make_big_slide
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.core.paths import resources_folder
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.layer import Layer
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.canvas import Canvas

VIEW = (1920, 1080)
N_OUTLINES = 200_000
N_VERTICES = 17
FRAME_MS = 16
GOAL_PAN_MS, GOAL_ZOOM_MS = 8.0, 33.0


@dataclass
class Times:
    """What was measured while one thing was done, milliseconds."""

    paints: list[float] = field(default_factory=list)
    longest_stall: float = 0.0

    def row(self, name: str) -> str:
        median, p95 = np.percentile(self.paints, (50, 95))
        return (
            f"{name:<28}{len(self.paints):>7}{median:>9.1f}{p95:>9.1f}"
            f"{max(self.paints):>9.1f}{self.longest_stall:>12.1f}"
        )


class TimedCanvas(Canvas):
    """A canvas that notes how long a frame takes to paint, and how evenly its heart beats."""

    def __init__(self, session: Session) -> None:
        self.times = Times()
        super().__init__(session)
        self.viewport = session.viewport
        self._last_beat = time.perf_counter()
        self._heart = QTimer(self, interval=2)
        self._heart.timeout.connect(self._beat)
        self._heart.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        start = time.perf_counter()
        super().paintEvent(event)
        self.times.paints.append(1e3 * (time.perf_counter() - start))

    def _beat(self) -> None:
        now = time.perf_counter()
        pause = 1e3 * (now - self._last_beat)
        self.times.longest_stall = max(self.times.longest_stall, pause)
        self._last_beat = now


@pytest.fixture
def big_slide(tmp_path: Path) -> Path:
    ready = os.environ.get("PATHOVIEW_BIG_SLIDE")
    demo = resources_folder() / "demo" / "CMU-1-Small-Region.svs"
    return Path(ready) if ready else make_big_slide(tmp_path / "big.tif", 16_384, source=demo)


@pytest.fixture
def canvas(big_slide: Path) -> Iterator[TimedCanvas]:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication([])
    bridge = Bridge()
    session = Session(bridge.post, Settings())
    canvas = TimedCanvas(session)
    canvas.resize(*VIEW)
    canvas.show()
    session.open(big_slide)
    while session.slide is None:
        wait(20)
    add_outlines(session)
    yield canvas
    session.close()
    bridge.close()
    canvas.close()
    canvas.deleteLater()
    assert application is not None
    application.processEvents()


def wait(ms: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def add_outlines(session: Session) -> None:
    """Lay outlines of 12 µm over the whole slide."""
    rng = np.random.default_rng(0)
    slide_l0 = session.viewport.slide_l0
    angles = np.linspace(0, 2 * np.pi, N_VERTICES, endpoint=False)
    circle = 24 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centers = rng.uniform((0, 0), (slide_l0.width, slide_l0.height), (N_OUTLINES, 2))
    points = (centers[:, None] + circle) * SUBPIXEL
    source = DetectionSource(slide_l0.width, slide_l0.height)
    source.add(
        Detections(
            np.rint(points.reshape(-1, 2)).astype(np.int32),
            np.arange(N_OUTLINES + 1, dtype=np.int64) * N_VERTICES,
            rng.integers(0, 256, (N_OUTLINES, 16), dtype=np.uint8),
            rng.integers(0, 2, N_OUTLINES).astype(np.int16),
            (DetectionClass("Tumor", (200, 0, 0)), DetectionClass("Stroma", (0, 160, 80))),
            {},
        )
    )
    session.layers.add(Layer("Nuclei", source))
    session.scheduler.add(source)


def timed(canvas: TimedCanvas, n_frames: int, step: Callable[[int], None]) -> Times:
    """Do a step a frame; return what it took."""
    wait(600)
    canvas.times = Times()
    for frame in range(n_frames):
        step(frame)
        wait(FRAME_MS)
    return canvas.times


def test_panning_and_zooming_stay_smooth(canvas: TimedCanvas) -> None:
    viewport = canvas.viewport
    center_l0, middle = viewport.slide_l0.center, (VIEW[0] / 2, VIEW[1] / 2)
    rng = np.random.default_rng(1)

    def zoomed(frame: int) -> None:
        if frame % 6 == 0:
            canvas.glide.zoom(*middle, 1.5 if (frame // 60) % 2 == 0 else 1 / 1.5)

    def jumped(frame: int) -> None:
        if frame % 20 == 0:
            x, y = rng.uniform(0.1, 0.9, 2) * (viewport.slide_l0.width, viewport.slide_l0.height)
            viewport.look_at(float(x), float(y))

    viewport.look_at(*center_l0, 0.37)
    slow = timed(canvas, 150, lambda frame: viewport.pan(-6, 3))
    fast = timed(canvas, 150, lambda frame: viewport.pan(-70, 40 if frame % 40 < 20 else -40))
    viewport.look_at(*center_l0, 0.05)
    zoom = timed(canvas, 240, zoomed)
    viewport.look_at(*center_l0, 0.37)
    jump = timed(canvas, 120, jumped)
    viewport.look_at(*center_l0, 0.37)
    whole = timed(canvas, 60, lambda frame: canvas.redraw())
    rows = {"slow pan": slow, "fast pan": fast, "zoom": zoom, "jumps": jump, "all redrawn": whole}
    print(f"\n{'ms':<28}{'paints':>7}{'median':>9}{'p95':>9}{'max':>9}{'stall':>12}")
    print("\n".join(times.row(name) for name, times in rows.items()))
    assert np.percentile(slow.paints, 95) <= GOAL_PAN_MS
    assert np.percentile(zoom.paints, 95) <= GOAL_ZOOM_MS
