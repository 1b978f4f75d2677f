"""How often the cases that are found to be like one are of its kind, beside what chance would find.

A case never finds itself, nor another of its slide or its patient: that would be no finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.evaluation.bootstrap import N_DRAWS, Interval, Rows, grouped_intervals

Fractions = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

KS = (1, 5)


@dataclass(frozen=True, slots=True)
class Cases:
    """What is known of cases; (n,) each, as numbers."""

    labels: Numbers
    groups: Numbers
    """Of which patient, or site, each is: what it finds has to be of another one."""
    slides: Numbers
    """Of which slide or picture each is."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What cases find; NaN where there is nothing that one may find."""

    precision: Mapping[int, Fractions]
    """By k: (query,) the share of the k first that have the query's label. Of equally like ones
    each has the same part in the places that are left."""
    chance: Fractions
    """(query,) that share when picked at random from all it may find."""
    groups: Numbers
    """(query,)"""

    def scores(self, rows: Rows | None = None) -> dict[str, float]:
        """Return means over queries: ``precision_at_K``, ``chance``, ``over_chance_at_K``."""
        chosen = np.arange(len(self.chance)) if rows is None else rows
        chosen = chosen[np.isfinite(self.chance[chosen])]
        if not len(chosen):
            return {}
        chance = float(self.chance[chosen].mean())
        found = {"chance": chance}
        for k, precision in self.precision.items():
            found[f"precision_at_{k}"] = float(precision[chosen].mean())
            found[f"over_chance_at_{k}"] = found[f"precision_at_{k}"] - chance
        return found

    def intervals(self, *, seed: int = 0, n_draws: int = N_DRAWS) -> dict[str, Interval]:
        """Return 95 % intervals of `scores`: groups of queries are drawn anew, cases stay."""
        known = np.flatnonzero(np.isfinite(self.chance))
        return grouped_intervals(
            self.groups[known], lambda rows: self.scores(known[rows]), seed=seed, n_draws=n_draws
        )


def allowed(queries: Cases, cases: Cases) -> Flags:
    """Return which cases a query may find, (query, case)."""
    return np.asarray(
        (queries.groups[:, None] != cases.groups) & (queries.slides[:, None] != cases.slides)
    )


def retrieved(
    likeness: npt.NDArray[np.floating], queries: Cases, cases: Cases, ks: Sequence[int] = KS
) -> Retrieved:
    """Return what queries find by how like cases are to them, (query, case); NaN: not compared.

    Where fewer than k may be found, it is the share among all of them.
    """
    may_find = allowed(queries, cases) & np.isfinite(likeness)
    is_right = queries.labels[:, None] == cases.labels
    rows = range(len(likeness))
    precision = {
        k: np.array(
            [
                _share_of_first(likeness[row][may_find[row]], is_right[row][may_find[row]], k)
                for row in rows
            ]
        )
        for k in ks
    }
    n_allowed = may_find.sum(axis=1)
    n_right = (may_find & is_right).sum(axis=1)
    chance = np.where(n_allowed > 0, n_right / np.maximum(n_allowed, 1), np.nan)
    return Retrieved(precision, chance, queries.groups)


def _share_of_first(likeness: npt.NDArray[np.floating], is_right: Flags, k: int) -> float:
    """Return which share of the k likest is right; NaN: there is none."""
    n = min(k, len(likeness))
    if not n:
        return float("nan")
    last = np.partition(likeness, -n)[-n]
    is_in, is_tied = likeness > last, likeness == last
    n_left = n - np.count_nonzero(is_in)
    return float((is_right[is_in].sum() + n_left * is_right[is_tied].mean()) / n)
