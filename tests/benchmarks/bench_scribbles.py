"""Strokes on a real slide, learned by a network: ``pytest tests/benchmarks/bench_scribbles.py -s``.

Strokes of 10 × 100 µm are drawn at random in the two classes of the left half of a slide with a
mask (bcss_1008, breast, 0.25 µm per px, tumour or not); accuracy and IoU of tumour count on the
right half, of what was learned from strokes alone and of what self-training made of it. Data that
must not be passed on: the shared folder has them, or nothing is measured. Torch computes in one
thread.

``PATHOVIEW_BENCH_STROKES`` (5): how many a class; ``PATHOVIEW_BENCH_SEEDS`` (1): draws of strokes;
``PATHOVIEW_BENCH_FIT``: training parameters, as JSON.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pathoview.core.progress import SilentProgress
from pathoview.datasets.image_labels import ClassImage
from pathoview.datasets.labels import UNKNOWN, LabelledImage, TargetClass, TrainingData
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.weak import scribble_segmentation_training as training
from pathoview.methods.weak.scribble_segmentation import ScribbleSegmentation
from pathoview.methods.weak.scribble_segmentation_params import (
    MPP,
    ScribbleSegmentationFitParams,
    ScribbleSegmentationParams,
)
from pathoview.slides.opening import open_slide
from pathoview.slides.reading import analysis_grid, read_patch
from pathoview.slides.slide import Slide

DATA = Path(__file__).parents[3] / "shared/data/slides/bcss"
CLASSES = (TargetClass("Other"), TargetClass("Tumour"))
WIDTH_UM, STEP_UM, N_BENDS = 10, 10, 10
N_STROKES = int(os.environ.get("PATHOVIEW_BENCH_STROKES", "5"))
SEEDS = int(os.environ.get("PATHOVIEW_BENCH_SEEDS", "1"))
FIT: dict[str, Any] = json.loads(os.environ.get("PATHOVIEW_BENCH_FIT", "{}"))

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data")

Mask = npt.NDArray[np.uint8]


@dataclass
class Field:
    """A slide with its tumour."""

    slide: Slide
    truth: Mask
    """(height, width) level-0 px, 1: tumour."""


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    truth = cv2.imread(str(DATA / "bcss_1008_tumour.png"), cv2.IMREAD_GRAYSCALE)
    assert truth is not None
    with open_slide(DATA / "bcss_1008.tif") as slide:
        yield Field(slide, (truth > 0).astype(np.uint8))


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


class Strokes(ClassImage):
    """Labels that know where each stroke lies, as those of a study do."""

    def __init__(self, mask: Mask, boxes: list[npt.NDArray[np.float64]]) -> None:
        super().__init__(mask)
        self._boxes = np.array(boxes)

    @property
    def n_labels(self) -> int:
        return len(self._boxes)

    def extents_l0(self) -> npt.NDArray[np.float64]:
        return self._boxes


def strokes(field: Field, seed: int) -> Strokes:
    """Return bent strokes well inside of both classes, on the left half."""
    rng = np.random.default_rng(seed)
    mask, boxes = np.full_like(field.truth, UNKNOWN), []
    for value in (0, 1):
        part = (field.truth == value).astype(np.uint8)
        part[:, part.shape[1] // 2 :] = 0
        depth_um = cv2.distanceTransform(part, cv2.DIST_L2, 3) * field.slide.mpp
        rows, columns = np.nonzero(depth_um > 1.5 * WIDTH_UM)
        for _stroke in range(N_STROKES):
            place = rng.integers(len(rows))
            path = bent(rng, depth_um, columns[place], rows[place], STEP_UM / field.slide.mpp)
            width = round(WIDTH_UM / field.slide.mpp)
            cv2.polylines(mask, [path], isClosed=False, color=value + 1, thickness=width)
            boxes.append(np.concatenate([path.min(axis=0) - width, path.max(axis=0) + width]))
    return Strokes(mask, boxes)


def bent(
    rng: np.random.Generator, depth_um: npt.NDArray[Any], x: int, y: int, step: float
) -> npt.NDArray[np.int32]:
    """Return a path that ends where it would leave its class."""
    path, angle = [(int(x), int(y))], rng.uniform(0, np.pi)
    for _bend in range(N_BENDS):
        angle += rng.normal(0, 0.4)
        x, y = int(path[-1][0] + np.cos(angle) * step), int(path[-1][1] + np.sin(angle) * step)
        is_in = 0 <= y < depth_um.shape[0] and 0 <= x < depth_um.shape[1]
        if not is_in or depth_um[y, x] < 0.6 * WIDTH_UM:
            break
        path.append((x, y))
    return np.array(path, np.int32)


def scores(field: Field, fitted: Fitted) -> tuple[float, float]:
    """Return accuracy and the IoU of tumour on the right half."""
    grid = analysis_grid(field.slide, MPP)
    patch = read_patch(field.slide, grid, 0, 0, grid.width, grid.height)
    method = ScribbleSegmentation(ScribbleSegmentationParams(), fitted)
    told = method.predict(patch, grid.mpp, {}).argmax(axis=2)[:, grid.width // 2 :]
    size = grid.width, grid.height
    truth = cv2.resize(field.truth, size, interpolation=cv2.INTER_NEAREST)[:, grid.width // 2 :]
    is_told, is_true = told == 1, truth == 1
    iou = np.count_nonzero(is_told & is_true) / np.count_nonzero(is_told | is_true)
    return float(np.mean(is_told == is_true)), iou


@pytest.mark.parametrize("seed", range(SEEDS))
def test_strokes_to_a_map(field: Field, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    train = training.train

    def watched(learner: Any, *given: Any, stage: str, **told: Any) -> Any:
        start = time.perf_counter()
        trained = train(learner, *given, stage=stage, **told)
        fitted = replace(learner.fitted(learner.network), metrics=trained.metrics)
        accuracy, iou = scores(field, fitted)
        print(
            f"from {stage:<8}{time.perf_counter() - start:>6.0f} s, best step {trained.best_step}: "
            f"accuracy {accuracy:.3f}, IoU {iou:.3f}; on held-back strokes {trained.metrics}"
        )
        return trained

    monkeypatch.setattr(training, "train", watched)
    labels = strokes(field, seed)
    data = TrainingData([LabelledImage(field.slide, labels, "slide")], CLASSES)
    params = ScribbleSegmentationFitParams.parse(FIT)
    method = ScribbleSegmentation(ScribbleSegmentationParams())
    print(f"\n{N_STROKES} strokes a class, draw {seed}, {FIT or 'as set'}")
    fitted = method.fit(data, params, FitContext(SilentProgress(), seed=seed))
    accuracy, iou = scores(field, fitted)
    print(f"kept: accuracy {accuracy:.3f}, IoU {iou:.3f}, {dict(fitted.settings)}")
