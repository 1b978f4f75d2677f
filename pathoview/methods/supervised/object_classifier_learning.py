"""Numbers of objects → probabilities of classes: logistic regression or boosted trees, as arrays.

Numbers are standardised; what is unknown counts as average. All classes weigh the same, however
many examples each has. How sure the classifier may be is measured on examples that it did not see:
its logarithms are divided by a temperature (Guo et al. 2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import InputError
from pathoview.core.translation import _
from pathoview.evaluation.calibration import at_temperature
from pathoview.methods.fitting import FitContext
from pathoview.methods.forest_arrays import ForestArrays
from pathoview.methods.model import Tensors
from pathoview.methods.object_features import Floats

_FOLDS = 5
_FEW_FEATURES = 100
_STRENGTH_FEW, _STRENGTH_MANY = 0.1, 0.01
"""How far logistic regression follows the examples (sklearn's C), with few and many numbers."""
_ROUNDS, _LEAVES, _BINS, _RATE, _SHARE_OF_FEATURES = 100, 15, 64, 0.1, 0.3
_LOG_TEMPERATURES = -1.5, 2.0
_TINY = 1e-7

Values = npt.NDArray[np.int64]
"""(n,) the class of each example, 0 … n_classes - 1."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What is learned from."""

    rows: Floats
    """(n, k); NaN where unknown."""
    values: Values
    groups: Values
    """(n,) patients or slides: what must not be learned from and measured on at once."""

    def of(self, chosen: npt.NDArray[Any]) -> Examples:
        """Return some of them, by a mask or by numbers."""
        return Examples(self.rows[chosen], self.values[chosen], self.groups[chosen])


@dataclass(frozen=True, slots=True)
class Classifier:
    """Probabilities of k numbers."""

    mean: Floats
    scale: Floats
    """(k,) 1 / deviation; 0: the number says nothing."""
    weights: Floats
    """(k, classes) of logistic regression; empty: trees tell."""
    offsets: Floats
    trees: ForestArrays | None = None
    temperature: float = 1.0

    def predict(self, rows: Floats) -> Floats:
        """Return (n, classes) of (n, k); they add up to 1."""
        from scipy.special import softmax

        standard = _standardised(rows, self.mean, self.scale)
        if self.trees is None:
            logits = standard.astype(np.float64) @ self.weights + self.offsets
            found = np.asarray(softmax(logits, axis=1), np.float32)
        else:
            found = self.trees.predict(standard)
        return at_temperature(found, self.temperature).astype(np.float32)

    def to_tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return arrays for a model file."""
        return {
            "mean": self.mean,
            "scale": self.scale,
            "weights": self.weights,
            "offsets": self.offsets,
            "temperature": np.array([self.temperature], np.float64),
            **({} if self.trees is None else self.trees.to_tensors()),
        }

    @classmethod
    def from_tensors(cls, tensors: Tensors) -> Self:
        """Return the classifier of a model file; raise `InputError` when it is none."""
        has_trees = any(name.startswith("trees.") for name in tensors)
        try:
            return cls(
                tensors["mean"],
                tensors["scale"],
                tensors["weights"],
                tensors["offsets"],
                ForestArrays.from_tensors(tensors) if has_trees else None,
                float(tensors["temperature"][0]),
            )
        except (KeyError, IndexError) as error:
            raise InputError(
                _("This model does not tell objects apart."),
                _("Train it again, or choose another one."),
            ) from error


def learned(examples: Examples, is_boosted: bool, context: FitContext) -> Classifier:
    """Return a classifier of all classes 0 … n that are among the examples, at temperature 1."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    mean, scale = _measured(examples.rows)
    rows = _standardised(examples.rows, mean, scale)
    nothing = np.zeros(0, np.float32)
    # One thread: the same sums on every machine, and no waiting for busy processors.
    with threadpool_limits(1):
        if is_boosted:
            trees = ForestArrays.of_boosting(_boosting(context.seed).fit(rows, examples.values))
            return Classifier(mean, scale, nothing, nothing, trees)
        weights, offsets = _logistic(rows, examples.values)
    return Classifier(mean, scale, weights, offsets)


def cross_validated(examples: Examples, is_boosted: bool, context: FitContext) -> Floats:
    """Return what classifiers say of examples that they did not see, (n, classes).

    NaN for those that were not reached, when the person wants an end. Raises `Cancelled`.
    """
    n_classes = int(examples.values.max()) + 1
    found = np.full((len(examples.values), n_classes), np.nan, np.float32)
    for number, (known, held) in enumerate(_folds(examples, context.seed)):
        if context.stop_early():
            break
        context.progress.check()
        classifier = learned(examples.of(known), is_boosted, context)
        found[held] = classifier.predict(examples.rows[held])
        context.progress.event("curve", {"step": number + 1, **_loss(found, examples.values)})
    return found


def calibrated(classifier: Classifier, unseen: Floats, values: Values) -> Classifier:
    """Return the classifier as sure as it was right on examples that it did not see.

    ``unseen``: see `cross_validated`.
    """
    from scipy.optimize import minimize_scalar

    is_known = np.isfinite(unseen[:, 0])
    if not is_known.any():
        return classifier
    own = values[is_known]
    # Platt: however clear n examples are, the next one may be another. So few are never certain.
    doubt = 1 / (len(own) + 2)
    target = np.full(unseen[is_known].shape, doubt / (unseen.shape[1] - 1))
    target[np.arange(len(own)), own] = 1 - doubt
    weights = _evening(own)[:, None]

    def loss(log_temperature: float) -> float:
        told = at_temperature(unseen[is_known], float(np.exp(log_temperature)))
        return float(-(weights * target * np.log(np.maximum(told, _TINY))).sum())

    best = minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded")
    return replace(classifier, temperature=float(np.exp(best.x)))


def _loss(unseen: Floats, values: Values) -> dict[str, float]:
    is_known = np.isfinite(unseen[:, 0])
    told = unseen[is_known, values[is_known]]
    return {"loss": float(-np.log(np.maximum(told, _TINY)).mean())}


def _folds(examples: Examples, seed: int) -> Iterator[tuple[Values, Values]]:
    """Yield which examples to learn from and to measure on.

    Groups are never parted where there are enough of them; else every class is in every part.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    values, groups = examples.values, examples.groups
    least = min(len(np.unique(groups[values == value])) for value in range(int(values.max()) + 1))
    if least >= 3:
        splitter = StratifiedGroupKFold(min(_FOLDS, least), shuffle=True, random_state=seed)
        folds = list(splitter.split(values, values, groups))
        everything = len(np.unique(values))
        if all(len(np.unique(values[known])) == everything for known, _held in folds):
            yield from folds
            return
    n_folds = min(_FOLDS, int(np.bincount(values).min()))
    yield from StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(values, values)


def _logistic(rows: Floats, values: Values) -> tuple[Floats, Floats]:
    """Return weights (k, classes) and offsets (classes,)."""
    from sklearn.linear_model import LogisticRegression

    strength = _STRENGTH_FEW if rows.shape[1] <= _FEW_FEATURES else _STRENGTH_MANY
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    model.fit(rows.astype(np.float64), values)
    weights, offsets = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # two classes: the first has the score 0
        weights = np.concatenate([np.zeros_like(weights), weights], axis=1)
        offsets = np.concatenate([[0.0], offsets])
    return weights.astype(np.float32), offsets.astype(np.float32)


def _boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=_ROUNDS,
        learning_rate=_RATE,
        max_leaf_nodes=_LEAVES,
        max_bins=_BINS,
        min_samples_leaf=3,
        max_features=_SHARE_OF_FEATURES,
        early_stopping=False,
        class_weight="balanced",
        random_state=seed,
    )


def _measured(rows: Floats) -> tuple[Floats, Floats]:
    """Return mean and 1 / deviation of each number; 0 where it is always the same, or unknown."""
    is_known = np.isfinite(rows)
    n = np.maximum(is_known.sum(axis=0), 1)
    mean = np.where(is_known, rows, 0).sum(axis=0, dtype=np.float64) / n
    apart = np.where(is_known, rows - mean, 0)
    deviation = np.sqrt((apart**2).sum(axis=0) / n)
    scale = np.where(deviation > _TINY, 1 / np.maximum(deviation, _TINY), 0)
    return mean.astype(np.float32), scale.astype(np.float32)


def _standardised(rows: Floats, mean: Floats, scale: Floats) -> Floats:
    standard = (rows - mean) * scale
    return np.asarray(np.nan_to_num(standard, nan=0.0, posinf=0.0, neginf=0.0), np.float32)


def _evening(values: Values) -> npt.NDArray[np.float64]:
    """Return a weight for each example with which all classes count the same."""
    return np.asarray(1.0 / np.maximum(np.bincount(values), 1))[values]
