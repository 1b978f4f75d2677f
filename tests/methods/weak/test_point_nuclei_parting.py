"""Touching nuclei, made up, are parted by what was learned from others. Takes a minute: slow."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch

from pathoview.core.progress import SilentProgress
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.train import train
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.spec import Compute
from pathoview.methods.weak import point_nuclei_networks as networks
from pathoview.methods.weak.point_nuclei_finding import Finder, Rule
from pathoview.methods.weak.point_nuclei_instances import pieces_of
from pathoview.methods.weak.point_nuclei_learner import (
    FAST_CHANGES,
    Lesson,
    PartingLearner,
    Piece,
)

SIDE, PITCH = 448, 64
SETTINGS: dict[str, Any] = {
    "encoder": networks.SMALL,
    **networks.SMALL_SETTINGS,
    "mpp": 0.25,
    "window_px": 64,
    "usual_area_um2": 20.0,
}


def pairs(seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return RGB and instances: two touching ellipses of one colour in each cell of a grid."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((SIDE, SIDE), np.int32)
    n = 0
    for y in range(PITCH // 2, SIDE, PITCH):
        for x in range(PITCH // 2, SIDE, PITCH):
            angle, a, b = rng.uniform(0, 180), rng.uniform(9, 13), rng.uniform(8, 11)
            turn = np.deg2rad(angle)
            way = np.array([np.cos(turn), np.sin(turn)]) * (b - 1)
            for sign in (-1, 1):
                n += 1
                middle = np.rint(np.array([x, y]) + sign * way).astype(int).tolist()
                size = (round(b), round(a))
                cv2.ellipse(labels, middle, size, angle, 0, 360, n, -1)
    rgb = np.where((labels > 0)[..., None], (110, 70, 150), (225, 180, 205))
    return np.clip(rgb + rng.normal(0, 8, rgb.shape), 0, 255).astype(np.uint8), labels


class Where(torch.nn.Module):
    """Knows the colour of nuclei."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return 40 * (0.6 - pixels[:, :1])


@pytest.mark.slow
def test_nine_of_ten_touching_pairs_are_parted() -> None:
    rgb, labels = pairs(0)
    middles = [np.argwhere(labels == n).mean(axis=0)[::-1] for n in range(1, labels.max() + 1)]
    background = (labels == 0).astype(np.uint8)
    torch.manual_seed(0)
    network = networks.parting_network(SETTINGS)
    lesson = Lesson(
        pieces=[Piece(rgb, (labels, background), np.array(middles))],
        crop_px=64,
        n_in_batch=8,
        changes=FAST_CHANGES,
        seed=0,
        fingerprint="",
        held_back=(),
        find=lambda _network, image, _mpp: np.zeros(image.shape[:2], np.int32),
        fitted=lambda _network: Fitted({}, {}),
    )
    plan = TrainingPlan(200, 2e-3, betas=(0.9, 0.99))
    train(PartingLearner(network, lesson, 1.5), plan, FitContext(SilentProgress()))
    unseen, truth = pairs(1)
    finder = Finder(SETTINGS, Where(), network, Compute())
    found = finder.find(unseen, 0.25, Rule()).labels
    n_pairs = (SIDE // PITCH) ** 2
    assert pieces_of((truth > 0).astype(np.uint8), 20).max() == n_pairs, "all pairs touch"
    is_parted = [
        _most(found[truth == 2 * pair + 1]) != _most(found[truth == 2 * pair + 2])
        for pair in range(n_pairs)
    ]
    assert np.mean(is_parted) >= 0.9


def _most(labels: np.ndarray[Any, Any]) -> int:
    return int(np.bincount(labels).argmax())
