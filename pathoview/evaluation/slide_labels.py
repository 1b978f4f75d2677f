"""How well slides or clips are told that may have several labels at once; see `slides`.

Each label is a question of its own: the scores are means over those labels that some have and some
have not, unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from pathoview.evaluation import calibration
from pathoview.evaluation.bootstrap import Rows
from pathoview.evaluation.slides import Fractions, Numbers, auprc, auroc

Flags = npt.NDArray[np.bool_]

_LEAST = 1e-7
_TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True, slots=True)
class LabelPredictions:
    """What was predicted of slides whose labels are known; (n, label) each."""

    truth: Flags
    probabilities: Fractions
    """Each of its own."""
    said: Flags
    """What was decided."""

    def of(self, rows: Rows) -> LabelPredictions:
        return LabelPredictions(self.truth[rows], self.probabilities[rows], self.said[rows])

    @property
    def n_classes(self) -> int:
        return int(self.probabilities.shape[1])

    def matrix(self) -> Numbers:
        """Return, (label, 4): how many have it and were said to, have it and were not said to.

        Then those that have it not: said to, and not said to.
        """
        truth, said = self.truth, self.said
        parts = truth & said, truth & ~said, ~truth & said, ~truth & ~said
        return np.stack([one.sum(axis=0) for one in parts], axis=1)

    def claims(self) -> calibration.Reliability:
        """Return how often a label was told rightly by how certain that was, all together."""
        certainty = np.maximum(self.probabilities, 1 - self.probabilities)
        is_right = (self.probabilities >= 0.5) == self.truth
        return calibration.reliability(certainty.ravel(), is_right.ravel())

    def scores(self, names: Iterable[str] | None = None) -> dict[str, float]:
        """Return scores by name, all unless some are named; NaN where one is not defined."""
        return {name: _SCORES[name](self) for name in (_SCORES if names is None else names)}


def tempered(probabilities: Fractions, temperature: float) -> Fractions:
    """Return (n, label) probabilities, softened (above 1) or sharpened (below 1)."""
    sure = np.clip(probabilities, _LEAST, 1 - _LEAST)
    logits = np.log(sure / (1 - sure)) / temperature
    return np.asarray(1 / (1 + np.exp(-logits)))


def best_label_temperature(probabilities: Fractions, truth: Flags) -> float:
    """Return the one temperature of all labels with the least negative log-likelihood."""

    def loss(log_temperature: float) -> float:
        return _log_loss(tempered(probabilities, float(np.exp(log_temperature))), truth)

    found = minimize_scalar(loss, bounds=tuple(np.log(_TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))


def f1_by_label(said: LabelPredictions) -> Fractions:
    """Return the F1 of each label, (label,); NaN: neither there nor said."""
    found, missed, wrong, _rest = said.matrix().T
    total = 2 * found + missed + wrong
    none = np.full(len(total), np.nan)
    return np.asarray(np.divide(2 * found, total, out=none, where=total > 0), np.float64)


def _log_loss(probabilities: Fractions, truth: Flags) -> float:
    right = np.where(truth, probabilities, 1 - probabilities)
    return float(-np.log(np.maximum(right, _LEAST)).mean())


def _mean(said: LabelPredictions, score: Callable[[Fractions, Flags], float]) -> float:
    both = [place for place, one in enumerate(said.truth.T) if one.any() and not one.all()]
    each = [score(said.probabilities[:, place], said.truth[:, place]) for place in both]
    return float(np.mean(each)) if each else float("nan")


def _macro_f1(said: LabelPredictions) -> float:
    each = f1_by_label(said)
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


def _micro_f1(said: LabelPredictions) -> float:
    found, missed, wrong, _rest = said.matrix().sum(axis=0).tolist()
    total = 2 * found + missed + wrong
    return 2 * found / total if total else float("nan")


_SCORES: Mapping[str, Callable[[LabelPredictions], float]] = {
    "auroc": lambda said: _mean(said, auroc),
    "auprc": lambda said: _mean(said, auprc),
    "accuracy": lambda said: float((said.said == said.truth).mean()),
    "macro_f1": _macro_f1,
    "micro_f1": _micro_f1,
    "exact_match": lambda said: float((said.said == said.truth).all(axis=1).mean()),
    "log_loss": lambda said: _log_loss(said.probabilities, said.truth),
    "expected_calibration_error": lambda said: said.claims().expected_error,
}
"""All scores, in the order in which they are told."""
