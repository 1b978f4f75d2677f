"""Strokes to a map on the screen: ten strokes, one more, and the parts of the time.

``pytest tests/benchmarks/bench_forest.py --benchmark-only -s`` prints a table. What is looked at is
1920 × 1080 px of a slide at 20× (0.5 µm per px): the real one in ``PATHOVIEW_BENCH_SLIDE`` if it
is set, else a generated field. OpenCV computes in one thread, as in the program.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.datasets.image_labels import ClassImage
from pathoview.datasets.labels import UNKNOWN, TargetClass
from pathoview.methods.fitting import FitContext
from pathoview.methods.supervised.pixel_forest import LiveForest
from pathoview.methods.supervised.pixel_forest_params import (
    PixelForestFitParams,
    PixelForestParams,
)
from pathoview.slides.opening import open_slide
from pathoview.slides.slide import Slide

VIEW_PX = (1920, 1080)
CLASSES = (TargetClass("Nuclei"), TargetClass("Tissue"))
N_STROKES = 10
STROKE_UM = (10, 100)
"""Width and length."""


class Strokes(ClassImage):
    """Labels that know where each stroke lies, as those of a study do."""

    def __init__(self, mask: np.ndarray[Any, Any], boxes: list[list[float]]) -> None:
        super().__init__(mask)
        self._boxes = np.array(boxes, np.float64)

    def extents_l0(self) -> np.ndarray[Any, Any]:
        return self._boxes


@dataclass
class Lesson:
    """A slide, what of it is looked at, and strokes there."""

    slide: Slide
    view: Rect

    def strokes(self, n: int) -> Strokes:
        """Return strokes over the view, the classes by turns."""
        rng = np.random.default_rng(1)
        mask = np.full((self.slide.info.height, self.slide.info.width), UNKNOWN, np.uint8)
        width, length = (round(um / self.slide.mpp) for um in STROKE_UM)
        boxes = []
        for number in range(n):
            x = self.view.x + rng.uniform(0.1, 0.8) * self.view.width
            y = self.view.y + rng.uniform(0.1, 0.8) * self.view.height
            start, end = (round(x), round(y)), (round(x + length * 0.8), round(y + length * 0.6))
            cv2.line(mask, start, end, number % 2 + 1, width)
            boxes.append([x - width, y - width, end[0] + width, end[1] + width])
        return Strokes(mask, boxes)

    def forest(self) -> LiveForest:
        return LiveForest(
            self.slide,
            CLASSES,
            PixelForestFitParams(),
            PixelForestParams(),
            FitContext(SilentProgress()),
        )


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    n_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(n_threads)


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    named = os.environ.get("PATHOVIEW_BENCH_SLIDE")
    slide = open_slide(Path(named)) if named else ArraySlide(he_image(2220, 1480, 4), 0.5)
    width, height = (side * 0.5 / slide.mpp for side in VIEW_PX)
    yield Lesson(slide, Rect(100, 150, width, height))
    slide.close()


def test_ten_strokes_to_the_first_map(benchmark: Any, lesson: Lesson) -> None:
    """Nothing is known of the slide before."""
    strokes = lesson.strokes(N_STROKES)

    def answer() -> None:
        forest = lesson.forest()
        forest.update(strokes)
        forest.paint(lesson.view)

    benchmark.pedantic(answer, rounds=5)


def test_one_stroke_more(benchmark: Any, lesson: Lesson) -> None:
    """The features of what is looked at are kept."""
    forest, more = lesson.forest(), lesson.strokes(N_STROKES + 1)
    forest.update(lesson.strokes(N_STROKES))
    forest.paint(lesson.view)

    def answer() -> None:
        forest.update(more)
        forest.paint(lesson.view)

    benchmark.pedantic(answer, rounds=5)


def test_where_the_time_goes(lesson: Lesson) -> None:
    forest, strokes = lesson.forest(), lesson.strokes(N_STROKES)
    parts: dict[str, Callable[[], object]] = {
        "features of the view": lambda: forest.prefetch(lesson.view),
        "learn from ten strokes": lambda: forest.update(strokes),
        "paint every second pixel": lambda: forest.paint(lesson.view, step=2),
        "paint every pixel": lambda: forest.paint(lesson.view),
    }
    print()
    for name, part in parts.items():
        start = time.perf_counter()
        part()
        print(f"{name:<28}{time.perf_counter() - start:>8.3f} s")
