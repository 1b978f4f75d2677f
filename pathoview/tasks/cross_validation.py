"""Cross-validation of methods for whole slides: every slide is predicted by what has not seen it.

Patients (or sites) are whole. In each fold a part of what is learned from is held back as well, to
end in time, so that what is measured had no say in anything. Temperature and threshold are chosen
on what was predicted in the other folds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from pathoview.core.files import replacing
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.datasets.bags import Bag, BagData, Features
from pathoview.datasets.slide_folds import FoldOrder, slide_folds
from pathoview.datasets.splits import Numbers, split_groups
from pathoview.evaluation.calibration import at_temperature, best_temperature
from pathoview.evaluation.retrieval import Retrieved
from pathoview.evaluation.slide_labels import (
    LabelPredictions,
    best_label_temperature,
    tempered,
)
from pathoview.evaluation.slides import (
    Predictions,
    SlidePredictions,
    ThresholdRule,
    choose_threshold,
    decided,
)
from pathoview.methods.fitting import Fitted
from pathoview.methods.spec import BagFound
from pathoview.tasks.case_retrieval import CaseVector, found_cases, together
from pathoview.tasks.training_state import part_path

_SHARES = {"train": 0.8, "val": 0.2}
"""Of what is learned from: what is held back ends the training in time."""
_METHOD_SHARE = 0.9
"""Of a fold's time."""
_OF_FOLD = ("curve", "round")
"""Events that are told as those of a fold."""
_LEAST_TEMPERED = 20
"""With fewer slides, the temperature stays 1."""
_TEMPERATURES = (0.25, 4.0)
"""Where all of few slides are right, the best temperature is 0: a certainty nobody measured."""

Fractions = npt.NDArray[np.float64]
Truth = npt.NDArray[np.int64] | npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ready:
    """A predictor that has learned."""

    fitted: Fitted
    predict: Callable[[Features], BagFound]
    describe: Callable[[Bag, Progress], Features] = lambda bag, _progress: bag.numbers()
    """What it wants to know of a slide's tiles."""
    case_vector: CaseVector | None = None
    """By what it tells which slides are alike; None: it does not."""

    def probabilities(self, bags: Sequence[Bag], progress: Progress) -> Fractions:
        """Return (bag, class)."""
        found = []
        for bag in bags:
            progress.check()
            features = self.describe(bag, progress)
            found.append(self.predict(features).probabilities.astype(np.float64))
        return np.stack(found)


Fit = Callable[[BagData, Progress, Path | None], Ready]
"""Learn from the bags of a split; the path: where a state is kept to go on from, None: nowhere."""


@dataclass(frozen=True, slots=True)
class Folds:
    """Who is held out when."""

    groups: Sequence[str]
    """(bag,) whole in each fold, and in what is held back of it."""
    of_bags: Numbers
    """(bag,) the fold in which each is held out; -1: in none, it is always learned from."""
    seed: int

    @property
    def n(self) -> int:
        return int(self.of_bags.max()) + 1

    def data_of(self, data: BagData, fold: int) -> BagData:
        """Return the bags that a fold learns from, some of them held back; -1: all of them."""
        rows = [row for row, own in enumerate(self.of_bags.tolist()) if fold < 0 or own != fold]
        return with_validation(data, [self.groups[row] for row in rows], rows, self.seed)

    def whole(self, data: BagData, n_steps: int) -> BagData:
        """Return all bags, to learn from them for ``n_steps``; 0: some of them tell when to end."""
        if not n_steps:
            return self.data_of(data, -1)
        return replace(data, bags=[replace(bag, split="train") for bag in data.bags])

    def held_out(self, fold: int) -> list[int]:
        """Return the places of the bags that are held out in a fold."""
        return np.flatnonzero(self.of_bags == fold).tolist()


def planned_folds(
    data: BagData, groups: Sequence[str], sites: Sequence[str], order: FoldOrder, seed: int
) -> Folds:
    """Return who is held out when; raise `UsageError` as `slide_folds` does."""
    labels = [names_of(data, bag) for bag in data.bags]
    return Folds(groups, slide_folds(labels, groups, sites, order, seed), seed)


def names_of(data: BagData, bag: Bag) -> tuple[str, ...]:
    """Return the names of the class that a bag has, or of all of them."""
    if not bag.labels:
        return (data.classes[bag.label].name,)
    return tuple(one.name for one, has_it in zip(data.classes, bag.labels, strict=True) if has_it)


def truth_of(bags: Sequence[Bag]) -> Truth:
    """Return the class of each bag, (n,), or whether it has each, (n, class) bool."""
    if bags and bags[0].labels:
        return np.array([bag.labels for bag in bags], np.bool_)
    return np.array([bag.label for bag in bags], np.int64)


def with_validation(
    data: BagData, groups: Sequence[str], rows: Sequence[int], seed: int
) -> BagData:
    """Return some bags, those of a fifth of the groups held back; none where a class would lack."""
    bags = [data.bags[row] for row in rows]
    names = [names_of(data, bag) for bag in bags]
    splits = split_groups(groups, _SHARES, seed, ["; ".join(own) for own in names])
    learned = {
        name
        for own, group in zip(names, groups, strict=True)
        if splits[group] != "val"
        for name in own
    }
    is_enough = learned == {name for own in names for name in own}
    return replace(
        data,
        bags=[
            replace(bag, split="val" if is_enough and splits[group] == "val" else "train")
            for bag, group in zip(bags, groups, strict=True)
        ],
    )


class FoldResult(BaseModel):
    """What was predicted of the slides that a fold held out, uncalibrated."""

    model_config = ConfigDict(frozen=True)

    fold: int
    rows: tuple[int, ...]
    """Places of the bags."""
    probabilities: dict[str, tuple[tuple[float, ...], ...]]
    """By predictor: (bag, class)."""
    seconds: float
    n_steps: int = 0
    """After how many steps the method was best on what was held back; 0: it does not say."""
    cases: dict[str, tuple[float, ...]] = {}
    """What each finds among the slides that were learned from; empty: the method does not tell."""


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What was predicted of slides by what has not seen them."""

    rows: Numbers
    """(n,) places of the bags that were held out."""
    folds: Numbers
    """(n,)"""
    probabilities: Mapping[str, Fractions]
    """By predictor: (n, class), uncalibrated."""
    last: Ready | None
    """Of the last fold, when the person asked to end; None: learn from all slides now."""
    n_steps: int = 0
    """The median of the steps after which the folds were best; 0: the method does not say."""
    cases: Retrieved | None = None
    """What they find among the slides that were learned from; None: the method does not tell."""


class CrossValidation:
    """Several predictors on the same folds; finished folds are kept on the disk."""

    def __init__(self, data: BagData, folds: Folds, fits: Mapping[str, Fit], state: Path) -> None:
        """``fits``: by name, the method itself first."""
        self._data, self._folds, self._fits, self._state = data, folds, fits, state
        self._group_numbers = np.unique(folds.groups, return_inverse=True)[1]

    def run(self, progress: Progress) -> OutOfFold:
        """Predict every slide; when asked to finish, those of the folds that were reached."""
        results: list[FoldResult] = []
        last: Ready | None = None
        n = self._folds.n
        for fold in range(n):
            part = PartOf(progress, fold / n, (fold + 1) / n)
            result = self._kept(fold)
            if result is None:
                if last is not None and progress.is_finishing:
                    break
                result, last = self._predicted(fold, part)
                with replacing(self._path(fold)) as file:
                    file.write(result.model_dump_json().encode())
            results.append(result)
            progress.event("fold", {"fold": fold + 1, "n_folds": n, "seconds": result.seconds})
        return self._together(results, last if progress.is_finishing else None)

    def _predicted(self, fold: int, progress: Progress) -> tuple[FoldResult, Ready]:
        """Fit all predictors on a fold's bags, and predict what it holds out."""
        started = time.monotonic()
        rows = self._folds.held_out(fold)
        held_out = [self._data.bags[row] for row in rows]
        data = self._folds.data_of(self._data, fold)
        text = _("Fold {fold} of {n}").format(fold=fold + 1, n=self._folds.n)
        found, method = {}, None
        for place, (name, fit) in enumerate(self._fits.items()):
            part = _FoldProgress(progress, place, len(self._fits), text)
            state = part_path(self._state, f"{fold}-{name}")
            ready = fit(data, part, None if place else state)
            method = method or ready
            found[name] = ready.probabilities(held_out, part).tolist()
        assert method is not None
        seconds = time.monotonic() - started
        told = FoldResult(
            fold=fold,
            rows=tuple(rows),
            probabilities=found,
            seconds=seconds,
            n_steps=method.fitted.n_steps,
            cases=self._found_cases(method, fold, progress),
        )
        return told, method

    def _found_cases(self, ready: Ready, fold: int, progress: Progress) -> dict[str, Any]:
        """Return what the slides of a fold find among the others, if the method tells."""
        if ready.case_vector is None:
            return {}
        of_bags = self._folds.of_bags
        queries, known = (
            ([self._data.bags[row] for row in rows.tolist()], self._group_numbers[rows])
            for rows in (np.flatnonzero(of_bags == fold), np.flatnonzero(of_bags != fold))
        )
        return dict(found_cases(ready.case_vector, queries, known, progress))

    def _path(self, fold: int) -> Path:
        return part_path(self._state, f"{fold}", ".json")

    def _kept(self, fold: int) -> FoldResult | None:
        """Return what an earlier training predicted in a fold; None: nothing yet."""
        try:
            kept = FoldResult.model_validate(orjson.loads(self._path(fold).read_bytes()))
        except (OSError, ValueError, ValidationError):
            return None
        return kept if list(kept.probabilities) == list(self._fits) else None

    def _together(self, results: Sequence[FoldResult], last: Ready | None) -> OutOfFold:
        steps = [one.n_steps for one in results]
        rows = np.array([row for one in results for row in one.rows], np.int64)
        return OutOfFold(
            rows,
            np.array([one.fold for one in results for _row in one.rows], np.int64),
            {
                name: np.concatenate([np.array(one.probabilities[name]) for one in results])
                for name in self._fits
            },
            last,
            int(np.median(steps)) if all(steps) else 0,
            together([one.cases for one in results], self._group_numbers[rows]),
        )


class _FoldProgress(PartOf):
    """A predictor's part of a fold. Its curve is told as one of this fold; others' are kept.

    What runs beside the method is quick, and is not cut short when the person asks to finish: the
    comparison would be unfair.
    """

    def __init__(self, whole: Progress, place: int, n: int, text: str) -> None:
        ends = np.concatenate([[0.0], np.linspace(_METHOD_SHARE, 1.0, n)])
        super().__init__(whole, float(ends[place]), float(ends[place + 1]), tells_events=not place)
        self._is_method, self._text = not place, text

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        super().report(fraction, self._text, **metrics)

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        super().event(kind, {**data, "stage": self._text} if kind in _OF_FOLD else data)

    @property
    def is_finishing(self) -> bool:
        return self._is_method and super().is_finishing


@dataclass(frozen=True, slots=True)
class Cut:
    """What makes decisions of probabilities."""

    temperature: float = 1.0
    threshold: float | None = None
    """Of the second of two classes; None: the likeliest class."""
    thresholds: tuple[float, ...] = ()
    """Of each class, where a slide may have several."""

    def applied(self, probabilities: Fractions) -> tuple[Fractions, Truth]:
        """Return calibrated probabilities, (n, class), and what is decided, as `truth_of`."""
        if self.thresholds:
            calibrated = tempered(probabilities, self.temperature)
            return calibrated, self.decided(calibrated)
        calibrated = at_temperature(probabilities, self.temperature)
        return calibrated, self.decided(calibrated)

    def decided(self, calibrated: Fractions) -> Truth:
        """Return what is decided of calibrated probabilities, as `truth_of`."""
        if self.thresholds:
            return np.asarray(calibrated >= np.array(self.thresholds), np.bool_)
        return decided(calibrated, self.threshold)


def chosen_cut(probabilities: Fractions, truth: Truth, rule: ThresholdRule) -> Cut:
    """Return the temperature, and of two classes the threshold, that fit best.

    With several labels a slide, one temperature, and the threshold of each label.
    """
    if truth.ndim > 1:
        return _cut_of_labels(probabilities, truth.astype(np.bool_), rule)
    temperature = 1.0
    if len(truth) >= _LEAST_TEMPERED:
        best = best_temperature(probabilities, truth.astype(np.int64))
        temperature = float(np.clip(best, *_TEMPERATURES))
    if probabilities.shape[1] != 2:
        return Cut(temperature)
    calibrated = at_temperature(probabilities, temperature)[:, 1]
    return Cut(temperature, choose_threshold(calibrated, truth == 1, rule))


def _cut_of_labels(
    probabilities: Fractions, truth: npt.NDArray[np.bool_], rule: ThresholdRule
) -> Cut:
    temperature = 1.0
    if len(truth) >= _LEAST_TEMPERED:
        best = best_label_temperature(probabilities, truth)
        temperature = float(np.clip(best, *_TEMPERATURES))
    calibrated = tempered(probabilities, temperature)
    columns = zip(calibrated.T, truth.T, strict=True)
    thresholds = tuple(choose_threshold(scores, is_it, rule) for scores, is_it in columns)
    return Cut(temperature, thresholds=thresholds)


def predictions(
    truth: Truth, probabilities: Fractions, said: Truth, *, is_ordered: bool = False
) -> Predictions:
    """Return what was predicted of slides, of one class each or of several labels."""
    if truth.ndim > 1:
        return LabelPredictions(truth.astype(np.bool_), probabilities, said.astype(np.bool_))
    return SlidePredictions(
        truth.astype(np.int64), probabilities, said.astype(np.int64), is_ordered
    )


def judged(
    probabilities: Fractions,
    truth: Truth,
    folds: Numbers,
    rule: ThresholdRule,
    *,
    is_ordered: bool = False,
) -> Predictions:
    """Return each fold's predictions, calibrated and decided by what the other folds tell."""
    calibrated, said = np.empty_like(probabilities), np.empty_like(truth)
    for fold in np.unique(folds).tolist():
        own = folds == fold
        cut = chosen_cut(probabilities[~own], truth[~own], rule)
        calibrated[own], said[own] = cut.applied(probabilities[own])
    return predictions(truth, calibrated, said, is_ordered=is_ordered)
