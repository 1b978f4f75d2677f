"""Precision and recall at every threshold, and the average precision under that curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Fractions = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

N_BINS = 1000
"""Into how many steps scores from 0 to 1 are counted where there are too many to keep."""


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """One point a threshold, from the strictest on; (n,) each."""

    thresholds: Fractions
    precision: Fractions
    recall: Fractions
    n_positive: int

    @property
    def average_precision(self) -> float:
        """The precision, weighted by the recall that each threshold adds; NaN: none is positive."""
        if not self.n_positive:
            return float("nan")
        return float((np.diff(self.recall, prepend=0.0) * self.precision).sum())

    def thinned(self, n: int) -> PrecisionRecall:
        """Return at most about ``n`` points, evenly spread along the recall, for drawing."""
        if len(self.recall) <= n:
            return self
        wanted = np.linspace(self.recall[0], self.recall[-1], n)
        rows = np.unique([0, *np.searchsorted(self.recall, wanted), len(self.recall) - 1])
        rows = rows[rows < len(self.recall)]
        return PrecisionRecall(
            self.thresholds[rows], self.precision[rows], self.recall[rows], self.n_positive
        )


def precision_recall(
    scores: Fractions, is_right: Flags, n_positive: int | None = None
) -> PrecisionRecall:
    """Return the curve of (n,) scores; a higher score is a more certain “yes”.

    ``n_positive``: how many there were to find; None: all that are right. Those that never got a
    score keep the recall below 1.
    """
    levels, place = np.unique(scores, return_inverse=True)
    right = np.bincount(place, is_right, len(levels))
    wrong = np.bincount(place, ~is_right, len(levels))
    total = int(np.count_nonzero(is_right)) if n_positive is None else n_positive
    return from_counts(levels, right, wrong, total)


def from_counts(
    thresholds: Fractions, right: npt.NDArray[np.number], wrong: npt.NDArray[np.number], total: int
) -> PrecisionRecall:
    """Return the curve of counted scores: how many are right and wrong at each ascending score."""
    hits = np.cumsum(right[::-1], dtype=np.float64)
    taken = hits + np.cumsum(wrong[::-1], dtype=np.float64)
    is_step = np.diff(taken, prepend=0.0) > 0
    hits, taken = hits[is_step], taken[is_step]
    recall = hits / total if total else np.zeros(len(hits))
    return PrecisionRecall(thresholds[::-1][is_step], hits / taken, recall, total)


def bins(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Return the step of each score from 0 to 1, of `N_BINS`."""
    return np.clip((scores * N_BINS).astype(np.int64), 0, N_BINS - 1)


def bin_thresholds() -> Fractions:
    """Return the lower end of each step."""
    return np.arange(N_BINS) / N_BINS


def hits_by_confidence(
    truth: Fractions, predicted: Fractions, confidence: Fractions, max_distance: float
) -> Flags:
    """Say which predicted points, (n, 2), find a known one, the most certain point first.

    Each takes the nearest known point that is still free and not farther than ``max_distance``.
    """
    hit = np.zeros(len(predicted), np.bool_)
    if not len(truth) or not len(predicted):
        return hit
    near = cKDTree(predicted).query_ball_point(cKDTree(truth).data, max_distance)
    known_near: list[list[int]] = [[] for _row in range(len(predicted))]
    for known, rows in enumerate(near):
        for row in rows:
            known_near[row].append(known)
    is_free = np.ones(len(truth), np.bool_)
    for row in np.argsort(-confidence, kind="stable").tolist():
        free = [one for one in known_near[row] if is_free[one]]
        if free:
            apart = np.linalg.norm(truth[free] - predicted[row], axis=1)
            is_free[free[int(np.argmin(apart))]] = False
            hit[row] = True
    return hit
