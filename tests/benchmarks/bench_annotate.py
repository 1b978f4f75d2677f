"""Drawing, deleting and taking back in the real window, over a million detections.

``pytest tests/benchmarks/bench_annotate.py -s``; ``PATHOVIEW_BENCH_OBJECTS`` names another number
than a million detections, ``PATHOVIEW_BENCH_ANNOTATIONS`` another than 100,000 annotations.
The window is 1,920 × 1,080 px, raster, offscreen; the gestures are events of mouse and keys.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bench_objects
import numpy as np
import pytest
from bench_objects import SCREEN, SIDE_PX, Numbers, make_run, make_slide

N_ANNOTATIONS = int(os.environ.get("PATHOVIEW_BENCH_ANNOTATIONS", "100000"))
N_STROKES = 30
GOALS = {
    "opening: first picture": "≤ 3 s",
    "brush: longest time until a move is painted": "≤ 16 ms",
    "brush: release to on disk, median": "≤ 100 ms",
    "brush: release to on disk, slowest": "≤ 100 ms",
    "undo of a stroke, median": "≤ 20 ms",
    "undo of a stroke, slowest": "≤ 20 ms",
    "delete of all: done and drawn": "≤ 2 s",
    "undo of that: done and drawn": "≤ 3 s",
}


def make_annotations(slide: str) -> Numbers:
    """Put many annotations into the private study of a slide, as an import would."""
    import shapely

    from pathoview.annotations.change import Change
    from pathoview.annotations.feature import Feature
    from pathoview.slides.opening import open_slide
    from pathoview.study.default_classes import default_classes
    from pathoview.study.model import StudyInfo
    from pathoview.study.step import StudyStep
    from pathoview.study.study import Study, private_path

    with open_slide(Path(slide)) as opened:
        slide_hash = opened.content_hash
    random = np.random.default_rng(0)
    centers = random.uniform(200, SIDE_PX - 200, (N_ANNOTATIONS, 2))
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radii = random.uniform(10, 60, (N_ANNOTATIONS, 1, 1))
    shapes = shapely.polygons(np.round(centers[:, None, :] + radii * circle[None], 2))
    classes = [one.drawn for one in default_classes()]
    picks = random.integers(0, len(classes), N_ANNOTATIONS).tolist()
    features = [
        Feature(shape, classification=classes[pick], author="bench", created="2026-01-01")
        for shape, pick in zip(shapes, picks, strict=True)
    ]
    study = Study(private_path(slide_hash), lambda *_said: None, info=StudyInfo(is_private=True))
    step = StudyStep(study.next_number(), slide_hash, "Import", change=Change.adding(features))
    study.do(step)
    started = time.perf_counter()
    assert study.close()
    return {"written to disk": (time.perf_counter() - started, "s")}


class Bench:
    """The window, and how long things take in it."""

    def __init__(self) -> None:
        from PySide6.QtWidgets import QApplication

        from pathoview.session.session import Session
        from pathoview.session.settings import Settings
        from pathoview.ui import theme
        from pathoview.ui.bridge import Bridge
        from pathoview.ui.main_window import MainWindow

        self.application = QApplication([])
        theme.apply_theme(self.application)
        self.bridge = Bridge()
        self.session = Session(self.bridge.post, Settings(accepted_research_use=True))
        self.window = MainWindow(self.session)
        self.window.resize(*SCREEN)
        self.window.show()
        self.canvas = self.window.canvas
        self.longest_turn_s = 0.0

    def seconds_until(self, is_so: Callable[[], bool], limit_s: float = 60) -> float:
        started = time.perf_counter()
        while not is_so():
            assert time.perf_counter() - started < limit_s, "it never came about"
            turn = time.perf_counter()
            self.application.processEvents()
            self.longest_turn_s = max(self.longest_turn_s, time.perf_counter() - turn)
            time.sleep(0.0005)
        return time.perf_counter() - started

    @property
    def annotations(self) -> Any:
        return self.session.annotations

    def is_at_rest(self) -> bool:
        """Whether all is drawn that is to be seen, and all is on disk."""
        is_drawn = self.annotations.document is not None and self.annotations.is_drawn
        return is_drawn and self.canvas.is_settled and not self.session.studies.n_unsaved

    def is_picture_there(self) -> bool:
        """Whether the slide, which is white, is to be seen on the dark canvas."""
        from PySide6.QtCore import QRect

        if self.session.slide is None:
            return False
        middle = self.canvas.rect().center()
        image = self.canvas.grab(QRect(middle.x() - 20, middle.y() - 20, 40, 40)).toImage()
        places = ((x, y) for x in range(0, 40, 5) for y in range(0, 40, 5))
        return any(image.pixelColor(x, y).lightness() > 200 for x, y in places)

    def n_there(self) -> int:
        return len(self.annotations.document or ())


def annotate(slide: str) -> Numbers:
    """Open, draw, delete, and take back."""
    bench = Bench()
    numbers: Numbers = {}
    bench.session.open(slide)
    numbers["opening: first picture"] = bench.seconds_until(bench.is_picture_there), "s"
    rest = bench.seconds_until(lambda: bool(bench.n_there()) and bench.annotations.is_drawn)
    numbers["opening: all annotations there"] = numbers["opening: first picture"][0] + rest, "s"
    bench.seconds_until(lambda: bool(bench.session.runs) and not bench.session.is_busy)
    bench.session.viewport.look_at(SIDE_PX / 2, SIDE_PX / 2, 1.0)
    bench.seconds_until(bench.is_at_rest)
    numbers |= _strokes(bench)
    numbers |= _mass(bench)
    bench.window.close()
    return numbers


def _strokes(bench: Bench) -> Numbers:
    from hands import move
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    left, random = Qt.MouseButton.LeftButton, np.random.default_rng(1)
    canvas, paints, saves, undos = bench.canvas, [], [], []
    bench.session.set_tool("brush")
    for _stroke in range(N_STROKES):
        x, y = random.integers(300, 700, 2).tolist()
        QTest.mousePress(canvas, left, pos=QPoint(x, y))
        for step in range(1, 16):
            started = time.perf_counter()
            move(canvas, QPoint(x + 8 * step, y + int(20 * np.sin(step))), left)
            bench.application.processEvents()
            paints.append(time.perf_counter() - started)
        started = time.perf_counter()
        QTest.mouseRelease(canvas, left, pos=QPoint(x + 120, y))
        bench.seconds_until(lambda: not bench.session.studies.n_unsaved)
        saves.append(time.perf_counter() - started)
    bench.seconds_until(bench.is_at_rest)
    for _stroke in range(N_STROKES):
        started = time.perf_counter()
        bench.session.undo()
        undos.append(time.perf_counter() - started)
        bench.seconds_until(bench.is_at_rest)
    return {
        "brush: a move until it is painted, median": (1e3 * float(np.median(paints)), "ms"),
        "brush: longest time until a move is painted": (1e3 * max(paints), "ms"),
        "brush: release to on disk, median": (1e3 * float(np.median(saves)), "ms"),
        "brush: release to on disk, slowest": (1e3 * max(saves), "ms"),
        "undo of a stroke, median": (1e3 * float(np.median(undos)), "ms"),
        "undo of a stroke, slowest": (1e3 * max(undos), "ms"),
    }


def _mass(bench: Bench) -> Numbers:
    """Delete all annotations, and bring them back."""
    numbers: Numbers = {}
    n = bench.n_there()
    bench.session.viewport.fit()
    bench.annotations.select_all()
    bench.seconds_until(bench.is_at_rest)
    for name, do in {
        "delete of all": partial(bench.session.operations.do, "delete"),
        "undo of that": bench.session.undo,
        "delete again": bench.session.redo,
    }.items():
        bench.longest_turn_s = 0.0
        started = time.perf_counter()
        do()
        caller = time.perf_counter() - started
        bench.seconds_until(lambda: bench.annotations.is_drawn and bench.canvas.is_settled)
        drawn = time.perf_counter() - started
        bench.seconds_until(bench.is_at_rest)
        numbers[f"{name}: done and drawn"] = drawn, "s"
        numbers[f"{name}: on disk"] = time.perf_counter() - started, "s"
        numbers[f"{name}: the window stood still"] = 1e3 * max(caller, bench.longest_turn_s), "ms"
    assert bench.n_there() == 0
    bench.session.undo()
    bench.seconds_until(bench.is_at_rest)
    assert bench.n_there() == n
    return numbers


TASKS: dict[str, Callable[..., Numbers]] = {
    task.__name__: task for task in (make_slide, make_run, make_annotations, annotate)
}


def test_drawing_over_a_million_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    print()
    monkeypatch.setattr(bench_objects, "__file__", __file__)
    monkeypatch.setattr(bench_objects, "GOALS", GOALS)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "ui")
    slide, numbers = str(tmp_path / "white.tif"), {}
    for task in (make_slide, make_run, make_annotations, annotate):
        numbers |= bench_objects.measured(task, slide, home=tmp_path / "home")
    if path := os.environ.get("PATHOVIEW_BENCH_JSON"):
        Path(path).write_text(json.dumps({"cores": os.cpu_count(), "numbers": numbers}, indent=2))


if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
