"""The scores of all images together, with intervals, curves, confusion and the worst places."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _
from pathoview.evaluation.bootstrap import (
    Interval,
    mean_interval,
    paired_interval,
    paired_pooled_interval,
    pooled_interval,
)
from pathoview.evaluation.calibration import Reliability, best_temperature
from pathoview.evaluation.confusion import (
    accuracy,
    balanced_accuracy,
    macro_f1,
    per_class,
    quadratic_kappa,
)
from pathoview.evaluation.curves import PrecisionRecall
from pathoview.evaluation.pixels import Tally
from pathoview.methods.spec import Kind
from pathoview.tasks.evaluate_cases import NUCLEUS
from pathoview.tasks.evaluate_scores import ImageScores, Scores, worst_first
from pathoview.tasks.method_building import BuiltMethod

_MOST_POINTS = 200
"""Points of a curve that are told."""
_MOST_OF_CELL = 100
"""Places of a cell of the matrix that are told."""
_LEAST_TEMPERED = 50

Matrix = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.floating]
Truth = npt.NDArray[np.integer]
Statistic = Callable[[npt.NDArray[np.float64]], float]


@dataclass(slots=True)
class Scored:
    """What one method got, image by image."""

    built: BuiltMethod
    names: tuple[str, ...] = ()
    """The classes of the confusion matrix."""
    images: dict[str, ImageScores] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        return self.built.spec.kind


def means(scored: Scored) -> Scores:
    """Return the mean of every score over the images that have it; None where none has."""
    names = dict.fromkeys(name for one in scored.images.values() for name in one.scores)
    return {name: _mean(_values(scored, name)) for name in names}


def summary(scored: Scored, seed: int) -> dict[str, Any]:
    """Return everything but the means and the scores of each image, JSON-able."""
    rows, columns = axes(scored)
    tally = _tally(scored)
    return {
        "kind": scored.kind.value,
        "method": scored.built.spec.name,
        "title": scored.built.card.title if scored.built.card else scored.built.spec.title,
        "model": scored.built.model_id,
        "intervals": _intervals(scored, seed),
        "counts": dict(sum((one.counts for one in scored.images.values()), Counter())),
        "pooled": _pooled(scored, seed),
        "classes": class_scores(_matrix(scored), scored.names),
        "confusion": {"rows": rows, "columns": columns, "matrix": _matrix(scored).tolist()},
        "pr": [] if tally is None else _curves(scored, tally),
        "reliability": None if tally is None else _reliability(tally),
    }


def difference(first: Scored, second: Scored, seed: int) -> dict[str, Any]:
    """Return first - second on the same images, each with its interval."""
    found: dict[str, Any] = {}
    for name in means(first):
        if len(first.images) > 1:
            sides = [_values(one, name) for one in (first, second)]
            told = paired_interval(*sides, seed=seed)
        else:
            told = _paired_blocks(first, second, name, seed)
        if told is not None:
            found[name] = _told(told)
    pairs = _units(first), _units(second)
    if first.names == second.names and len(pairs[0]) == len(pairs[1]):
        n = len(first.names)
        for name, statistic in _statistics(first.kind, n).items():
            told = paired_pooled_interval(*pairs, statistic, seed=seed)
            if told is not None:
                found[f"pooled_{name}"] = _told(told)
    return found


def places_of_cells(scored: Scored) -> list[dict[str, Any]]:
    """Return the places behind the cells of the matrix, those most wrong first of each cell."""
    n_of: Counter[tuple[int, int]] = Counter()
    chosen = []
    every = [place for one in scored.images.values() for place in one.places]
    for place in sorted(every, key=lambda one: -one.amount):
        if any(n_of[cell] < _MOST_OF_CELL for cell in place.cells):
            n_of.update(place.cells)
            chosen.append(place.to_json())
    return chosen


def axes(scored: Scored) -> tuple[list[str], list[str]]:
    """Return what the rows and the columns of the matrix are called."""
    if scored.kind is Kind.INSTANCE:
        return [NUCLEUS, _("spurious")], [NUCLEUS, _("missed")]
    if scored.kind is Kind.OBJECT:
        return [*scored.names, _("spurious")], [*scored.names, _("missed")]
    return [*scored.names], [*scored.names, _("other")]


def worst(scored: Scored, n: int) -> list[dict[str, Any]]:
    """Return the places that are most wrong, with their pictures where some were made."""
    every = [place for one in scored.images.values() for place in one.places]
    return [{**one.to_json(), "png": one.png} for one in worst_first(every)[:n]]


# -- means and their intervals ---------------------------------------------------------------------


def _values(scored: Scored, name: str) -> npt.NDArray[np.float64]:
    said = [one.scores.get(name) for one in scored.images.values()]
    return np.array([np.nan if value is None else value for value in said], np.float64)


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    known = [value for value in values.tolist() if not math.isnan(value)]
    return sum(known) / len(known) if known else None


def _intervals(scored: Scored, seed: int) -> dict[str, Any]:
    found = {}
    for name in means(scored):
        if len(scored.images) > 1:
            told = mean_interval(_values(scored, name), seed=seed)
        else:
            told = mean_interval(*_block_values(scored, name), seed=seed)
        if told is not None:
            found[name] = {**_told(told), "over": _over(scored)}
    return found


def _over(scored: Scored) -> str:
    return "images" if len(scored.images) > 1 else "blocks"


def _block_values(
    scored: Scored, name: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    (image,) = scored.images.values()
    said = [block.scores.get(name) for block in image.blocks]
    values = [np.nan if value is None else value for value in said]
    weights = [block.weights.get(name, 0.0) for block in image.blocks]
    return np.array(values, np.float64), np.array(weights, np.float64)


def _paired_blocks(first: Scored, second: Scored, name: str, seed: int) -> Interval | None:
    one, other = _block_values(first, name), _block_values(second, name)
    if len(one[0]) != len(other[0]):
        return None  # a block that is empty for one of them
    return paired_interval(one[0], other[0], (one[1] + other[1]) / 2, seed=seed)


def _told(interval: Interval) -> dict[str, Any]:
    return {
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n_units,
    }


# -- matrices --------------------------------------------------------------------------------------


def _matrix(scored: Scored) -> Matrix:
    rows, columns = axes(scored)
    matrices = [one for image in scored.images.values() for one in image.matrices]
    return sum(matrices, np.zeros((len(rows), len(columns)), np.int64))


def _units(scored: Scored) -> Matrix:
    """Return a matrix an image, or, of a single image, one a block."""
    rows, columns = axes(scored)
    zero = np.zeros((len(rows), len(columns)), np.int64)
    images = list(scored.images.values())
    if len(images) > 1:
        return np.stack([sum(one.matrices, zero) for one in images])
    blocks = [matrix for one in images for matrix in one.matrices]
    return np.stack(blocks) if blocks else zero[None]


def _statistics(kind: Kind, n: int) -> Mapping[str, Statistic]:
    if kind is Kind.INSTANCE:
        return {
            "precision": lambda matrix: float(per_class(matrix, 1).precision[0]),
            "recall": lambda matrix: float(per_class(matrix, 1).recall[0]),
        }
    return {
        "accuracy": lambda matrix: accuracy(matrix, n),
        "balanced_accuracy": lambda matrix: balanced_accuracy(matrix, n),
        "macro_f1": lambda matrix: macro_f1(matrix, n),
        "kappa_quadratic": lambda matrix: quadratic_kappa(matrix, n),
    }


def _pooled(scored: Scored, seed: int) -> dict[str, Any]:
    """Return scores of all images taken together, with intervals where there can be some."""
    units, whole = _units(scored), _matrix(scored)
    found: dict[str, Any] = {}
    for name, statistic in _statistics(scored.kind, len(scored.names)).items():
        told = pooled_interval(units, statistic, seed=seed)
        value = statistic(whole.astype(np.float64))
        if told is not None:
            found[name] = {**_told(told), "over": _over(scored)}
        elif not math.isnan(value):
            found[name] = {"value": value}
    return found


def class_scores(matrix: Matrix, names: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Return the scores of each class, by its name; None where there is nothing to score."""
    scores = per_class(matrix, len(names))
    columns = {
        "precision": scores.precision,
        "recall": scores.recall,
        "dice": scores.dice,
        "iou": scores.iou,
    }
    return {
        name: {key: or_none(column[place]) for key, column in columns.items()}
        | {"n": float(matrix[place].sum())}
        for place, name in enumerate(names)
    }


# -- probabilities ---------------------------------------------------------------------------------


def _tally(scored: Scored) -> Tally | None:
    tallies = [one.tally for one in scored.images.values() if one.tally is not None]
    if not any(one.n for one in tallies):
        return None
    whole = Tally(tallies[0].n_classes)
    for one in tallies:
        whole.merge(one)
    return whole


def _curves(scored: Scored, tally: Tally) -> list[dict[str, Any]]:
    found = []
    for place, name in enumerate(scored.names):
        curve = tally.curve(place)
        if curve.n_positive:
            found.append(curve_told(name, curve))
    return found


def curve_told(name: str, curve: PrecisionRecall) -> dict[str, Any]:
    """Return the curve of a class, at most some hundred points of it."""
    drawn = curve.thinned(_MOST_POINTS)
    return {
        "name": name,
        "average_precision": curve.average_precision,
        "n": curve.n_positive,
        "recall": drawn.recall.round(5).tolist(),
        "precision": drawn.precision.round(5).tolist(),
        "threshold": drawn.thresholds.round(5).tolist(),
    }


def _reliability(tally: Tally) -> dict[str, Any]:
    return reliability_told(tally.claims, tally.brier, *tally.sample())


def reliability_told(
    claims: Reliability, brier: float, probabilities: Probabilities, truth: Truth
) -> dict[str, Any]:
    """Return whether claims hold, and which temperature would fit best; None: too few to tell.

    ``probabilities``: (n, class), ``truth``: (n,), of which the temperature is found.
    """
    is_enough = len(truth) >= _LEAST_TEMPERED
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence, right = claims.confidence / claims.n, claims.right / claims.n
    return {
        "expected_calibration_error": or_none(claims.expected_error),
        "brier": or_none(brier),
        "temperature": best_temperature(probabilities, truth) if is_enough else None,
        "n": claims.n.astype(int).tolist(),
        "confidence": [or_none(value) for value in confidence],
        "accuracy": [or_none(value) for value in right],
    }


def or_none(value: float) -> float | None:
    """Return a number as JSON has it."""
    return None if math.isnan(value) else float(value)
