"""Score a model of whole slides, or two, against slides whose labels are known.

The result has the form of `evaluate.run`, so that reports and tables are the same: all scores are
of all slides together, their intervals draw patients anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pathoview.core.errors import InputError, UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.datasets.bags import Bag
from pathoview.datasets.splits import linked_groups
from pathoview.evaluation.bootstrap import Interval
from pathoview.evaluation.slides import Predictions, SlidePredictions, scores_with_intervals
from pathoview.tasks.analyze_bag import encoder_of
from pathoview.tasks.bag_data import PreparedBags, open_bag_data
from pathoview.tasks.bag_labels import BagSource
from pathoview.tasks.cross_validation import Cut, predictions, truth_of
from pathoview.tasks.doubts import doubts
from pathoview.tasks.evaluate_cases import learned_from, left_out_seen, seen_before
from pathoview.tasks.evaluate_summary import class_scores, or_none
from pathoview.tasks.evaluation_report import html_of
from pathoview.tasks.evaluation_tables import write_tables
from pathoview.tasks.features import FeatureOrder
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.predictions_told import (
    claims_of,
    confusion_told,
    looked_for,
    names_told,
    pr_told,
    roc_told,
)
from pathoview.tasks.provenance import versions

if TYPE_CHECKING:
    from pathoview.tasks.evaluate import EvaluateRequest

_DESCRIBED = 0.8
"""How much is done when slides are described."""


def evaluate_slides(
    order: EvaluateRequest, methods: Sequence[BuiltMethod], progress: Progress
) -> dict[str, Any]:
    """Return the scores of one or two models of whole slides; see `evaluate.run`.

    Raises as `bag_data.open_bag_data` does, `UsageError` for models of different classes, and
    `StorageError` when a report cannot be written.
    """
    names = _class_names(methods)
    bags, left_out, warnings = _bags(order, methods, progress)
    for built in methods:
        if built.card is not None:
            warnings += doubts(built.card.metrics, built.card.intervals, names)
    said = [_predicted(built, own, progress) for built, own in zip(methods, bags, strict=True)]
    groups = [bag.group or bag.slide_hash for bag in bags[0]]
    scores, intervals = scores_with_intervals(
        {str(place): one for place, one in enumerate(said)},
        linked_groups([(group,) for group in groups]),
        seed=order.seed,
    )
    told = [
        _Told(built, one, own, names).to_json()
        for built, one, own in zip(methods, said, bags, strict=True)
    ]
    for place, one in enumerate(told):
        prefix = f"{place}." if place else ""
        own = said[place].scores()
        one["pooled"] = {name: _score(scores, intervals, prefix + name) for name in own}
    card = methods[0].card
    result = {
        **told[0],
        "left_out": [one.to_json() for one in left_out],
        "worst": [],
        "warnings": warnings,
        "card": card.model_dump(mode="json") if card else None,
        "versions": versions(with_torch=methods[0].spec.uses_torch),
    }
    if len(told) > 1:
        result["against"] = told[1]
        result["difference"] = {
            f"pooled_{name}": _score(scores, intervals, f"over_1.{name}")
            for name in told[1]["pooled"]
        }
    _write(order, result, {bag.name: f"slide-{bag.slide_hash[:8]}" for bag in bags[0]})
    progress.report(1.0)
    return result


def _class_names(methods: Sequence[BuiltMethod]) -> tuple[str, ...]:
    """Return the classes that are told apart; raise `UsageError` unless all tell the same."""
    names = [
        tuple(one.name for one in built.card.classes) if built.card else () for built in methods
    ]
    if any(one != names[0] for one in names):
        raise UsageError(
            _("The models tell different classes: {first}, and {second}.").format(
                first=", ".join(names[0]), second=", ".join(names[-1])
            ),
            _("Compare models that were trained for the same question."),
        )
    return names[0]


def _write(
    order: EvaluateRequest, result: Mapping[str, Any], pseudonyms: Mapping[str, str]
) -> None:
    """Write the report and the tables, in which slides go by their pseudonyms."""

    def renamed(one: Mapping[str, Any]) -> dict[str, Any]:
        return {**one, "per_image": {pseudonyms[key]: of for key, of in one["per_image"].items()}}

    told = renamed(result)
    if "against" in result:
        told["against"] = renamed(result["against"])
    if order.report:
        with replacing(Path(order.report)) as file:
            file.write(html_of(told).encode())
    if order.csv:
        write_tables(Path(order.csv), told)


# -- slides ----------------------------------------------------------------------------------------


def _bags(
    order: EvaluateRequest, methods: Sequence[BuiltMethod], progress: Progress
) -> tuple[list[list[Bag]], list[Any], list[str]]:
    """Return the same slides for each method, described as it wants them, and what to say."""
    prepared: list[PreparedBags] = []
    for place, built in enumerate(methods):
        used = encoder_of(built)
        ends = _DESCRIBED * place / len(methods), _DESCRIBED * (place + 1) / len(methods)
        prepared.append(
            open_bag_data(
                _source(order, built),
                FeatureOrder.of(used, order.numerics),
                PartOf(progress, *ends),
                weights=used.weights,
            )
        )
    by_hash = [{bag.slide_hash: bag for bag in one.data.bags} for one in prepared]
    kept = [key for key in by_hash[0] if all(key in one for one in by_hash)]
    seen = learned_from(methods)
    new = [key for key in kept if key not in seen]
    warnings: list[str] = []
    if new and order.study and not order.slides:
        warnings += left_out_seen(len(kept) - len(new))
        kept = new
    else:
        warnings += seen_before(len(kept) - len(new), len(kept))
    if not kept:
        raise InputError(_("There is no slide that both models can be used on."))
    return [[one[key] for key in kept] for one in by_hash], prepared[0].left_out, warnings


def _source(order: EvaluateRequest, built: BuiltMethod) -> BagSource:
    card = built.card
    assert card is not None  # `encoder_of` has looked
    return BagSource(
        study=order.study,
        slides=tuple(order.slides),
        images=order.images,
        labels=order.labels,
        classes=tuple(one.name for one in card.classes),
        grade=str(card.settings.get("grade", "")),
        mpp=order.mpp,
        several=built.spec.has_several_labels,
        items="clips" if encoder_of(built).is_of_frames else order.items,
    )


def _predicted(built: BuiltMethod, bags: Sequence[Bag], progress: Progress) -> Predictions:
    settings: Mapping[str, Any] = built.card.settings if built.card else {}
    found = []
    for number, bag in enumerate(bags):
        progress.check()
        progress.report(_DESCRIBED + (1 - _DESCRIBED) * number / len(bags), bag.name)
        found.append(built.method.predict(bag.numbers()).probabilities.astype(np.float64))
    probabilities = np.stack(found)
    cut = Cut(threshold=settings.get("threshold"), thresholds=tuple(settings.get("thresholds", ())))
    is_ordered = settings.get("ordering") == "grades"
    said = cut.decided(probabilities)  # at the model's temperature
    return predictions(truth_of(bags), probabilities, said, is_ordered=is_ordered)


# -- what is told ----------------------------------------------------------------------------------


def _score(
    scores: Mapping[str, float], intervals: Mapping[str, Interval], name: str
) -> dict[str, Any]:
    """Return a score with its interval, JSON-able."""
    told: dict[str, Any] = {"value": or_none(scores[name])}
    if name in intervals:
        own = intervals[name]
        told |= {"low": own.low, "high": own.high, "n": own.n_units, "over": "patients"}
    return told


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told of one model."""

    built: BuiltMethod
    said: Predictions
    bags: Sequence[Bag]
    names: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        card, said = self.built.card, self.said
        return {
            "n": len(self.bags),
            "kind": self.built.spec.kind.value,
            "method": self.built.spec.name,
            "title": card.title if card else self.built.spec.title,
            "model": self.built.model_id,
            "threshold": card.settings.get("threshold") if card else None,
            "intervals": {},
            "counts": {},
            "classes": self._classes(),
            "confusion": confusion_told(said, self.names),
            "roc": [roc_told(self.names[place], said, place) for place in looked_for(said)],
            "pr": [pr_told(self.names[place], said, place) for place in looked_for(said)],
            "reliability": claims_of(said),
            "per_image": self._slides(),
        }

    def _classes(self) -> dict[str, dict[str, float | None]]:
        """Return the scores of each class; of several labels, each is one of two by itself."""
        matrix = self.said.matrix()
        if isinstance(self.said, SlidePredictions):
            return class_scores(matrix, self.names)
        return {
            name: class_scores(counts.reshape(2, 2), (name, ""))[name]
            for name, counts in zip(self.names, matrix, strict=True)
        }

    def _slides(self) -> dict[str, dict[str, Any]]:
        """Return of each slide what it is, what was said, and the probabilities."""
        return {
            bag.name: {
                "label": self._words(self.said.truth[place]),
                "said": self._words(self.said.said[place]),
                **{
                    f"p({name})": float(self.said.probabilities[place, column])
                    for column, name in enumerate(self.names)
                },
            }
            for place, bag in enumerate(self.bags)
        }

    def _words(self, told: Any) -> str:
        """Return the name of a class, or those of all labels that are there."""
        several = np.asarray(told)
        return names_told(self.names, several.tolist()) if several.ndim else self.names[told]
