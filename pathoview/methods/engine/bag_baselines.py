"""The plainest pooling of tiles, run beside every aggregator: what it has to beat.

``mean``: logistic regression on the mean of a slide's features. ``max``: a linear classifier of
tiles, of which the one that speaks most for a class counts alone; it begins with what ``mean`` has
learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pathoview.datasets.bags import Bag, BagData
from pathoview.methods.bag_params import BagFitParams
from pathoview.methods.engine import bag_learner
from pathoview.methods.engine.bag_inference import found, loaded
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import Tensors
from pathoview.methods.networks.bag_network import BagNetwork
from pathoview.methods.networks.bag_pooling import MaxNetwork, MeanNetwork
from pathoview.methods.spec import BagFound

Floats = npt.NDArray[np.float64]
BaselineKind = Literal["mean", "max"]
KINDS: tuple[BaselineKind, ...] = ("mean", "max")

MAX_PARAMS = BagFitParams(lr=0.01, weight_decay=0.1, feature_dropout=0.0, patience=0)
"""How ``max`` is trained; what a width or dropout would say plays no part."""

_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse regularisations that ``mean`` tries; the middle one where no bag is held back."""
_TINY = 1e-6
_NEVER = -30.0
"""Logit of a class that no slide of training has."""


def fit(kind: BaselineKind, data: BagData, context: FitContext) -> Fitted:
    """Learn from slides, always from scratch; see `fitting.Trainable.fit`. No parameters."""
    context = replace(context, start=None)
    mean = _mean(data, context)
    if kind == "mean":
        return mean
    build = partial(_network, towards=_pointing(mean))
    return bag_learner.fit(build, {"pooling": kind}, data, MAX_PARAMS, context, stage=kind)


def towards(data: BagData, context: FitContext) -> Tensor:
    """Return where each class lies by what ``mean`` learns, (class, feature).

    What else picks single tiles begins there, as ``max`` does.
    """
    return _pointing(_mean(data, context))


def predict(fitted: Fitted, features: npt.NDArray[np.floating], device: str = "cpu") -> BagFound:
    """Return what is said of a slide of (tile, feature); see `spec.BagMethod`."""
    network = loaded(_network(fitted.settings), fitted.tensors, device)
    said = fitted.settings
    return found(
        network,
        features,
        float(said.get("temperature", 1.0)),
        has_several_labels=said.get("ordering") == "labels",
    )


def _network(settings: Mapping[str, Any], towards: Tensor | None = None) -> BagNetwork:
    size = settings["n_features"], len(settings["values"])
    return MeanNetwork(*size) if settings["pooling"] == "mean" else MaxNetwork(*size, towards)


def _pointing(mean: Fitted) -> Tensor:
    return torch.from_numpy(mean.tensors["head.weight"] * mean.tensors["scale"])


def _mean(data: BagData, context: FitContext) -> Fitted:
    """Fit the logistic regression whose strength is best on the bags held back."""
    context.progress.check()
    bags, held_back = bag_learner.of_training(data), data.of("val")
    settings = bag_learner.settings_of(data, {"pooling": "mean"})
    strengths = _STRENGTHS if held_back else _STRENGTHS[len(_STRENGTHS) // 2 :][:1]
    best: Fitted | None = None
    for strength in strengths:
        tensors = _logistic(bags, len(data.classes), strength)
        one = Fitted(tensors, settings, parents=bag_learner.parents_of(data, None))
        if not held_back:
            return one
        told = np.stack([predict(one, bag.numbers()).probabilities for bag in held_back])
        metrics = _measured(told.astype(np.float64), held_back)
        one = Fitted(tensors, settings, metrics, parents=one.parents)
        if best is None or metrics[bag_learner.SCORE] > best.metrics[bag_learner.SCORE]:
            best = one
    assert best is not None
    return best


def _measured(told: npt.NDArray[np.float64], bags: Sequence[Bag]) -> dict[str, float]:
    if bags[0].labels:
        return bag_learner.measured_labels(told, np.array([bag.labels for bag in bags], bool))
    return bag_learner.measured(told, np.array([bag.label for bag in bags]))


def _logistic(bags: Sequence[Bag], n_classes: int, strength: float) -> Tensors:
    """Return the weights of a `MeanNetwork`, standardised by the means of slides."""
    means = np.stack([bag.features.mean(axis=0, dtype=np.float64) for bag in bags])
    mean, deviation = means.mean(axis=0), means.std(axis=0)
    scale = np.where(deviation > _TINY, 1 / np.maximum(deviation, _TINY), 0.0)
    standard = (means - mean) * scale
    if bags[0].labels:
        weight, bias = _of_labels(standard, np.array([bag.labels for bag in bags]), strength)
    else:
        labels = np.array([bag.label for bag in bags])
        weight, bias = _of_classes(standard, labels, n_classes, strength)
    arrays = {"mean": mean, "scale": scale, "head.weight": weight, "head.bias": bias}
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def _of_classes(
    means: Floats, labels: npt.NDArray[np.integer], n_classes: int, strength: float
) -> tuple[Floats, Floats]:
    """Return weights (class, feature) and biases (class,) of one regression over all classes."""
    learner = _regression(strength).fit(means, labels)
    weight, bias = np.zeros((n_classes, means.shape[1])), np.full(n_classes, _NEVER)
    if len(learner.classes_) == 2:  # one row for both: it speaks for the second
        weight[learner.classes_[1]], bias[learner.classes_] = learner.coef_[0], 0.0
        bias[learner.classes_[1]] = learner.intercept_[0]
    else:
        weight[learner.classes_], bias[learner.classes_] = learner.coef_, learner.intercept_
    return weight, bias


def _of_labels(
    means: Floats, labels: npt.NDArray[np.integer], strength: float
) -> tuple[Floats, Floats]:
    """Return the same of one regression a label; ``labels``: (bag, class) 0 or 1."""
    weight, bias = np.zeros((labels.shape[1], means.shape[1])), np.full(labels.shape[1], _NEVER)
    for place, one in enumerate(labels.T):
        if one.all():
            bias[place] = -_NEVER
        elif one.any():
            learner = _regression(strength).fit(means, one)
            weight[place], bias[place] = learner.coef_[0], learner.intercept_[0]
    return weight, bias


def _regression(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
