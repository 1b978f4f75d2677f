"""Whether a probability of 0.8 is right in 8 of 10 cases: reliability, its error, Brier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

Fractions = npt.NDArray[np.float64]

N_BINS = 15
_LEAST = 1e-7
"""A probability below it is taken for it: no logarithm of 0."""
_TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often one was right by how certain one was, in equal bins from 0 to 1; (bin,) each."""

    n: Fractions
    confidence: Fractions
    """Sum of what was claimed."""
    right: Fractions
    """How many were right."""

    def __add__(self, other: Reliability) -> Reliability:
        return Reliability(
            self.n + other.n, self.confidence + other.confidence, self.right + other.right
        )

    @property
    def expected_error(self) -> float:
        """The ECE: mean gap between claim and truth over all cases; NaN without any."""
        total = self.n.sum()
        return float(np.abs(self.confidence - self.right).sum() / total) if total else float("nan")


def reliability(
    confidence: npt.NDArray[np.floating], is_right: npt.NDArray[np.bool_], n_bins: int = N_BINS
) -> Reliability:
    """Count (n,) claims from 0 to 1 by bin."""
    claims = confidence.astype(np.float64)
    place = np.clip((claims * n_bins).astype(np.int64), 0, n_bins - 1)
    return Reliability(
        np.bincount(place, minlength=n_bins).astype(np.float64),
        np.bincount(place, claims, n_bins).astype(np.float64),
        np.bincount(place, is_right, n_bins).astype(np.float64),
    )


def brier_score(probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.integer]) -> float:
    """Return the mean squared distance of (n, class) probabilities from the truth, 0–2.

    ``truth``: (n,) the class of each; one outside of 0 … class - 1 is none of them.
    """
    if not len(truth):
        return float("nan")
    wanted = truth[:, None] == np.arange(probabilities.shape[1])
    return float(((probabilities - wanted) ** 2).sum(axis=1).mean())


def log_loss(probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.integer]) -> float:
    """Return the mean negative log-likelihood of (n, class) probabilities; NaN without any.

    ``truth``: (n,) the class of each, 0 … class - 1.
    """
    if not len(truth):
        return float("nan")
    claimed = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(claimed, _LEAST)).mean())


def at_temperature(probabilities: npt.NDArray[np.floating], temperature: float) -> Fractions:
    """Return (n, class) probabilities, softened (above 1) or sharpened (below 1)."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _LEAST)) / temperature
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def best_temperature(
    probabilities: npt.NDArray[np.floating], truth: npt.NDArray[np.integer]
) -> float:
    """Return the temperature with the least negative log-likelihood; 1: well as it is.

    Above 1 the method claims too much. ``truth``: (n,) the class of each, 0 … class - 1.
    """

    def loss(log_temperature: float) -> float:
        return log_loss(at_temperature(probabilities, float(np.exp(log_temperature))), truth)

    found = minimize_scalar(loss, bounds=tuple(np.log(_TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))


def platt(log_odds: npt.NDArray[np.floating], is_it: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and offset of log odds, (n,), that make them probabilities (Platt 1999).

    Few cases are never certain: what is aimed at is (n + 1) / (n + 2). A slope that would turn the
    order around is 1, with an offset of 0.
    """
    n_is, n_not = int(is_it.sum()), int((~is_it).sum())
    wanted = np.where(is_it, (n_is + 1) / (n_is + 2), 1 / (n_not + 2))
    scores = log_odds.astype(np.float64)

    def loss(line: npt.NDArray[np.float64]) -> float:
        odds = line[0] * scores + line[1]
        return float(np.mean(np.logaddexp(0, odds) - wanted * odds))

    slope, offset = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x.tolist()
    return (slope, offset) if slope > 0 else (1.0, 0.0)
