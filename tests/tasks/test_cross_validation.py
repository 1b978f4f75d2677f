"""Every slide is predicted once, by what has seen neither it nor its patient; nothing leaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

from pathoview.core.errors import Cancelled, UsageError
from pathoview.core.geometry import Cell
from pathoview.core.progress import Progress, SilentProgress
from pathoview.datasets.bags import Bag, BagData, EncoderUsed, TileGrid
from pathoview.datasets.labels import TargetClass
from pathoview.datasets.slide_folds import FoldOrder, HoldOut
from pathoview.methods.fitting import Fitted
from pathoview.methods.spec import BagFound
from pathoview.tasks.cross_validation import (
    CrossValidation,
    Cut,
    Folds,
    Ready,
    chosen_cut,
    judged,
    planned_folds,
    with_validation,
)

CLASSES = (TargetClass("Normal"), TargetClass("Tumor"))
ENCODER = EncoderUsed("fake", "", 1, (0.5,), 16)


def bag(number: int, label: int, group: str = "") -> Bag:
    """Return a bag whose only feature is its number."""
    grid = TileGrid(np.zeros(1, np.int32), np.zeros(1, np.int32), Cell.square(16.0))
    features = np.full((1, 1), number, np.float32)
    return Bag(f"s{number}", f"{number:032x}", features, grid, label, group)


def cohort(n: int = 20, per_patient: int = 2) -> tuple[BagData, list[str]]:
    groups = [f"patient {number // per_patient}" for number in range(n)]
    bags = [bag(number, number // per_patient % 2, groups[number]) for number in range(n)]
    return BagData(bags, CLASSES, ENCODER), groups


def planned(n_folds: int = 5, hold_out: HoldOut = "patients", **more: int) -> tuple[BagData, Folds]:
    data, groups = cohort(**more)
    sites = [""] * len(groups)
    order = FoldOrder(n_folds=n_folds, hold_out=hold_out)
    return data, planned_folds(data, groups, sites, order, seed=3)


class Predictor:
    """Says of every bag what is told to it, and remembers whom it has seen."""

    def __init__(
        self,
        says: Callable[[BagData, int], float] = lambda _data, _number: 0.7,
        steps: Iterable[int] = repeat(0),
    ) -> None:
        self.seen: list[BagData] = []
        self.states: list[Path | None] = []
        self._says = says
        self._steps = iter(steps)

    def __call__(self, data: BagData, progress: Progress, state: Path | None) -> Ready:
        progress.check()
        progress.event("round", {"round": 2})
        progress.event("curve", {"step": 1, "loss": 0.5})
        self.seen.append(data)
        self.states.append(state)

        def predict(features: np.ndarray) -> BagFound:
            second = self._says(data, int(features[0, 0]))
            probabilities = np.array([1 - second, second], np.float32)
            return BagFound(probabilities, np.ones(1, np.float32), probabilities[None])

        return Ready(Fitted({}, {}, n_steps=next(self._steps)), predict)


class Listening(SilentProgress):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, dict[str, object]]] = []

    def event(self, kind: str, data: object) -> None:
        assert isinstance(data, dict)
        self.events.append((kind, data))


# -- folds -----------------------------------------------------------------------------------------


def test_patients_are_whole_and_labels_are_spread_evenly() -> None:
    data, folds = planned(5)
    assert folds.n == 5
    for patient in range(10):
        assert len(set(folds.of_bags[2 * patient : 2 * patient + 2].tolist())) == 1
    for fold in range(5):
        held = folds.held_out(fold)
        assert sorted(data.bags[row].label for row in held) == [0, 0, 1, 1]


def test_what_ends_a_fold_in_time_is_neither_held_out_nor_learned_from() -> None:
    data, folds = planned(5)
    for fold in range(5):
        own = folds.data_of(data, fold)
        assert {bag.split for bag in own.bags} == {"train", "val"}
        patients = {split: {bag.group for bag in own.of(split)} for split in ("train", "val")}
        held_out = {data.bags[row].group for row in folds.held_out(fold)}
        assert not patients["train"] & patients["val"]
        assert not (patients["train"] | patients["val"]) & held_out
        assert {bag.label for bag in own.of("train")} == {0, 1}
        assert len(own.bags) + len(folds.held_out(fold)) == len(data.bags)
    assert len(folds.data_of(data, -1).bags) == len(data.bags)


def test_a_class_of_two_patients_is_learned_from_in_every_fold() -> None:
    bags = [bag(number, int(number < 2), f"p{number}") for number in range(8)]
    data, groups = BagData(bags, CLASSES, ENCODER), [one.group for one in bags]
    order = FoldOrder(n_folds=4, hold_out="patients")
    folds = planned_folds(data, groups, [""] * 8, order, seed=0)
    for fold in range(4):
        assert {bag.label for bag in folds.data_of(data, fold).of("train")} == {0, 1}


def test_where_a_class_would_be_missing_nothing_is_held_back() -> None:
    bags = [bag(number, number // 2) for number in range(4)]
    data = BagData(bags, CLASSES, ENCODER)
    groups = ["a", "a", "b", "b"]  # one group is held back, else there is nothing to hold back
    own = with_validation(data, groups, range(4), seed=0)
    assert {one.split for one in own.bags} == {"train"}


def test_too_few_patients_are_told_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="10 patients cannot be shared out to 11 folds"):
        planned(11)
    bags = [bag(number, int(number < 2), "p" if number < 2 else "") for number in range(8)]
    groups = [one.group or one.name for one in bags]
    order = FoldOrder(n_folds=3, hold_out="patients")
    with pytest.raises(UsageError, match="“Tumor” is known of one patient only"):
        planned_folds(BagData(bags, CLASSES, ENCODER), groups, [""] * 8, order, 0)


def test_a_class_that_a_fold_would_not_learn_is_refused() -> None:
    sites = ["A"] * 2 + ["B"] * 2 + ["C"] * 2  # all tumours are of site A
    bags = [bag(number, int(number < 2), f"p{number}") for number in range(6)]
    data = BagData(bags, CLASSES, ENCODER)
    order = FoldOrder(n_folds=2, hold_out="sites")
    with pytest.raises(UsageError, match="a class would be missing"):
        planned_folds(data, [one.group for one in bags], sites, order, 0)


def test_sites_are_held_out_one_by_one() -> None:
    data, groups = cohort(24, 1)
    sites = [("A", "B", "C")[number // 8] for number in range(24)]
    order = FoldOrder(n_folds=5, hold_out="sites")
    folds = planned_folds(data, groups, sites, order, 0)
    assert folds.n == 3
    for site in "ABC":
        own = {int(fold) for fold, one in zip(folds.of_bags, sites, strict=True) if one == site}
        assert len(own) == 1
    with pytest.raises(UsageError, match="fewer than three sites"):
        planned_folds(data, groups, ["A"] * 12 + ["B"] * 12, order, 0)


# -- what is predicted -----------------------------------------------------------------------------


def test_every_slide_is_predicted_once_by_what_has_not_seen_it(tmp_path: Path) -> None:
    data, folds = planned(5)

    def has_seen(seen: BagData, number: int) -> float:
        return float(any(bag.name == f"s{number}" for bag in seen.bags))

    one, other = Predictor(has_seen), Predictor(lambda _data, number: number / 100)
    found = CrossValidation(data, folds, {"m": one, "mean": other}, tmp_path / "k.state").run(
        SilentProgress()
    )
    assert sorted(found.rows.tolist()) == list(range(20))
    assert not found.probabilities["m"][:, 1].any()
    np.testing.assert_allclose(found.probabilities["mean"][:, 1], found.rows / 100, atol=1e-6)
    np.testing.assert_array_equal(found.folds, folds.of_bags[found.rows])
    assert found.last is None
    assert all(state is None for state in other.states)
    assert len(set(one.states)) == 5


@pytest.mark.parametrize(
    ("steps", "median"), [((30, 10, 20, 90, 40), 30), ((30, 10, 0, 90, 40), 0)]
)
def test_all_slides_are_learned_from_for_as_many_steps_as_was_best(
    tmp_path: Path, steps: tuple[int, ...], median: int
) -> None:
    data, folds = planned(5)
    fits = {"m": Predictor(steps=steps), "mean": Predictor()}
    found = CrossValidation(data, folds, fits, tmp_path / "k.state").run(SilentProgress())
    assert found.n_steps == median
    again = CrossValidation(data, folds, fits, tmp_path / "k.state").run(SilentProgress())
    assert again.n_steps == median, "finished folds are read from the disk"
    whole = folds.whole(data, median).bags
    assert [one.name for one in whole] == [one.name for one in data.bags]
    assert {one.split for one in whole} == ({"train"} if median else {"train", "val"})


def test_a_killed_training_goes_on_with_the_fold_it_was_in(tmp_path: Path) -> None:
    data, folds = planned(5)
    state = tmp_path / "k.state"
    progress = SilentProgress()

    def stop_in_the_third(seen: BagData, number: int) -> float:
        if len(first.seen) == 3:
            progress.control.cancel()
        return number / 100

    first = Predictor(stop_in_the_third)
    with pytest.raises(Cancelled):
        CrossValidation(data, folds, {"m": first}, state).run(progress)
    again = Predictor(lambda _data, number: number / 100)
    found = CrossValidation(data, folds, {"m": again}, state).run(SilentProgress())
    assert len(again.seen) == 3
    np.testing.assert_allclose(found.probabilities["m"][:, 1], found.rows / 100, atol=1e-6)
    others = Predictor()
    CrossValidation(data, folds, {"m": again, "mean": others}, state).run(SilentProgress())
    assert len(others.seen) == 5  # what was kept was of other predictors


def test_asked_to_finish_it_ends_after_the_fold_it_is_in(tmp_path: Path) -> None:
    data, folds = planned(5)
    progress = SilentProgress()

    def finish(seen: BagData, number: int) -> float:
        progress.control.finish()
        return 0.6

    one = Predictor(finish)
    found = CrossValidation(data, folds, {"m": one}, tmp_path / "k.state").run(progress)
    assert len(one.seen) == 1
    assert sorted(found.rows.tolist()) == sorted(folds.held_out(0))
    assert found.last is not None


def test_asked_to_finish_in_the_last_fold_its_model_is_taken(tmp_path: Path) -> None:
    data, folds = planned(2)
    progress = SilentProgress()

    def finish_at_last(seen: BagData, number: int) -> float:
        if len(one.seen) == 2:
            progress.control.finish()
        return 0.6

    one = Predictor(finish_at_last)
    found = CrossValidation(data, folds, {"m": one}, tmp_path / "k.state").run(progress)
    assert len(found.rows) == 20
    assert found.last is not None


def test_what_runs_beside_is_not_cut_short(tmp_path: Path) -> None:
    data, folds = planned(2)
    progress = SilentProgress()
    progress.control.finish()
    told = []

    def fit(data: BagData, part: Progress, state: Path | None) -> Ready:
        told.append(part.is_finishing)
        return Predictor()(data, part, state)

    CrossValidation(data, folds, {"m": fit, "mean": fit}, tmp_path / "k.state").run(progress)
    assert told == [True, False]


def test_curves_are_told_fold_by_fold_and_only_of_the_method(tmp_path: Path) -> None:
    data, folds = planned(2)
    progress = Listening()
    fits = {"m": Predictor(), "mean": Predictor()}
    CrossValidation(data, folds, fits, tmp_path / "k.state").run(progress)
    kinds = [kind for kind, _data in progress.events]
    assert kinds == ["round", "curve", "fold"] * 2
    for told in ("curve", "round"):
        stages = [data["stage"] for kind, data in progress.events if kind == told]
        assert stages == ["Fold 1 of 2", "Fold 2 of 2"]
    assert [data["fold"] for kind, data in progress.events if kind == "fold"] == [1, 2]


# -- what is decided -------------------------------------------------------------------------------


def test_a_fold_is_cut_by_what_the_others_tell() -> None:
    """One fold's scores are shifted: a cut of its own would be right there, the others' is not."""
    scores = np.array([0.1, 0.2, 0.8, 0.9] * 2 + [0.70, 0.72, 0.75, 0.78])
    truth = np.array([0, 0, 1, 1] * 3)
    folds = np.repeat([0, 1, 2], 4)
    probabilities = np.stack([1 - scores, scores], axis=1)
    found = judged(probabilities, truth, folds, "youden")
    np.testing.assert_array_equal(found.said[8:], [1, 1, 1, 1])
    assert chosen_cut(probabilities[8:], truth[8:], "youden").threshold == pytest.approx(0.735)
    changed = probabilities.copy()
    changed[8:] = changed[8:, ::-1]
    again = judged(changed, truth, folds, "youden")
    np.testing.assert_array_equal(again.said[8:], [0, 0, 0, 0])


def test_a_fold_is_calibrated_by_what_the_others_tell() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 90)
    logits = 3.0 * (truth - 0.5 + rng.normal(0, 1.5, 90))
    second = 1 / (1 + np.exp(-logits))
    probabilities = np.stack([1 - second, second], axis=1)
    folds = np.repeat([0, 1, 2], 30)
    found = judged(probabilities, truth, folds, "youden")
    for fold in range(3):
        own = folds == fold
        cut = chosen_cut(probabilities[~own], truth[~own], "youden")
        np.testing.assert_allclose(found.probabilities[own], cut.applied(probabilities[own])[0])
        assert cut.temperature > 1.2


def test_few_slides_and_a_lone_fold_tell_no_temperature() -> None:
    probabilities = np.tile([[0.2, 0.8], [0.9, 0.1]], (5, 1))
    truth = np.array([1, 0] * 5)
    assert chosen_cut(probabilities, truth, "youden").temperature == 1.0
    many = chosen_cut(np.tile(probabilities, (5, 1)), np.tile(truth, 5), "youden")
    assert many.temperature == pytest.approx(0.25)  # all right: not sharper than that
    alone = judged(probabilities, truth, np.zeros(10, np.int64), "youden")
    np.testing.assert_allclose(alone.probabilities, probabilities)
    np.testing.assert_array_equal(alone.said, truth)


def test_of_more_than_two_classes_the_likeliest_is_said() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    cut = chosen_cut(probabilities, np.array([0, 2]), "youden")
    assert cut == Cut(1.0, None)
    np.testing.assert_array_equal(cut.applied(probabilities)[1], [0, 2])
