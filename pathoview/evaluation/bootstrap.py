"""How far a score may be off by chance: 95 % intervals by drawing images anew, with a seed.

Units are images; where there is one only, blocks of it. Percentile intervals, as simple as they
are known: with fewer than about ten units they are too narrow, and the number of units says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

N_DRAWS = 2000
LEVEL = 0.95

Fractions = npt.NDArray[np.float64]
Statistic = Callable[[npt.NDArray[np.float64]], float]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with the interval that holds it in 95 of 100 drawings."""

    value: float
    low: float
    high: float
    n_units: int


def mean_interval(
    values: Fractions, weights: Fractions | None = None, *, seed: int = 0, n_draws: int = N_DRAWS
) -> Interval | None:
    """Return the mean of (n,) values with its interval; None with fewer than two that are known.

    NaN is unknown. ``weights``: (n,) what each counts; None: all the same.
    """
    given = np.ones(len(values)) if weights is None else weights
    is_known = np.isfinite(values) & (given > 0)
    known, counted = values[is_known], given[is_known]
    if len(known) < 2:
        return None
    drawn = _draws(len(known), seed, n_draws)
    means = (drawn @ (known * counted)) / (drawn @ counted)
    return _interval(float(np.average(known, weights=counted)), means, len(known))


def paired_interval(
    first: Fractions,
    second: Fractions,
    weights: Fractions | None = None,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> Interval | None:
    """Return the mean of first - second on the same units; those unknown on a side are left out."""
    return mean_interval(first - second, weights, seed=seed, n_draws=n_draws)


def pooled_interval(
    units: npt.NDArray[np.number], statistic: Statistic, *, seed: int = 0, n_draws: int = N_DRAWS
) -> Interval | None:
    """Return a statistic of the sum of units, (n, …), with its interval; None with fewer than two.

    ``statistic`` takes one sum, such as a confusion matrix. Draws where it is NaN are left out.
    """
    if len(units) < 2:
        return None
    sums = _drawn_sums(units, seed, n_draws)
    found = np.array([statistic(one) for one in sums])
    return _interval(statistic(units.sum(axis=0).astype(np.float64)), found, len(units))


def paired_pooled_interval(
    first: npt.NDArray[np.number],
    second: npt.NDArray[np.number],
    statistic: Statistic,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> Interval | None:
    """Return statistic(first) - statistic(second) of the same units, drawn together."""
    if len(first) != len(second):
        raise ValueError(f"{len(first)} units cannot be paired with {len(second)}")
    both = np.stack([first, second], axis=1)
    return pooled_interval(
        both, lambda pair: statistic(pair[0]) - statistic(pair[1]), seed=seed, n_draws=n_draws
    )


def grouped_intervals(
    groups: Rows,
    statistics: Callable[[Rows], Mapping[str, float]],
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> dict[str, Interval]:
    """Return statistics of items with their intervals: whole groups are drawn anew.

    ``groups``: (n,) the group of each item, such as its patient. ``statistics`` takes rows of
    items, repeated as often as they were drawn; a NaN is left out. None is told of fewer than two
    groups. What is compared belongs into the same call, so that it is drawn together.
    """
    _values, places = np.unique(groups, return_inverse=True)
    n_groups, rows = int(places.max(initial=-1)) + 1, np.arange(len(groups))
    if n_groups < 2:
        return {}
    times = _draws(n_groups, seed, n_draws).astype(np.int64)[:, places]
    drawn = [statistics(np.repeat(rows, one)) for one in times]
    found = {}
    for name, value in statistics(rows).items():
        told = _interval(float(value), np.array([one[name] for one in drawn]), n_groups)
        if told is not None:
            found[name] = told
    return found


def _draws(n: int, seed: int, n_draws: int) -> Fractions:
    """Return how often each unit is drawn in each drawing, (draw, n)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(n, np.full(n, 1 / n), n_draws).astype(np.float64)


def _drawn_sums(units: npt.NDArray[np.number], seed: int, n_draws: int) -> Fractions:
    flat = units.reshape(len(units), -1).astype(np.float64)
    return (_draws(len(units), seed, n_draws) @ flat).reshape(n_draws, *units.shape[1:])


def _interval(value: float, drawn: Fractions, n_units: int) -> Interval | None:
    known = drawn[np.isfinite(drawn)]
    if not len(known) or not np.isfinite(value):
        return None
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return Interval(value, float(low), float(high), n_units)
