"""What was taken for what: confusion matrices of pixels and objects, and the scores they give.

Rows are the truth, columns what was said. Beyond the ``n_classes`` that are told apart, a last row
holds what is nothing (spurious objects) and a last column what was not said (missed objects,
classes that the truth does not know).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.evaluation.instances import matched_points

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.number]
Fractions = npt.NDArray[np.float64]


def confusion_matrix(
    truth: npt.NDArray[np.integer], said: npt.NDArray[np.integer], shape: tuple[int, int]
) -> Counts:
    """Count (n,) pairs of truth and answer into a matrix of ``shape``."""
    rows, columns = shape
    place = truth.astype(np.int64) * columns + said.astype(np.int64)
    return np.bincount(place.ravel(), minlength=rows * columns).reshape(shape)


@dataclass(frozen=True, slots=True)
class ObjectPairs:
    """Which known object is which predicted one; rows of the two tables."""

    matched: Counts
    """(k, 2) known, predicted."""
    missed: Counts
    spurious: Counts


def object_pairs(truth: Fractions, predicted: Fractions, max_distance: float) -> ObjectPairs:
    """Match centres, (n, 2) each, one to one, the nearest pair first."""
    matched = matched_points(truth, predicted, max_distance)
    return ObjectPairs(
        matched,
        np.setdiff1d(np.arange(len(truth)), matched[:, 0]),
        np.setdiff1d(np.arange(len(predicted)), matched[:, 1]),
    )


def object_confusion(
    pairs: ObjectPairs,
    truth: npt.NDArray[np.integer],
    said: npt.NDArray[np.integer],
    n_classes: int,
) -> Counts:
    """Return the matrix of objects, (n_classes + 1, n_classes + 1).

    ``truth``, ``said``: the class of each, 0 … n_classes - 1. The last row counts spurious objects,
    the last column missed ones.
    """
    known, found = pairs.matched.T
    rows = [truth[known], truth[pairs.missed], np.full(len(pairs.spurious), n_classes)]
    columns = [said[found], np.full(len(pairs.missed), n_classes), said[pairs.spurious]]
    side = n_classes + 1
    return confusion_matrix(np.concatenate(rows), np.concatenate(columns), (side, side))


@dataclass(frozen=True, slots=True)
class PerClass:
    """Scores of each class, (class,) each; NaN where there is nothing to score."""

    precision: Fractions
    recall: Fractions
    dice: Fractions
    """Equal to F1."""
    iou: Fractions


def per_class(matrix: Numbers, n_classes: int) -> PerClass:
    """Return the scores of the first ``n_classes`` rows and columns."""
    right = np.diag(matrix)[:n_classes].astype(np.float64)
    known = matrix.sum(axis=1)[:n_classes].astype(np.float64)
    said = matrix.sum(axis=0)[:n_classes].astype(np.float64)
    return PerClass(
        _share(right, said),
        _share(right, known),
        _share(2 * right, known + said),
        _share(right, known + said - right),
    )


def macro_f1(matrix: Numbers, n_classes: int) -> float:
    """Return the mean F1 over the classes that the truth has."""
    return _mean(per_class(matrix, n_classes).dice, matrix, n_classes)


def balanced_accuracy(matrix: Numbers, n_classes: int) -> float:
    """Return the mean recall over the classes that the truth has."""
    return _mean(per_class(matrix, n_classes).recall, matrix, n_classes)


def accuracy(matrix: Numbers, n_classes: int) -> float:
    """Return the share of all that is right; what is spurious or missed is wrong."""
    total = float(matrix.sum())
    return float(np.diag(matrix)[:n_classes].sum() / total) if total else float("nan")


def quadratic_kappa(matrix: Numbers, n_classes: int) -> float:
    """Return Cohen's kappa with quadratic weights, for classes in an order; NaN: not defined.

    Only what was given a class on both sides counts.
    """
    square = matrix[:n_classes, :n_classes].astype(np.float64)
    total = square.sum()
    if not total:
        return float("nan")
    place = np.arange(n_classes)
    cost = (place[:, None] - place[None, :]) ** 2
    by_chance = np.outer(square.sum(axis=1), square.sum(axis=0)) / total
    expected = float((cost * by_chance).sum())
    return 1 - float((cost * square).sum()) / expected if expected else float("nan")


def _share(part: Fractions, whole: Fractions) -> Fractions:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)


def _mean(scores: Fractions, matrix: Numbers, n_classes: int) -> float:
    is_there = matrix.sum(axis=1)[:n_classes] > 0
    return float(np.mean(scores[is_there])) if is_there.any() else float("nan")
