"""Train a method on labels of whole slides: describe, cross-validate, learn from all, write a card.

What the model is worth is told of slides that were held out (see `cross_validation`), beside the
plainest pooling of tiles: what does not beat it is not worth its trouble.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams
from pathoview.core.progress import PartOf, Progress
from pathoview.core.registry import load_entry
from pathoview.core.translation import _
from pathoview.datasets.bags import Bag, BagData
from pathoview.datasets.slide_folds import FoldOrder
from pathoview.datasets.splits import Numbers, linked_groups
from pathoview.evaluation.bootstrap import Interval
from pathoview.evaluation.chance import size_scores
from pathoview.evaluation.slides import (
    Predictions,
    SlidePredictions,
    scores_with_intervals,
)
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import DataUsed, Model, ModelClass
from pathoview.methods.spec import Compute, MethodSpec
from pathoview.tasks import case_retrieval, shuffled_labels
from pathoview.tasks.bag_data import check_labels, open_bag_data
from pathoview.tasks.bag_labels import BagSource
from pathoview.tasks.cross_validation import (
    CrossValidation,
    Cut,
    Fit,
    Folds,
    OutOfFold,
    Ready,
    chosen_cut,
    judged,
    planned_folds,
    predictions,
    truth_of,
)
from pathoview.tasks.model_cards import new_card
from pathoview.tasks.out_of_fold import held_out_of
from pathoview.tasks.provenance import device_name
from pathoview.tasks.shuffled_labels import Shuffling
from pathoview.tasks.training_state import forget_state, part_path, state_path

if TYPE_CHECKING:
    from pathoview.tasks.train import TrainRequest

BASELINES = ("mean", "max")
"""What runs beside every method; see `methods.engine.bag_baselines`."""
_DESCRIBED = 0.3
"""How much of a training is done when slides are described."""
_FOLDS, _MODEL = 6, 1
"""How long the rest takes: all folds, also those of shuffled labels, and the model in the end."""


class BagTraining:
    """One training while it goes on."""

    def __init__(
        self,
        order: TrainRequest,
        spec: MethodSpec,
        params: BaseParams,
        start: Model | None,
        progress: Progress,
    ) -> None:
        self._order, self._spec, self._params, self._start = order, spec, params, start
        self._progress = progress
        self._device = device_name(spec)
        described = order.bags.features
        self._prepared = open_bag_data(
            _source(order, spec),
            described.whole() if spec.looks_at_whole else described,
            PartOf(progress, 0.0, _DESCRIBED),
            with_pixels=spec.sees_pixels,
        )
        self.left_out = self._prepared.left_out
        data = self._prepared.data
        rows = [row for row, bag in enumerate(data.bags) if bag.split != "test"]
        self._data = replace(data, bags=[data.bags[row] for row in rows])
        self._test = [bag for bag in data.bags if bag.split == "test"]
        check_labels(self._data)
        self._check_start()
        self._sites = [self._prepared.sites[row] for row in rows]
        self._folds = self._planned(self._data)
        self._state = state_path(self._said())

    def run(self) -> Model:
        """Cross-validate, fit on all slides, and return the model with its card."""
        if not self._order.resume:
            self.forget_state()
        started = time.monotonic()
        n = len(self._data.bags)
        self._progress.event("started", {"n_labels": n, "device": self._device})
        fits: dict[str, Fit] = {self._spec.name: self._fit}
        fits |= {kind: partial(self._fit_baseline, kind) for kind in BASELINES}
        validated, learned = self._ends()
        course = CrossValidation(self._data, self._folds, fits, self._state)
        unseen = course.run(PartOf(self._progress, _DESCRIBED, validated))
        ready = unseen.last or self._fit(
            self._folds.whole(self._data, unseen.n_steps),
            PartOf(self._progress, validated, learned),
            part_path(self._state, "all"),
            unseen.n_steps,
        )
        shuffled = self._shuffling().run(
            self._order.bags.n_permutations, PartOf(self._progress, learned, 1.0)
        )
        return self._model(ready, unseen, shuffled, time.monotonic() - started)

    def _ends(self) -> tuple[float, float]:
        """Return how much is done when the folds are, and when the model is."""
        n = self._order.bags.n_permutations
        part = (1 - _DESCRIBED) / (_FOLDS + _MODEL + n * _FOLDS)
        return _DESCRIBED + _FOLDS * part, _DESCRIBED + (_FOLDS + _MODEL) * part

    def close(self) -> None:
        """Close the slides that were read."""
        if self._prepared.pool is not None:
            self._prepared.pool.close()

    def forget_state(self) -> None:
        """Remove what was kept to go on from."""
        forget_state(self._state)

    def _planned(self, data: BagData) -> Folds:
        bags = self._order.bags
        order = FoldOrder(n_folds=bags.n_folds, hold_out=bags.hold_out)
        return planned_folds(data, _groups(data.bags), self._sites, order, self._order.seed)

    def _shuffling(self) -> Shuffling:
        return Shuffling(
            self._data,
            self._folds.groups,
            self._planned,
            self._fit,
            self._auroc,
            self._order.seed,
            self._state,
        )

    # -- what is fitted ----------------------------------------------------------------------------

    def _context(self, progress: Progress, state: Path | None) -> FitContext:
        return FitContext(
            progress=progress, seed=self._order.seed, device=self._device, state_path=state
        )

    def _fit(
        self, data: BagData, progress: Progress, state: Path | None, n_steps: int = 0
    ) -> Ready:
        context = replace(self._context(progress, state), start=self._start, n_steps=n_steps)
        method = load_entry(self._spec.entry)(self._spec.params())
        return self._ready(method.fit(data, self._params, context))

    def _ready(self, fitted: Fitted) -> Ready:
        compute = (Compute(self._device),) if self._spec.uses_torch else ()
        method = load_entry(self._spec.entry)(self._spec.params(), fitted, *compute)
        if self._spec.looks_at_whole:
            return Ready(fitted, method.predict, case_vector=method.case_vector)
        if not self._spec.sees_pixels:
            return Ready(fitted, method.predict)
        return Ready(fitted, method.predict, lambda bag, own: method.describe(bag, own.check))

    def _fit_baseline(
        self, kind: Any, data: BagData, progress: Progress, state: Path | None
    ) -> Ready:
        from pathoview.methods.engine import bag_baselines

        fitted = bag_baselines.fit(kind, data, self._context(progress, state))
        return Ready(fitted, lambda tiles: bag_baselines.predict(fitted, tiles, self._device))

    # -- what is told ------------------------------------------------------------------------------

    def _judged(self, data: BagData, unseen: OutOfFold) -> dict[str, Predictions]:
        truth = truth_of([data.bags[row] for row in unseen.rows.tolist()])
        rule = self._order.bags.threshold
        return {
            name: judged(one, truth, unseen.folds, rule, is_ordered=self._is_ordered)
            for name, one in unseen.probabilities.items()
        }

    def _auroc(self, data: BagData, unseen: OutOfFold) -> float:
        (said,) = self._judged(data, unseen).values()
        return said.scores(("auroc",))["auroc"]

    def _model(
        self, ready: Ready, unseen: OutOfFold, shuffled: Sequence[float], seconds: float
    ) -> Model:
        said = self._judged(self._data, unseen)
        truth = truth_of([self._data.bags[row] for row in unseen.rows.tolist()])
        rule = self._order.bags.threshold
        cut = chosen_cut(unseen.probabilities[self._spec.name], truth, rule)
        fitted = replace(ready.fitted, settings=self._settings(ready.fitted, cut))
        ready = self._ready(fitted)
        metrics, intervals = self._measured(said, unseen, ready, cut)
        metrics |= shuffled_labels.scores_of(metrics["auroc"], shuffled)
        data = self._data
        card = new_card(
            *(self._order, self._spec, self._params, fitted, self._start),
            device=self._device,
            seconds=seconds,
            mpp=data.encoder.mpp[0] if data.encoder.mpp else 0.0,
            classes=tuple(ModelClass(name=one.name, color=one.color) for one in data.classes),
            data=self._used(unseen),
            labels=data.counts(),
            study_id=self._prepared.study_id,
            metrics=metrics,
            intervals=intervals,
            held_out=held_out_of(data.bags, _group_numbers(data.bags), unseen, said),
            notes=_notes(unseen, self._folds),
        )
        return Model(card, fitted.tensors)

    @property
    def _is_ordered(self) -> bool:
        return self._data.ordering == "grades"

    @property
    def _compared(self) -> tuple[str, ...]:
        """Scores by which the method is compared with what runs beside it."""
        return ("auroc", "kappa_quadratic") if self._is_ordered else ("auroc",)

    def _settings(self, fitted: Fitted, cut: Cut) -> dict[str, Any]:
        order = self._order.bags
        said = {**fitted.settings, "temperature": cut.temperature, "ordering": self._data.ordering}
        if cut.threshold is not None:
            said |= {"threshold": cut.threshold, "threshold_rule": order.threshold}
        if cut.thresholds:
            said |= {"thresholds": list(cut.thresholds), "threshold_rule": order.threshold}
        if order.grade:
            said["grade"] = order.grade
        if fitted.n_steps:
            said["n_steps"] = fitted.n_steps
        return said

    def _measured(
        self,
        said: Mapping[str, Predictions],
        unseen: OutOfFold,
        ready: Ready,
        cut: Cut,
    ) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
        """Return scores and their intervals, of cross-validation and of the slides of a test."""
        bags = [self._data.bags[row] for row in unseen.rows.tolist()]
        groups, seed = _group_numbers(bags), self._order.seed
        scores, ends = scores_with_intervals(said, groups, self._compared, seed=seed)
        own = said[self._spec.name]
        if isinstance(own, SlidePredictions):
            sizes = np.array([bag.n_tiles for bag in bags])
            of_size, ends_of_size = size_scores(own, sizes, groups, seed=seed)
            scores, ends = scores | of_size, ends | ends_of_size
        metrics, intervals = _told(scores, ends)
        if unseen.cases is not None:
            found, spread = _told(*case_retrieval.scores(unseen.cases, self._order.seed))
            metrics, intervals = metrics | found, intervals | spread
        if self._test:
            tested, ends_tested = self._tested(ready, cut)
            metrics |= {f"test.{name}": value for name, value in tested.items()}
            intervals |= {f"test.{name}": value for name, value in ends_tested.items()}
        return metrics, intervals

    def _tested(
        self, ready: Ready, cut: Cut
    ) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
        """Return the scores of the model itself, on the slides of a test."""
        probabilities = ready.probabilities(self._test, self._progress)  # at its temperature
        said = cut.decided(probabilities)
        one = predictions(truth_of(self._test), probabilities, said, is_ordered=self._is_ordered)
        groups = _group_numbers(self._test)
        return _told(*scores_with_intervals({"": one}, groups, seed=self._order.seed))

    def _used(self, unseen: OutOfFold) -> tuple[DataUsed, ...]:
        """Return the slides that the model has seen, and those of the test."""
        learned = self._folds.whole(self._data, unseen.n_steps).bags
        if unseen.last is not None:
            learned = self._folds.data_of(self._data, int(unseen.folds[-1])).bags
        return tuple(
            DataUsed(
                name=bag.name,
                slide_hash=bag.slide_hash,
                split=bag.split,
                n_labels=1,
                licence=bag.licence,
            )
            for bag in [*learned, *self._test]
        )

    def _check_start(self) -> None:
        """Raise `UsageError` when the model to go on from has seen slides that are held out."""
        if self._start is None:
            return
        seen = {one.slide_hash for one in self._start.card.data}
        if any(bag.slide_hash in seen for bag in self._prepared.data.bags):
            raise UsageError(
                _("“{title}” has learned from some of these slides.").format(
                    title=self._start.card.title
                ),
                _("Begin from scratch: else nothing honest can be said of slides held out."),
            )

    def _said(self) -> list[Any]:
        """Return everything that has a say in the result."""
        return [
            self._spec.name,
            self._spec.version,
            self._params.model_dump(mode="json"),
            self._order.seed,
            self._start.card.id if self._start else "",
            [(bag.slide_hash, bag.fingerprint()) for bag in self._data.bags],
            [one.name for one in self._data.classes],
            list(self._folds.groups),
            self._folds.of_bags.tolist(),
            self._data.ordering,
        ]


def _source(order: TrainRequest, spec: MethodSpec) -> BagSource:
    return BagSource(
        study=order.study,
        slides=tuple(order.slides),
        images=order.images,
        labels=order.labels,
        classes=None if order.classes is None else tuple(order.classes),
        grade=order.bags.grade,
        mpp=order.mpp,
        licence=order.licence,
        several=spec.has_several_labels,
        items=order.bags.items,
    )


def _groups(bags: Sequence[Bag]) -> list[str]:
    """Return what of each bag must not be in two splits: its patient, or the slide alone."""
    return [bag.group or f"slide {bag.slide_hash}" for bag in bags]


def _group_numbers(bags: Sequence[Bag]) -> Numbers:
    return linked_groups([(group,) for group in _groups(bags)])


def _told(
    scores: Mapping[str, float], intervals: Mapping[str, Interval]
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    known = {name: value for name, value in scores.items() if np.isfinite(value)}
    ends = {
        name: (intervals[name].low, intervals[name].high) for name in known if name in intervals
    }
    return known, ends


def _notes(unseen: OutOfFold, folds: Folds) -> str:
    if unseen.last is None:
        return ""
    n = len(Counter(unseen.folds.tolist()))
    return _(
        "It was ended early: measured in {n} of {all} folds, and the model of the last of them."
    ).format(n=n, all=folds.n)
