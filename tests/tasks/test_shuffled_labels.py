"""Labels that patients have exchanged: chance must not do as well as what was learned."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from teaching import bag

from pathoview.core.errors import Cancelled
from pathoview.core.progress import Progress, SilentProgress
from pathoview.datasets.bags import Bag, BagData, EncoderUsed, Features
from pathoview.datasets.labels import TargetClass
from pathoview.datasets.slide_folds import FoldOrder
from pathoview.methods.fitting import Fitted
from pathoview.methods.spec import BagFound
from pathoview.tasks.cross_validation import (
    CrossValidation,
    Folds,
    OutOfFold,
    Ready,
    judged,
    planned_folds,
    truth_of,
)
from pathoview.tasks.shuffled_labels import Shuffling, exchanged, scores_of

CLASSES = (TargetClass("Normal"), TargetClass("Tumor"))
ENCODER = EncoderUsed("fake", "", 2, (0.5,), 16)


def slides(n: int = 40, *, signal: float = 0.0, seed: int = 0) -> BagData:
    """Return slides, two of each patient; those of every second patient differ by ``signal``."""
    random = np.random.default_rng(seed)
    bags = []
    for number in range(n):
        label = number // 2 % 2
        tiles = random.normal(size=(4, 2)) / 4 + random.normal(size=2) + signal * label
        bags.append(replace(bag(tiles, label, f"s{number}"), group=f"p{number // 2}"))
    return BagData(bags, CLASSES, ENCODER)


def planned(data: BagData) -> Folds:
    groups = [one.group for one in data.bags]
    order = FoldOrder(n_folds=4, hold_out="patients")
    return planned_folds(data, groups, [""] * len(groups), order, seed=0)


class NearestMean:
    """Says which class's slides are nearer on the mean."""

    n_taught = 0

    def __call__(self, data: BagData, progress: Progress, state: Path | None) -> Ready:
        progress.check()
        self.n_taught += 1
        learned = data.of("train")
        means = [
            np.mean([one.numbers().mean(axis=0) for one in learned if one.label == label], axis=0)
            for label in (0, 1)
        ]

        def predict(tiles: Features) -> BagFound:
            near = -np.array([np.square(tiles.mean(axis=0) - mean).sum() for mean in means])
            told = np.exp(near - near.max())
            ones = np.ones(len(tiles), np.float32)
            evidence = np.ones((len(tiles), 2), np.float32)
            return BagFound((told / told.sum()).astype(np.float32), ones, evidence)

        return Ready(Fitted({}, {}), predict)


def auroc(data: BagData, unseen: OutOfFold) -> float:
    truth = truth_of([data.bags[row] for row in unseen.rows.tolist()])
    (told,) = unseen.probabilities.values()
    return judged(told, truth, unseen.folds, "youden").scores(("auroc",))["auroc"]


def shuffling(data: BagData, folder: Path, fit: NearestMean | None = None) -> Shuffling:
    groups = [one.group for one in data.bags]
    return Shuffling(data, groups, planned, fit or NearestMean(), auroc, 3, folder / "k.state")


def against_chance(data: BagData, folder: Path, n: int) -> tuple[float, dict[str, float]]:
    """Return the AUROC that was learned, and what chance does."""
    fits = {"own": NearestMean()}
    unseen = CrossValidation(data, planned(data), fits, folder / "own.state").run(SilentProgress())
    own = auroc(data, unseen)
    return own, scores_of(own, shuffling(data, folder).run(n, SilentProgress()))


def test_chance_does_not_do_as_well_as_what_was_learned(tmp_path: Path) -> None:
    n = 19
    own, told = against_chance(slides(signal=2.0), tmp_path, n)
    assert own > 0.9
    assert told["shuffled.p"] == 1 / (n + 1)
    assert told["shuffled.n"] == n
    assert told["shuffled.auroc"] == pytest.approx(0.5, abs=0.08)
    assert 0.03 < told["shuffled.auroc_sd"] < 0.2


def test_where_there_is_nothing_to_learn_chance_does_as_well(tmp_path: Path) -> None:
    _own, told = against_chance(slides(signal=0.0), tmp_path, 19)
    assert told["shuffled.p"] > 0.1


def test_patients_exchange_their_labels_and_their_slides_stay_alike() -> None:
    data = slides()
    groups = [one.group for one in data.bags]
    answered = replace(data.bags[0], answers=np.ones(4, np.int8))
    bags = [answered, *data.bags[1:]]
    found = exchanged(bags, groups, np.random.default_rng(0))
    assert [one.label for one in found] != [one.label for one in bags]
    assert Counter(one.label for one in found) == Counter(one.label for one in bags)
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert first.label == second.label
    assert [one.slide_hash for one in found] == [one.slide_hash for one in bags]
    assert found[0].answers is None  # said of a label that it has no more


def test_labels_of_patients_with_more_or_fewer_slides_are_repeated_or_cut() -> None:
    def several(number: int, *labels: int) -> Bag:
        return replace(bag(np.zeros((1, 2)), 0, f"s{number}"), labels=labels)

    bags = [several(0, 1, 0), several(1, 0, 1), several(2, 1, 1), several(3, 0, 0)]
    groups = ["p", "p", "p", "q"]
    seen = {
        tuple(one.labels for one in exchanged(bags, groups, np.random.default_rng(seed)))
        for seed in range(9)
    }
    same = ((1, 0), (0, 1), (1, 1), (0, 0))
    assert seen == {same, ((0, 0), (0, 0), (0, 0), (1, 0))}


class Watched(SilentProgress):
    """Stops or finishes when a shuffle begins; remembers what was said."""

    def __init__(self, cancel_at: int = -1, finish_at: int = -1) -> None:
        super().__init__()
        self.begun: list[object] = []
        self.texts: set[str] = set()
        self._cancel_at, self._finish_at = cancel_at, finish_at

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.texts.add(text)

    def event(self, kind: str, data: object) -> None:
        assert isinstance(data, dict)
        assert kind == "shuffled", "curves of shuffled labels are nobody's"
        self.begun.append(data["n"])
        if data["n"] == self._cancel_at:
            self.control.cancel()
        if data["n"] == self._finish_at:
            self.control.finish()


def test_stopped_it_goes_on_where_it_was_and_keeps_only_what_it_measured(tmp_path: Path) -> None:
    data = slides()
    (tmp_path / "whole").mkdir()
    whole = shuffling(data, tmp_path / "whole").run(5, SilentProgress())
    with pytest.raises(Cancelled):
        shuffling(data, tmp_path).run(5, Watched(cancel_at=2))
    fit, progress = NearestMean(), Watched()
    assert shuffling(data, tmp_path, fit).run(5, progress) == whole
    assert progress.begun == [2, 3, 4]
    assert fit.n_taught == 3 * 4
    assert progress.texts <= {f"Shuffled labels, {n} of 5" for n in (3, 4, 5)}
    kept = [one.name for one in tmp_path.iterdir() if one.is_file()]
    assert kept == ["k-shuffled.json"]


def test_asked_to_finish_what_was_not_finished_is_left_out(tmp_path: Path) -> None:
    assert len(shuffling(slides(), tmp_path).run(9, Watched(finish_at=2))) == 2
    done = Watched()
    done.control.finish()
    (tmp_path / "k-shuffled.json").unlink()
    assert shuffling(slides(), tmp_path).run(9, done) == []
    assert scores_of(0.9, []) == {}
