"""Sums of patches: what is summed, what the forest may see of it, and what cases are alike by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from teaching import bag, bag_data, picture_data

from pathoview.core.errors import UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.datasets.bags import Bag, BagData, EncoderUsed
from pathoview.datasets.labels import TargetClass
from pathoview.methods.case_likeness import proximity
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.hand_features import FAMILIES, N_HAND_FEATURES
from pathoview.methods.networks.patch_bottleneck import PatchBottleneck
from pathoview.methods.supervised import patch_sum_training as training
from pathoview.methods.supervised.patch_sum import PatchSum
from pathoview.methods.supervised.patch_sum_learner import PatchBatches
from pathoview.methods.supervised.patch_sum_params import PatchSumFitParams, PatchSumParams
from pathoview.methods.supervised.patch_sum_vectors import Bottleneck, TaughtForest

N_DEEP = 8


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)
    monkeypatch.setattr(training, "usable_cores", lambda: 1)


def params(**changes: Any) -> PatchSumFitParams:
    quick = {"n_steps": 30, "batch": 16, "width": 12, "n_folds": 3, "n_trees": 40}
    return PatchSumFitParams(**{**quick, **changes})


def fit(data: BagData, context: FitContext | None = None, **changes: Any) -> Fitted:
    return training.fit(data, params(**changes), context or FitContext(SilentProgress()))


def ready(fitted: Fitted) -> PatchSum:
    return PatchSum(PatchSumParams(), fitted)


def network(n_features: int = N_DEEP, width: int = 12) -> PatchBottleneck:
    torch.manual_seed(0)
    made = PatchBottleneck(n_features, 3, width)
    made.mean.normal_()
    made.scale.uniform_(0.5, 2)
    return made


def patches(n: int = 21, seed: int = 0) -> npt.NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return random.normal(size=(n, N_DEEP + N_HAND_FEATURES)).astype(np.float32)


class Hurried(SilentProgress):
    """Wants an end after some steps."""

    def __init__(self, n_steps: int) -> None:
        super().__init__(Control())
        self._n_left = n_steps

    def check(self) -> None:
        self._n_left -= 1
        if not self._n_left:
            self.control.finish()


def without_rules() -> BagData:
    return bag_data(12, n_features=N_DEEP)


# -- what is summed --------------------------------------------------------------------------------


def test_the_sum_is_that_of_the_networks_units_in_any_order() -> None:
    made, features = network(), patches()
    bottleneck = Bottleneck.of({name: one.numpy() for name, one in made.state_dict().items()})
    row = bottleneck.picture_row(features)
    with torch.no_grad():
        summed = made.units(torch.from_numpy(features[:, :N_DEEP])).sum(0).numpy()
    np.testing.assert_allclose(row[:12], summed, rtol=1e-4)
    np.testing.assert_allclose(row[12:], features[:, N_DEEP:].mean(axis=0), atol=1e-6)
    order = np.random.default_rng(1).permutation(len(features))
    assert np.abs(bottleneck.picture_row(features[order]) - row).max() <= 1e-5
    assert bottleneck.units(features).min() >= 0


def test_more_patches_are_brought_to_the_sum_of_as_many() -> None:
    made, features = network(), patches()
    bottleneck = Bottleneck.of({name: one.numpy() for name, one in made.state_dict().items()})
    twice = np.concatenate([features, features])
    np.testing.assert_allclose(bottleneck.picture_row(twice), bottleneck.picture_row(features))


def test_evidence_is_of_patches_alone_and_attention_its_share() -> None:
    method = ready(fit(picture_data()))
    features = picture_data(2, n_held_back=0, seed=9).bags[1].features
    found = method.predict(features)
    said = found.evidence[:, found.probabilities.argmax()]
    np.testing.assert_allclose(found.attention, said / said.sum(), rtol=1e-4)
    assert method.s_vector(features).shape == (12,)
    first = method.predict(features[:1])
    np.testing.assert_allclose(first.probabilities, found.evidence[0], atol=1e-6)


# -- what the forest may see -----------------------------------------------------------------------


def test_no_network_has_seen_the_pictures_or_the_patients_that_it_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = picture_data(12, n_held_back=0)
    bags = [replace(one, group=f"patient {number // 2}") for number, one in enumerate(data.bags)]
    seen: list[list[Bag]] = []
    begun: list[npt.NDArray[Any]] = []
    train = training.train

    def watched(learner: Any, *how: Any, **more: Any) -> Any:
        seen.append(list(learner._batches._bags))
        begun.append(learner.network.bottleneck.weight.detach().numpy().copy())
        return train(learner, *how, **more)

    monkeypatch.setattr(training, "train", watched)
    fit(replace(data, bags=bags))
    whole, *folds = seen
    assert len(whole) == 12
    assert len(folds) == 3
    left_out = [{one.group for one in bags} - {one.group for one in some} for some in folds]
    assert Counter(group for groups in left_out for group in groups) == Counter(
        {one.group: 1 for one in bags}
    )
    for weights in begun[1:]:
        np.testing.assert_array_equal(weights, begun[0])


def test_what_a_network_knows_by_heart_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    bags = []
    for number in range(40):
        label = number % 2
        features = random.normal(size=(5, 200 + N_HAND_FEATURES))
        features[:, 200:210] += label  # rules tell, what the encoder says is chance
        bags.append(bag(features, label, name=f"picture-{number}"))
    used = EncoderUsed("made up", "0", 200 + N_HAND_FEATURES, (), 224, n_hand=N_HAND_FEATURES)
    data = BagData(bags, (TargetClass("no"), TargetClass("yes")), used)
    trusted = fit(data, n_steps=60, lr=0.01).settings["importances"]["encoder"]

    def by_heart(teaching: training.Teaching, bags: Sequence[Bag], n_steps: int) -> Any:
        known = Bottleneck.of(teaching.taught(bags, ()).tensors)
        return np.stack([known.picture_row(one.features) for one in bags])

    monkeypatch.setattr(training, "unseen_rows", by_heart)
    assert fit(data, n_steps=60, lr=0.01).settings["importances"]["encoder"] > 3 * trusted


def test_patients_are_whole_unless_a_class_would_be_missing() -> None:
    bags = [
        replace(bag(patches(2), label, name=f"{label}-{number}"), group=f"{label} {number // 2}")
        for label in (0, 1)
        for number in range(8)
    ]
    folds = training.inner_folds(bags, 4, seed=0)
    assert sorted(np.unique(folds)) == [0, 1, 2, 3]
    for group in {one.group for one in bags}:
        own = [one.group == group for one in bags]
        assert len(set(folds[own])) == 1
    one_each = [replace(one, group=str(one.label)) for one in bags]
    folds = training.inner_folds(one_each, 4, seed=0)
    labels = np.array([one.label for one in bags])
    for fold in np.unique(folds):
        assert set(labels[folds != fold]) == {0, 1}


def test_networks_of_folds_learn_as_long_as_the_one_that_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[int] = []
    train = training.train

    def watched(*what: Any, **how: Any) -> Any:
        trained = train(*what, **how)
        steps.append(trained.n_steps)
        return trained

    monkeypatch.setattr(training, "train", watched)
    data = picture_data(12, n_held_back=0)
    assert fit(data).n_steps == 30
    assert steps == [30] * 4
    steps.clear()
    assert fit(data, FitContext(SilentProgress(), n_steps=7)).n_steps == 7
    assert steps == [7] * 4
    steps.clear()
    assert fit(data, FitContext(Hurried(5))).n_steps == 5
    assert steps == [5] * 4


def test_held_back_pictures_tell_when_to_end_and_are_told_by_the_forest() -> None:
    data = bag_data(24, n_features=N_DEEP, share=0.5, n_held_back=8)
    wrong = [replace(one, label=1 - one.label) if one.split == "val" else one for one in data.bags]
    right, misled = fit(data), fit(replace(data, bags=wrong), patience=3)
    assert misled.n_steps < right.n_steps
    assert misled.curves[-1]["step"] < 30
    method, held_back = ready(right), data.of("val")
    told = np.stack([method.predict(one.numbers()).probabilities for one in held_back])
    is_right = told.argmax(axis=1) == [one.label for one in held_back]
    assert right.metrics["accuracy"] == is_right.mean()
    assert right.metrics["auroc"] > 0.9
    assert not fit(picture_data(12, n_held_back=0)).metrics


# -- the forest ------------------------------------------------------------------------------------


def rows_of(n: int, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    return random.normal(size=(n, 12 + N_HAND_FEATURES)) + labels[:, None], labels


def test_trees_are_grown_some_at_a_time_as_they_are_at_once() -> None:
    rows, labels = rows_of(40)
    context = FitContext(SilentProgress(), seed=5)
    forest = training.grown(rows, labels, params(n_trees=120, least_leaf=2), context)
    at_once = RandomForestClassifier(
        120, min_samples_leaf=2, class_weight="balanced_subsample", oob_score=True, random_state=5
    ).fit(rows.astype(np.float32), labels)
    new = rows_of(9, seed=1)[0].astype(np.float32)
    np.testing.assert_array_equal(forest.apply(new), at_once.apply(new))
    assert forest.oob_score_ == at_once.oob_score_


def test_an_end_comes_after_some_trees() -> None:
    control = Control()
    control.finish()
    rows, labels = rows_of(30)
    context = FitContext(SilentProgress(control))
    forest = training.grown(rows, labels, params(n_trees=500), context)
    assert len(forest.estimators_) == 50
    assert forest.oob_score_ > 0.5


def test_a_model_says_what_its_forest_says_and_nothing_is_impossible() -> None:
    data = without_rules()
    classes = (*data.classes, TargetClass("never seen"))
    fitted = fit(replace(data, classes=classes))
    forest, method = TaughtForest.of(fitted), ready(fitted)
    tiles = data.bags[3].features
    row = forest.bottleneck.picture_row(tiles)[None].astype(np.float32)
    votes = forest.trees.predict(row)[0]
    found = method.predict(tiles).probabilities
    np.testing.assert_allclose(found[:2], (votes * 40 + 1) / 43, rtol=1e-5)
    assert found[2] == pytest.approx(1 / 43)
    np.testing.assert_array_equal(method.case_vector(tiles), forest.trees.leaves(row)[0])
    assert method.case_vector(tiles).shape == (40,)
    np.testing.assert_allclose(method.s_vector(tiles), row[0], rtol=1e-5)


def test_pictures_of_a_class_are_more_alike_than_others() -> None:
    method = ready(fit(picture_data(24, n_held_back=0)))
    others = picture_data(24, n_held_back=0).bags
    vectors = np.stack([method.case_vector(one.numbers()) for one in others])
    labels = np.array([one.label for one in others])
    alike = np.stack([proximity(one, vectors) for one in vectors])
    same = (labels[:, None] == labels) & ~np.eye(24, dtype=bool)
    assert alike[same].mean() > alike[labels[:, None] != labels].mean() + 0.2


def test_importances_tell_of_the_encoder_and_of_families_of_rules() -> None:
    said = fit(picture_data()).settings["importances"]
    assert set(said) == {"encoder", *FAMILIES}
    assert sum(said.values()) == pytest.approx(1)
    assert set(fit(without_rules()).settings["importances"]) == {"encoder"}
    rows, labels = rows_of(40)
    rows[:, :12] = 0
    context = FitContext(SilentProgress())
    told = training.importances(training.grown(rows, labels, params(), context), 12)
    assert told["encoder"] == 0
    assert told["Haralick"] > 0


def test_pictures_that_were_measured_by_other_rules_are_refused() -> None:
    data = picture_data()
    other = replace(data, encoder=replace(data.encoder, n_hand=7))
    with pytest.raises(UsageError, match="other rules") as caught:
        fit(other)
    assert caught.value.hint


# -- batches ---------------------------------------------------------------------------------------


def test_every_patch_comes_with_the_label_of_its_picture_before_one_comes_twice() -> None:
    bags = [bag(np.full((n, 3), n), label) for n, label in ((4, 0), (6, 1), (2, 1))]
    batches = PatchBatches(bags, 2, 2, n_in_batch=3, seed=1)
    some = [batches.batch(step) for step in range(4)]
    features = np.concatenate([one["features"] for one in some])
    assert features.shape == (12, 2)
    assert Counter(features[:, 0].tolist()) == Counter({4: 4, 6: 6, 2: 2})
    labels = np.concatenate([one["label"] for one in some])
    np.testing.assert_array_equal(labels, features[:, 0] != 4)
    weights = np.concatenate([one["weight"] for one in some])
    assert weights[labels == 0].sum() == pytest.approx(weights[labels == 1].sum())
    again = PatchBatches(bags, 2, 2, n_in_batch=3, seed=1).batch(2)
    np.testing.assert_array_equal(again["features"], some[2]["features"])
    later = [batches.batch(step)["features"] for step in range(4, 8)]
    assert not np.array_equal(np.concatenate(later), features)
