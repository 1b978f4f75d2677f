"""Grades of generated tiles, joint losses beside cross entropy alone.

``pytest tests/benchmarks/bench_ordinal.py -s``. Tiles of 64 px have more and larger nuclei the
higher their grade, of four; neighbouring grades overlap. 400 tiles are learned from, 800 are
scored. The published losses are to be no worse than cross entropy alone (kappa at most 0.015 lower,
grades off by two at most 0.005 more often), not better: on such tiles they are not. Last, grades
whose order is scrambled have to be harder to put on one line. Torch computes in one thread.

``PATHOVIEW_BENCH_SEEDS`` (3): trainings; ``PATHOVIEW_BENCH_STEPS`` (300).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from fakes import ArraySlide
from torch import Tensor
from torch.nn import functional

from pathoview.core.progress import SilentProgress
from pathoview.datasets.image_labels import ClassImage
from pathoview.datasets.labels import LabelledImage, TargetClass, TrainingData
from pathoview.methods.engine.weights import load_arrays
from pathoview.methods.fitting import FitContext
from pathoview.methods.networks.grading import probabilities
from pathoview.methods.supervised import ordinal_grading_training as training
from pathoview.methods.supervised.ordinal_grading_params import MPP, OrdinalGradingFitParams

SIDE, N_GRADES, N_TRAIN, N_TEST = 64, 4, 400, 800
SEEDS = int(os.environ.get("PATHOVIEW_BENCH_SEEDS", "3"))
STEPS = int(os.environ.get("PATHOVIEW_BENCH_STEPS", "300"))
CLASSES = tuple(TargetClass(f"Grade {grade}") for grade in range(N_GRADES))

Loss = Callable[..., tuple[Tensor, dict[str, float]]]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


def tile(grade: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return a tile, (side, side, 3)."""
    picture = rng.normal((225, 180, 205), 6, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8)
    for _nucleus in range(max(1, round(rng.normal(6 + 3 * grade, 3)))):
        x, y = rng.integers(0, SIDE, 2).tolist()
        radius = max(1, round(rng.normal(2.2 + 0.5 * grade, 0.6)))
        axes = radius, max(1, round(radius * rng.uniform(0.6, 1)))
        color = rng.normal((110, 70, 140), 10).clip(0, 255).tolist()
        cv2.ellipse(picture, (x, y), axes, rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 0.6)


@cache
def tiles(n: int, seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return tiles, (n, side, side, 3), and their grades."""
    rng = np.random.default_rng(seed)
    grades = np.arange(n) % N_GRADES
    return np.stack([tile(grade, rng) for grade in grades.tolist()]), grades


def data(order: tuple[int, ...]) -> TrainingData:
    pictures, grades = tiles(N_TRAIN, 1)
    images = []
    for number, (rgb, grade) in enumerate(zip(pictures, grades.tolist(), strict=True)):
        labels = ClassImage(np.full((SIDE, SIDE), order[grade] + 1, np.uint8))
        split = "val" if number % 40 >= 36 else "train"
        images.append(LabelledImage(ArraySlide(rgb, MPP), labels, f"{number}", split))
    return TrainingData(images, CLASSES)


@dataclass(frozen=True, slots=True)
class Row:
    """What one training gave on the tiles that are scored."""

    accuracy: float
    kappa: float
    error: float
    off_by_two: float
    severity_mse: float
    agree: float
    """Share of tiles where both heads lie at most one grade apart."""
    seconds: float


def scored(loss: Loss, seed: int, order: tuple[int, ...] = (0, 1, 2, 3)) -> Row:
    """Train with a loss and score; cross entropy alone is read from the head of classes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "joint_loss", loss)
        params = OrdinalGradingFitParams(tile_px=SIDE, n_steps=STEPS, batch=16)
        started = time.monotonic()
        fitted = training.fit(data(order), params, FitContext(SilentProgress(), seed=seed))
        seconds = time.monotonic() - started
    network = training.network_of(fitted.settings).eval()
    load_arrays(network, fitted.tensors)
    pictures, grades = tiles(N_TEST, 2)
    truth = np.array(order)[grades]
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    with torch.inference_mode():
        found = torch.cat([network.graded(some.float() / 255) for some in pixels.split(50)])
    told = probabilities(found, "classes").numpy()
    said, severity = told.argmax(axis=1), found[:, -1].numpy()
    measured = training.measured(told, severity, truth)
    return Row(
        measured["accuracy"],
        measured["kappa_quadratic"],
        float(np.abs(said - truth).mean()),
        measured["off_by_two"],
        float(np.square(severity - truth).mean()),
        float(np.mean(np.abs(said - np.round(severity)) <= 1)),
        seconds,
    )


def only_classes(
    found: Tensor, grades: Tensor, weights: Tensor, *, is_first_ordered: bool
) -> tuple[Tensor, dict[str, float]]:
    del weights, is_first_ordered
    return functional.cross_entropy(found[:, :-1], grades), {}


def test_joint_losses_are_no_worse_than_cross_entropy() -> None:
    joint_loss: Loss = training.joint_loss
    rows = {
        "cross entropy": [scored(only_classes, seed) for seed in range(SEEDS)],
        "joint": [scored(joint_loss, seed) for seed in range(SEEDS)],
        "joint, scrambled": [scored(joint_loss, seed, (2, 0, 3, 1)) for seed in range(SEEDS)],
    }
    print(f"\n{N_TRAIN} tiles, {STEPS} steps, seeds 0 … {SEEDS - 1}")
    print(f"{'losses':18} accuracy  kappa   error  off by 2  severity MSE  heads agree  seconds")
    for name, some in rows.items():
        mean = {key: float(np.mean([getattr(one, key) for one in some])) for key in Row.__slots__}
        print(
            f"{name:18} {mean['accuracy']:8.3f} {mean['kappa']:6.3f} {mean['error']:7.3f}"
            f" {mean['off_by_two']:9.3f} {mean['severity_mse']:13.3f} {mean['agree']:12.3f}"
            f" {mean['seconds']:8.0f}"
        )

    def of(name: str, key: str) -> float:
        return float(np.mean([getattr(one, key) for one in rows[name]]))

    assert of("joint", "kappa") >= max(0.88, of("cross entropy", "kappa") - 0.015)
    assert of("joint", "off_by_two") <= of("cross entropy", "off_by_two") + 0.005
    assert of("joint", "agree") >= 0.98
    assert of("joint, scrambled", "severity_mse") > of("joint", "severity_mse")
