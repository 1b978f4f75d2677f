"""How well whole slides are told apart: scores of probabilities, their curve, where to cut.

A slide is one item; intervals draw patients anew. Of two classes the second is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from pathoview.evaluation import calibration, confusion
from pathoview.evaluation.bootstrap import N_DRAWS, Interval, Rows, grouped_intervals
from pathoview.evaluation.curves import precision_recall

Fractions = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

ThresholdRule = Literal["youden", "sensitivity"]
"""Where to cut: most sensitivity + specificity; or the highest cut with `LEAST_SENSITIVITY`."""
LEAST_SENSITIVITY = 0.95
_NO_THRESHOLD = 0.5
"""Where nothing tells where to cut."""


@dataclass(frozen=True, slots=True)
class Roc:
    """One point a threshold, from the strictest on, beginning at (0, 0); (n,) each."""

    thresholds: Fractions
    false_positive_rate: Fractions
    true_positive_rate: Fractions

    @property
    def area(self) -> float:
        """The area under the curve; NaN: one class only."""
        return float(np.trapezoid(self.true_positive_rate, self.false_positive_rate))


def roc(scores: Fractions, is_positive: Flags) -> Roc:
    """Return the curve of (n,) scores; a higher score is a more certain “yes”.

    A rate is NaN where there is nothing to have one of.
    """
    levels, place = np.unique(scores, return_inverse=True)
    right = np.bincount(place, is_positive, len(levels))[::-1].cumsum()
    wrong = np.bincount(place, ~is_positive, len(levels))[::-1].cumsum()
    n_right, n_wrong = np.count_nonzero(is_positive), np.count_nonzero(~is_positive)
    return Roc(
        np.concatenate([[np.inf], levels[::-1]]),
        np.concatenate([[0.0], wrong]) / (n_wrong or np.nan),
        np.concatenate([[0.0], right]) / (n_right or np.nan),
    )


def auroc(scores: Fractions, is_positive: Flags) -> float:
    """Return how often a positive has the higher score of a pair, ties half; NaN: one class."""
    positive, negative = scores[is_positive], np.sort(scores[~is_positive])
    if not len(positive) or not len(negative):
        return float("nan")
    below = np.searchsorted(negative, positive, "left")
    not_above = np.searchsorted(negative, positive, "right")
    return float((below + not_above).sum() / 2 / len(positive) / len(negative))


def auprc(scores: Fractions, is_positive: Flags) -> float:
    """Return the average precision; NaN: none is positive."""
    return precision_recall(scores, is_positive).average_precision


def choose_threshold(scores: Fractions, is_positive: Flags, rule: ThresholdRule) -> float:
    """Return from which score on to say “yes”: halfway to the next score below.

    One half where there is one class only.
    """
    if is_positive.all() or not is_positive.any():
        return _NO_THRESHOLD
    curve = roc(scores, is_positive)
    if rule == "youden":
        chosen = int(np.argmax(curve.true_positive_rate - curve.false_positive_rate))
    else:
        chosen = int(np.argmax(curve.true_positive_rate >= LEAST_SENSITIVITY))
    ends = curve.thresholds[chosen : chosen + 2]
    if chosen == 0:  # better said of none: just above the highest score
        return float(np.nextafter(ends[-1], np.inf))
    return float(ends.mean())


@dataclass(frozen=True, slots=True)
class SlidePredictions:
    """What was predicted of slides whose classes are known."""

    truth: Numbers
    """(n,) 0 … class - 1."""
    probabilities: Fractions
    """(n, class)"""
    said: Numbers
    """(n,) the class that was decided for."""
    is_ordered: bool = False
    """The classes are grades."""

    def of(self, rows: Rows) -> SlidePredictions:
        return SlidePredictions(
            self.truth[rows], self.probabilities[rows], self.said[rows], self.is_ordered
        )

    @property
    def n_classes(self) -> int:
        return int(self.probabilities.shape[1])

    def matrix(self) -> Numbers:
        """Return the confusion matrix, (class, class)."""
        return confusion.confusion_matrix(self.truth, self.said, (self.n_classes,) * 2)

    def claims(self) -> calibration.Reliability:
        """Return how often the likeliest class was right by how likely it was."""
        is_right = self.probabilities.argmax(axis=1) == self.truth
        return calibration.reliability(self.probabilities.max(axis=1), is_right)

    def scores(self, names: Iterable[str] | None = None) -> dict[str, float]:
        """Return scores by name, all unless some are named; see `slide_scores`."""
        return slide_scores(self, _SCORES if names is None else names)


class Predictions(Protocol):
    """What was predicted of slides: `SlidePredictions`, or `slide_labels.LabelPredictions`."""

    @property
    def truth(self) -> npt.NDArray[np.generic]: ...
    @property
    def probabilities(self) -> Fractions: ...
    @property
    def said(self) -> npt.NDArray[np.generic]: ...
    @property
    def n_classes(self) -> int: ...
    def of(self, rows: Rows) -> Self: ...
    def matrix(self) -> Numbers: ...
    def claims(self) -> calibration.Reliability: ...
    def scores(self, names: Iterable[str] | None = None) -> dict[str, float]: ...


def decided(probabilities: Fractions, threshold: float | None) -> Numbers:
    """Return the class of each of (n, class) probabilities.

    ``threshold``: of the second of two classes; None: the likeliest class.
    """
    if threshold is None:
        return np.asarray(probabilities.argmax(axis=1), np.int64)
    return np.asarray(probabilities[:, 1] >= threshold, np.int64)


_SCORES: Mapping[str, Callable[[SlidePredictions], float]] = {
    "auroc": lambda said: _of_classes(said, auroc),
    "auprc": lambda said: _of_classes(said, auprc),
    "accuracy": lambda said: confusion.accuracy(said.matrix(), said.n_classes),
    "balanced_accuracy": lambda said: confusion.balanced_accuracy(said.matrix(), said.n_classes),
    "macro_f1": lambda said: confusion.macro_f1(said.matrix(), said.n_classes),
    "sensitivity": lambda said: float(confusion.per_class(said.matrix(), 2).recall[1]),
    "specificity": lambda said: float(confusion.per_class(said.matrix(), 2).recall[0]),
    "kappa_quadratic": lambda said: confusion.quadratic_kappa(said.matrix(), said.n_classes),
    "log_loss": lambda said: calibration.log_loss(said.probabilities, said.truth),
    "brier": lambda said: calibration.brier_score(said.probabilities, said.truth),
    "expected_calibration_error": lambda said: said.claims().expected_error,
}
"""All scores, in the order in which they are told."""


def slide_scores(said: SlidePredictions, names: Iterable[str] = tuple(_SCORES)) -> dict[str, float]:
    """Return scores by name; NaN where one is not defined.

    With more than two classes, ``auroc`` and ``auprc`` are means of each against the rest, over
    the classes that the truth has; sensitivity and specificity are of two classes only, kappa of
    two classes or grades.
    """
    is_two = said.n_classes == 2
    left_out = set() if is_two else {"sensitivity", "specificity"}
    if not is_two and not said.is_ordered:
        left_out.add("kappa_quadratic")
    return {name: _SCORES[name](said) for name in names if name not in left_out}


def scores_with_intervals(
    several: Mapping[str, Predictions],
    groups: Rows,
    compared: Iterable[str] | None = None,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> tuple[dict[str, float], dict[str, Interval]]:
    """Return the scores of predictors on the same slides, and their 95 % intervals.

    Those of the first go by their names alone, those of others by ``predictor.score``; and
    ``over_predictor.score`` is the first's minus theirs, of the same drawn patients.
    ``groups``: (n,) the patient of each slide. ``compared``: the scores of others that are told;
    None: all.
    """

    def statistics(rows: Rows) -> dict[str, float]:
        (_name, own), *others = ((name, one.of(rows)) for name, one in several.items())
        found = own.scores()
        for name, one in others:
            for score, value in one.scores(compared).items():
                found[f"{name}.{score}"] = value
                found[f"over_{name}.{score}"] = found[score] - value
        return found

    whole = statistics(np.arange(len(groups)))
    return whole, grouped_intervals(groups, statistics, seed=seed, n_draws=n_draws)


def _of_classes(said: SlidePredictions, score: Callable[[Fractions, Flags], float]) -> float:
    if said.n_classes == 2:
        return score(said.probabilities[:, 1], said.truth == 1)
    each = [
        score(said.probabilities[:, place], said.truth == place)
        for place in np.unique(said.truth).tolist()
    ]
    return float(np.mean(each)) if each else float("nan")
