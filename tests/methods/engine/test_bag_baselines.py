"""The baselines of whole slides learn, predict and say what they pooled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from teaching import bag, bag_data

from pathoview.core.errors import UsageError
from pathoview.core.progress import SilentProgress
from pathoview.datasets.bags import BagData
from pathoview.datasets.labels import TargetClass
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine import bag_baselines
from pathoview.methods.engine.bag_baselines import KINDS, BaselineKind
from pathoview.methods.fitting import FitContext, Fitted

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 60, "lr": 0.05})
    monkeypatch.setattr(bag_baselines, "MAX_PARAMS", quick)
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


def fit(kind: BaselineKind, data: BagData) -> Fitted:
    return bag_baselines.fit(kind, data, FitContext(SilentProgress()))


@every_kind
@pytest.mark.parametrize("n_held_back", [0, 10])
def test_it_learns_what_is_easy_to_tell(kind: BaselineKind, n_held_back: int) -> None:
    whole = bag_data(70, share=0.5, n_held_back=0)
    splits = ["train"] * (40 - n_held_back) + ["val"] * n_held_back + ["test"] * 30
    bags = [replace(one, split=split) for one, split in zip(whole.bags, splits, strict=True)]
    data = replace(whole, bags=bags)
    fitted = fit(kind, data)
    others = data.of("test")
    scores = [bag_baselines.predict(fitted, one.features).probabilities[1] for one in others]
    is_positive = np.array([one.label == 1 for one in others])
    assert auroc(np.array(scores, np.float64), is_positive) > 0.9
    assert ("likelihood" in fitted.metrics) == (n_held_back > 0)


@every_kind
def test_it_says_what_it_pooled(kind: BaselineKind) -> None:
    data = bag_data()
    tiles = data.bags[1].features
    found = bag_baselines.predict(fit(kind, data), tiles)
    assert found.attention.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found.evidence.sum(axis=1), 1, atol=1e-5)
    if kind == "mean":
        np.testing.assert_allclose(found.attention, 1 / len(tiles), rtol=1e-5)
    else:
        assert np.count_nonzero(found.attention) <= 2


@every_kind
def test_classes_that_training_has_not_are_hardly_said(kind: BaselineKind) -> None:
    random = np.random.default_rng(0)
    bags = [
        bag(random.normal(2 * (number % 2), 0.1, (5, 8)), 2 * (number % 2)) for number in range(20)
    ]
    names = ("None", "Few", "Many", "All")
    data = replace(bag_data(), bags=bags, classes=tuple(TargetClass(name) for name in names))
    told = bag_baselines.predict(fit(kind, data), bags[1].features).probabilities
    assert told.argmax() == 2
    if kind == "mean":
        assert told[[1, 3]].max() < 1e-6


def test_three_classes_are_told_by_the_mean() -> None:
    random = np.random.default_rng(0)
    spots = np.eye(3, 8) * 3
    bags = [bag(random.normal(spots[n % 3], 1, (20, 8)), n % 3) for n in range(30)]
    data = replace(bag_data(), bags=bags, classes=tuple(TargetClass(name) for name in "abc"))
    fitted = fit("mean", data)
    told: list[Any] = [
        bag_baselines.predict(fitted, one.features).probabilities.argmax() for one in bags
    ]
    assert told == [one.label for one in bags]


@every_kind
def test_one_class_does_not_suffice(kind: BaselineKind) -> None:
    data = bag_data()
    with pytest.raises(UsageError, match="two different labels"):
        fit(kind, replace(data, bags=[one for one in data.bags if one.label]))


@every_kind
def test_it_repeats_itself(kind: BaselineKind) -> None:
    one, other = fit(kind, bag_data()), fit(kind, bag_data())
    for name, array in one.tensors.items():
        np.testing.assert_array_equal(array, other.tensors[name])
