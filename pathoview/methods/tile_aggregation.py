"""From what is said of tiles to what is said of their slide: which tiles count, and how certain.

One artefact should not decide a slide, and where few tiles of many show what is looked for, the
mean of all hides it. So which tiles count is chosen on slides that were held back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from pathoview.evaluation.calibration import platt
from pathoview.evaluation.slides import auroc

Fractions = npt.NDArray[np.float64]

Rule = Literal["top5", "max", "p99", "mean"]
"""The five tiles that show most of what is looked for; the first; the 99th percentile; all."""
RULES: tuple[Rule, ...] = get_args(Rule)

_TOP = 5
_PERCENTILE = 0.99
_CLEARLY = 0.02
"""Another rule than the first has to separate slides that much better."""
_LEAST = 1e-7
_LEAST_SLIDES = 5
"""Of each class, for a choice and a calibration."""


@dataclass(frozen=True, slots=True)
class Aggregation:
    """How slides are told by their tiles; `to_json` goes into a model's settings."""

    rule: Rule = "top5"
    slope: float = 1.0
    offset: float = 0.0
    """Of the log odds of the second of two classes (Platt 1999)."""
    measured: Mapping[str, Mapping[str, float]] | None = None
    """By rule, on slides held back: ``auroc``, and ``size``, the rank correlation of what is said
    with the number of tiles. None: none were."""

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        return cls(**said)

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "slope": self.slope,
            "offset": self.offset,
            "measured": self.measured,
        }

    def certain(self, told: Fractions, temperature: float = 1.0) -> Fractions:
        """Return (…, class) probabilities as calibrated."""
        logits = np.log(np.maximum(told, _LEAST))
        if told.shape[-1] == 2:
            odds = self.slope * (logits[..., 1] - logits[..., 0]) + self.offset
            logits = np.stack([np.zeros_like(odds), odds], axis=-1)
        logits = logits / temperature
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def tile_weights(rule: Rule, told: Fractions) -> Fractions:
    """Return how much each tile of a slide counts, (tile,), adding up to 1.

    ``told``: (tile, class); what is looked for is all but the first class. Tiles that show as much
    of it share what they count.
    """
    score = 1 - told[:, 0]
    by_rank = _by_rank(rule, len(score))
    _values, same = np.unique(-score, return_inverse=True)
    order = np.argsort(-score, kind="stable")
    shared = np.bincount(same[order], by_rank) / np.bincount(same)
    return np.asarray(shared[same])


def slide_told(rule: Rule, told: Fractions) -> Fractions:
    """Return what is said of a slide, (class,), by (tile, class); not calibrated."""
    return np.asarray(tile_weights(rule, told) @ told)


def chosen(slides: Sequence[Fractions], truth: npt.NDArray[np.integer]) -> Aggregation:
    """Return the rule that separates slides best, and how certain it is.

    ``slides``: of each held back (tile, class); ``truth``: (slide,). The first rule counts unless
    another is clearly better.
    """
    told = {rule: np.stack([slide_told(rule, one) for one in slides]) for rule in RULES}
    sizes = np.array([len(one) for one in slides])
    measured: dict[str, Mapping[str, float]] = {
        rule: _measured(one, truth, sizes) for rule, one in told.items()
    }
    first, n_classes = RULES[0], told[RULES[0]].shape[1]
    if np.bincount(truth, minlength=n_classes).min() < _LEAST_SLIDES:
        return Aggregation(measured=measured)
    best = max(RULES, key=lambda rule: measured[rule]["auroc"])
    if measured[best]["auroc"] - measured[first]["auroc"] < _CLEARLY:
        best = first
    if n_classes != 2:
        return Aggregation(best, measured=measured)
    logits = np.log(np.maximum(told[best], _LEAST))
    slope, offset = platt(logits[:, 1] - logits[:, 0], truth == 1)
    return Aggregation(best, slope, offset, measured)


def _measured(
    told: Fractions, truth: npt.NDArray[np.integer], sizes: npt.NDArray[np.integer]
) -> dict[str, float]:
    there = np.unique(truth).tolist()
    found = {}
    if len(there) > 1:
        found["auroc"] = float(np.mean([auroc(told[:, one], truth == one) for one in there]))
    score = 1 - told[:, 0]
    if len(set(sizes.tolist())) > 1 and len(set(score.tolist())) > 1:
        found["size"] = float(spearmanr(sizes, score).statistic)
    return found


def _by_rank(rule: Rule, n: int) -> Fractions:
    """Return how much the first tile counts, the second, and so on: (n,), adding up to 1."""
    counts = np.zeros(n)
    match rule:
        case "mean":
            counts[:] = 1 / n
        case "max":
            counts[0] = 1
        case "top5":
            counts[:_TOP] = 1 / min(_TOP, n)
        case "p99":
            place = (n - 1) * (1 - _PERCENTILE)
            below = int(place)
            counts[below] = 1 - (place - below)
            counts[min(below + 1, n - 1)] += place - below
    return counts
