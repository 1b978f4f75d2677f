"""What was predicted of slides, as pages tell it: of one class each, or of several labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _
from pathoview.evaluation.calibration import brier_score
from pathoview.evaluation.curves import precision_recall
from pathoview.evaluation.slides import Predictions, SlidePredictions, auroc, roc
from pathoview.tasks.evaluate_summary import curve_told, or_none, reliability_told

_OF_LABELS = _("found"), _("missed"), _("wrongly said"), _("rightly not")
"""The columns of `slide_labels.LabelPredictions.matrix`."""


def is_of_two(said: Predictions) -> bool:
    """Say whether it is one question with two answers."""
    return isinstance(said, SlidePredictions) and said.n_classes == 2


def is_it(said: Predictions, place: int) -> npt.NDArray[np.bool_]:
    """Say which slides are of a class, (n,)."""
    truth = said.truth
    return np.asarray(truth[:, place] if truth.ndim > 1 else truth == place, np.bool_)


def looked_for(said: Predictions) -> list[int]:
    """Return the classes that curves are drawn of: those that there are, of two the second."""
    places = (1,) if is_of_two(said) else range(said.n_classes)
    return [place for place in places if is_it(said, place).any()]


def confusion_told(said: Predictions, names: Sequence[str]) -> dict[str, Any]:
    """Return what was taken for what; of several labels, how often each was found."""
    columns = names if isinstance(said, SlidePredictions) else _OF_LABELS
    return {"rows": list(names), "columns": list(columns), "matrix": said.matrix().tolist()}


def roc_told(name: str, said: Predictions, place: int) -> dict[str, Any]:
    """Return the curve of a class against all others, JSON-able."""
    scores, truth = said.probabilities[:, place], is_it(said, place)
    curve = roc(scores, truth)
    is_known = np.isfinite(curve.false_positive_rate) & np.isfinite(curve.true_positive_rate)
    return {
        "name": name,
        "auroc": or_none(auroc(scores, truth)),
        "false_positive_rate": curve.false_positive_rate[is_known].round(5).tolist(),
        "true_positive_rate": curve.true_positive_rate[is_known].round(5).tolist(),
    }


def pr_told(name: str, said: Predictions, place: int) -> dict[str, Any]:
    """Return precision and recall of a class, JSON-able."""
    return curve_told(name, precision_recall(said.probabilities[:, place], is_it(said, place)))


def claims_of(said: Predictions) -> dict[str, Any]:
    """Return whether claims hold; see `evaluate_summary.reliability_told`.

    Several labels of a slide are questions of their own, each with two answers.
    """
    probabilities, truth = said.probabilities, np.asarray(said.truth, np.int64)
    if not isinstance(said, SlidePredictions):
        each = probabilities.ravel()
        probabilities, truth = np.stack([1 - each, each], axis=1), truth.ravel()
    return reliability_told(said.claims(), brier_score(probabilities, truth), probabilities, truth)


def names_told(names: Sequence[str], labels: Sequence[int]) -> str:
    """Return the names of the labels that are there, in a line."""
    there = [name for name, has_it in zip(names, labels, strict=True) if has_it]
    return ", ".join(there) or _("none")
