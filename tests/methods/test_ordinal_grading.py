"""Grades in their order: the losses are the paper's, the map tells of the tile around each px."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fakes import ArraySlide
from teaching import training_data
from torch import Tensor, nn

from pathoview.core.errors import UsageError
from pathoview.core.progress import SilentProgress
from pathoview.datasets.image_labels import ClassImage
from pathoview.datasets.labels import LabelledImage, TargetClass, TrainingData
from pathoview.datasets.supply import patch_supply
from pathoview.methods.fitting import FitContext
from pathoview.methods.networks.grading import (
    GradingNetwork,
    joint_loss,
    ordinal_cross_entropy,
    probabilities,
)
from pathoview.methods.supervised.ordinal_grading_params import MPP, OrdinalGradingFitParams
from pathoview.methods.supervised.ordinal_grading_training import Tiles, fit, measured


def severity(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("n_grades", range(2, 10))
def test_the_ordinal_loss_is_the_cross_entropy_of_distances(n_grades: int) -> None:
    generator = torch.Generator().manual_seed(n_grades)
    r = torch.rand(50, generator=generator, dtype=torch.float64) * (n_grades + 2) - 1
    y = torch.randint(0, n_grades, (50,), generator=generator)
    told = ordinal_cross_entropy(r, y, n_grades)
    for one, grade, value in zip(r.tolist(), y.tolist(), told.tolist(), strict=True):
        total = sum(math.exp(-abs(one - j)) for j in range(n_grades))
        assert value == pytest.approx(-math.log(math.exp(-abs(one - grade)) / total), abs=1e-9)


def test_its_values_and_slopes_are_those_derived_for_four_grades() -> None:
    at_grade = ordinal_cross_entropy(severity(0, 1, 2, 3), torch.arange(4), 4)
    assert at_grade.tolist() == pytest.approx([0.440, 0.627, 0.627, 0.440], abs=5e-4)
    beyond = ordinal_cross_entropy(severity(-3, -1, 0, 3, 5), torch.tensor([0, 0, 0, 3, 3]), 4)
    assert beyond.tolist() == pytest.approx([at_grade[0].item()] * 5)
    r = torch.linspace(-2, 5, 141, dtype=torch.float64, requires_grad=True)
    for grade in range(4):
        loss = ordinal_cross_entropy(r, torch.full((141,), grade), 4).sum()
        (slope,) = torch.autograd.grad(loss, r)
        assert slope.abs().max() <= 2


@pytest.mark.parametrize("is_first_ordered", [True, False])
def test_benign_may_stand_outside_of_the_order(is_first_ordered: bool) -> None:
    found = torch.tensor([[0.0, 0, 0, 0.5], [0.0, 0, 0, 0.5]], requires_grad=True)
    grades, weights = torch.tensor([0, 2]), torch.ones(3)
    _loss, said = joint_loss(found, grades, weights, is_first_ordered=is_first_ordered)
    each = ordinal_cross_entropy(found[:, -1], grades, 3)
    counted = each if is_first_ordered else each[1:]
    assert said["loss_order"] == pytest.approx(counted.sum().item() / 2)


def test_what_is_read_is_the_heads_or_their_mean() -> None:
    found = torch.tensor([[2.0, 0.0, 0.0, 2.0]])
    by_class, by_severity, both = (
        probabilities(found, one)[0] for one in ("classes", "severity", "both")
    )
    assert by_class.argmax() == 0
    assert by_severity.argmax() == 2
    torch.testing.assert_close(both, (by_class + by_severity) / 2)
    assert both.sum() == pytest.approx(1)


class Mean(nn.Module):
    """An encoder whose features are the means of 32 px squares."""

    def forward(self, images: Tensor) -> list[Tensor]:
        return [nn.functional.avg_pool2d(images, 32)]


def test_the_map_tells_of_the_tile_around_each_px() -> None:
    torch.manual_seed(0)
    network = GradingNetwork(Mean(), 3, 3, tile_px=128).eval()
    picture = torch.rand(1, 3, 320, 320)
    with torch.inference_mode():
        dense = network(picture)
        # The tile is 4 squares of 32 px wide, what is averaged around the middle of one is 5.
        around = network.graded(picture[:, :, 64:224, 64:224])
        beside = network.graded(picture[:, :, 96:256, 64:224])
    assert dense.shape == (1, 4, 320, 320)
    middle = dense[0, :, 143:145, 143:145].mean((1, 2))
    torch.testing.assert_close(middle, around[0], atol=1e-5, rtol=0)
    assert not torch.allclose(middle, beside[0], atol=1e-4)


def graded(n: int = 4, side: int = 128) -> TrainingData:
    """Pictures of one grade each: the higher, the darker."""
    rng = np.random.default_rng(0)
    images = []
    for number in range(n):
        for grade in range(3):
            shade = 220 - 60 * grade
            rgb = np.clip(rng.normal(shade, 12, (side, side, 3)), 0, 255).astype(np.uint8)
            labels = ClassImage(np.full((side, side), grade + 1, np.uint8))
            name = f"{grade}-{number}"
            split = "train" if number else "val"
            images.append(LabelledImage(ArraySlide(rgb, MPP), labels, name, split))
    return TrainingData(images, tuple(TargetClass(name) for name in ("Benign", "Low", "High")))


def test_it_learns_the_order() -> None:
    params = OrdinalGradingFitParams(
        tile_px=64, n_steps=24, batch=6, lr=3e-3, colors="one laboratory"
    )
    what = fit(graded(), params, FitContext(SilentProgress(), seed=1))
    assert what.settings["names"] == ["Benign", "Low", "High"]
    assert what.settings["ordering"] == "grades"
    assert what.metrics["kappa_quadratic"] > 0.5
    assert "efficientnet" in what.parents[0].name.lower()


def test_a_tile_needs_a_grade_of_its_own() -> None:
    image = np.ones((128, 128), np.uint8)
    image[:, 64:] = 2
    slide = ArraySlide(np.full((128, 128, 3), 200, np.uint8), MPP)
    data = TrainingData(
        [LabelledImage(slide, ClassImage(image), "one")],
        (TargetClass("Low"), TargetClass("High")),
    )
    supply = patch_supply(data, "classes", mpp=MPP, patch_px=128)
    with pytest.raises(UsageError, match="mostly of one grade"):
        Tiles(supply, [1, 2]).tile(0, 0)


def test_one_grade_does_not_suffice() -> None:
    data = training_data("scribbles", MPP, n_classes=1)
    with pytest.raises(UsageError, match="two grades"):
        fit(data, OrdinalGradingFitParams(tile_px=64), FitContext(SilentProgress()))


def test_metrics_of_tiles() -> None:
    told = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.6, 0.2, 0.2]], np.float32)
    found = measured(told, np.array([0.5, 1, 1], np.float32), np.array([0, 1, 2]))
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["off_by_two"] == pytest.approx(1 / 3)
    assert found["severity_error"] == pytest.approx(0.5)
    assert found["likelihood"] == pytest.approx((0.8 * 0.8 * 0.2) ** (1 / 3))
    assert "kappa_quadratic" not in measured(told[:1], np.zeros(1, np.float32), np.zeros(1, int))
