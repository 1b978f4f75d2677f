"""Learning from whole slides: the loss of answers, metrics, the best weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from teaching import bag_data
from torch.nn.functional import cross_entropy

from pathoview.core.progress import SilentProgress
from pathoview.datasets.bag_batches import BagSampler
from pathoview.datasets.bags import BagData
from pathoview.methods.bag_params import BagFitParams
from pathoview.methods.engine import bag_learner
from pathoview.methods.engine.bag_learner import (
    BagLearner,
    BagLesson,
    answer_losses,
    measured,
)
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.networks.bag_attention import AttentionNetwork
from pathoview.methods.networks.bag_clam import ClamNetwork
from pathoview.methods.networks.bag_network import BagNetwork


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


def network(settings: Mapping[str, Any]) -> BagNetwork:
    return AttentionNetwork(settings["n_features"], len(settings["values"]), width=16)


def fit(data: BagData, ends_after: int = 0, **params: Any) -> Fitted:
    said = BagFitParams(**{"n_steps": 30, "batch": 4, "lr": 0.01, **params})
    context = FitContext(SilentProgress(), n_steps=ends_after)
    return bag_learner.fit(network, {}, data, said, context)


def told_of(fitted: Fitted, tiles: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    one = network(fitted.settings)
    one.load_state_dict({name: torch.from_numpy(array) for name, array in fitted.tensors.items()})
    with torch.no_grad():
        return np.asarray(one.eval().evidence(torch.from_numpy(tiles)).softmax(1).numpy())


def test_answers_are_the_cross_entropy_for_and_against_the_slides_class() -> None:
    torch.manual_seed(0)
    one = AttentionNetwork(4, 3, width=8)
    judged = torch.randn(2, 3, 4)
    answers = torch.tensor([[1, 0, -1], [-1, -1, -1]], dtype=torch.int8)
    losses = answer_losses(one, judged, answers, torch.tensor([2, 0]))
    told = one.evidence(judged[0]).softmax(1)[:, 2]
    expected = -(torch.log(told[0]) + torch.log(1 - told[1])) / 2
    torch.testing.assert_close(losses, torch.stack([expected, torch.zeros(())]))
    losses.sum().backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in one.parameters())


def test_what_is_said_of_tiles_is_learned_unless_it_weighs_nothing() -> None:
    data = bag_data(12, n_held_back=0)
    answers = np.full(12, -1, np.int8)
    answers[:3] = 0
    judged = replace(data.bags[1], answers=answers)
    taught = replace(data, bags=[judged, *data.bags[:1], *data.bags[2:]])
    plain = replace(taught, bags=[replace(judged, answers=None), *taught.bags[1:]])
    tiles = judged.features[:3]
    with_answers = told_of(fit(taught, answers_weight=2.0), tiles)[:, 1]
    without = told_of(fit(plain), tiles)[:, 1]
    assert with_answers.mean() < without.mean() - 0.1
    ignored = fit(taught, answers_weight=0.0)
    for name, array in fit(plain).tensors.items():
        np.testing.assert_array_equal(ignored.tensors[name], array)


@pytest.mark.parametrize("instance_weight", [0.0, 0.25])
def test_classes_and_tiles_weigh_in_the_loss_as_they_are_told_to(instance_weight: float) -> None:
    data = bag_data(4, n_held_back=0)
    torch.manual_seed(0)
    one = ClamNetwork(8, 2, width=8, instance_weight=instance_weight)
    sampler = BagSampler(data.bags, 2, n_in_batch=4, n_tiles=12, seed=0)
    lesson = BagLesson(sampler, [], 0.5, {}, (), "", n_steps=2)
    learner = BagLearner(one, lesson)
    batch = {name: torch.from_numpy(array) for name, array in learner.batch(0).items()}
    batch["weight"] = torch.tensor([3.0, 1.0, 0.0, 2.0])
    loss, said = learner.loss(one, batch)
    output = one(batch["features"], batch["is_tile"])
    slides = cross_entropy(output.logits, batch["label"], reduction="none")
    tiles = one.instance_losses(output, batch["label"], batch["is_tile"])
    both = (1 - instance_weight) * slides + instance_weight * tiles
    torch.testing.assert_close(loss, (both * batch["weight"]).mean())
    assert said["loss_slides"] == pytest.approx(float(slides.detach().mean()), rel=1e-5)
    assert ("loss_tiles" in said) == (instance_weight > 0)


@pytest.mark.parametrize(("rest", "first"), [(0, 0), (1, 3), (2, 5), (100, 20)])
def test_tiles_count_after_some_passes_and_in_the_second_half_at_the_latest(
    rest: int, first: int
) -> None:
    data = bag_data(10, n_held_back=0)
    one = ClamNetwork(8, 2, width=8, instance_rest=rest)
    sampler = BagSampler(data.bags, 2, n_in_batch=4, n_tiles=12, seed=0)
    learner = BagLearner(one, BagLesson(sampler, [], 0.5, {}, (), "", n_steps=40))

    def has_tiles(step: int) -> bool:
        batch = {name: torch.from_numpy(array) for name, array in learner.batch(step).items()}
        return "loss_tiles" in learner.loss(one, batch)[1]

    assert next(step for step in range(40) if has_tiles(step)) == first


def test_metrics_of_slides_weigh_classes_alike() -> None:
    told = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.7, 0.3]])
    found = measured(told, np.array([0, 0, 0, 1]))
    expected = -(np.log([0.9, 0.8, 0.6]).mean() + np.log(0.3)) / 2
    assert found["log_loss"] == pytest.approx(expected)
    assert found["likelihood"] == pytest.approx(np.exp(-expected))
    assert found["accuracy"] == 0.75
    assert found["auroc"] == pytest.approx(2 / 3)
    assert "auroc" not in measured(told, np.zeros(4, np.int64))


def test_the_weights_that_do_best_on_held_back_slides_count_and_patience_ends_it() -> None:
    data = bag_data(16, n_held_back=8)
    # Held-back labels are the wrong ones: what is learned makes them less likely.
    wrong = [replace(one, label=1 - one.label) if one.split == "val" else one for one in data.bags]
    fitted = fit(replace(data, bags=wrong), n_steps=100, patience=3)
    points = [point for point in fitted.curves if "likelihood" in point]
    best = max(point["likelihood"] for point in points)
    assert fitted.metrics["likelihood"] == best
    assert points[-1]["step"] < 100
    assert points[-4]["likelihood"] == best


def test_without_held_back_slides_the_last_weights_count() -> None:
    fitted = fit(bag_data(8, n_held_back=0))
    assert not fitted.metrics
    assert fitted.curves[-1]["step"] == 30


def test_as_many_steps_as_were_best_give_the_same_weights_again() -> None:
    data = bag_data(8, n_held_back=4)
    best = fit(data)
    assert 0 < best.n_steps <= 30
    learned = [replace(bag, split="test" if bag.split == "val" else "train") for bag in data.bags]
    again = fit(replace(data, bags=learned), best.n_steps)
    assert again.n_steps == again.curves[-1]["step"] == best.n_steps
    assert not again.metrics
    for name, array in best.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], array)


def test_features_as_they_are_kept_give_the_same_model() -> None:
    data = bag_data(10, n_held_back=4)
    answers = np.array([1, 0, *[-1] * (data.bags[0].n_tiles - 2)], np.int8)
    bags = [replace(bag, features=bag.features.astype(np.float16)) for bag in data.bags]
    bags[0] = replace(bags[0], answers=answers)
    wide = [replace(bag, features=bag.features.astype(np.float32)) for bag in bags]
    one, other = (fit(replace(data, bags=some), n_tiles=5) for some in (bags, wide))
    assert one.metrics == other.metrics
    for name, array in one.tensors.items():
        np.testing.assert_array_equal(other.tensors[name], array)


def test_a_slide_without_tiles_or_label_is_passed_over() -> None:
    data = bag_data(8, n_held_back=2)
    empty = replace(data.bags[0], features=np.zeros((0, 8), np.float32))
    unknown = replace(data.bags[1], label=-1)
    more = replace(data, bags=[*data.bags, empty, unknown])
    one, other = fit(data), fit(more)
    for name, array in one.tensors.items():
        np.testing.assert_array_equal(other.tensors[name], array)
