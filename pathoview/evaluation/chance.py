"""What speaks against a score: labels that mean nothing reach it too, or slides are told by size.

Both are cheap to look at, and both have been mistaken for something that was learned.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from pathoview.evaluation.bootstrap import Interval, Rows, grouped_intervals
from pathoview.evaluation.slides import SlidePredictions

_N_DRAWS = 500
"""Of intervals that only tell whether there is something at all."""

Numbers = npt.NDArray[np.number]


def permutation_p(own: float, shuffled: Numbers) -> float:
    """Return how likely chance does as well: (1 + how many do) / (1 + how many there are).

    ``shuffled``: (n,) the same score, learned from labels that were shuffled. Never 0: of ``n``
    none can tell more than 1 / (n + 1) (Phipson and Smyth 2010).
    """
    return float((1 + np.count_nonzero(shuffled >= own)) / (1 + len(shuffled)))


def rank_correlation(first: Numbers, second: Numbers) -> float:
    """Return Spearman's rho of (n,) numbers; NaN where one side is all the same."""
    ranks = np.stack([rankdata(first), rankdata(second)])
    if len(first) < 2 or not ranks.std(axis=1).all():
        return float("nan")
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def size_scores(
    said: SlidePredictions, sizes: Numbers, groups: Rows, *, seed: int = 0
) -> tuple[dict[str, float], dict[str, Interval]]:
    """Return how what is said of slides goes with their size, and 95 % intervals over patients.

    ``size.rho``: of what is looked for (all but the first class) with ``sizes``, (n,) tiles;
    ``size.rho_negative``: the same among slides of the first class, where no slide has any of it.
    ``groups``: (n,) the patient of each. NaN where there is nothing to compare.
    """
    scores = 1 - said.probabilities[:, 0]

    def statistics(rows: Rows) -> dict[str, float]:
        negative = rows[said.truth[rows] == 0]
        return {
            "size.rho": rank_correlation(scores[rows], sizes[rows]),
            "size.rho_negative": rank_correlation(scores[negative], sizes[negative]),
        }

    intervals = grouped_intervals(groups, statistics, seed=seed, n_draws=_N_DRAWS)
    return statistics(np.arange(len(sizes))), intervals
