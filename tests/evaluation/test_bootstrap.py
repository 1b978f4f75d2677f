from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.evaluation.bootstrap import (
    mean_interval,
    paired_interval,
    paired_pooled_interval,
    pooled_interval,
)
from pathoview.evaluation.confusion import accuracy


def test_the_interval_of_a_mean_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(3).normal(0.7, 0.1, 200)
    told = mean_interval(values)
    assert told is not None
    error = values.std(ddof=1) / np.sqrt(200)
    assert told.value == pytest.approx(values.mean())
    assert told.low == pytest.approx(values.mean() - 1.96 * error, abs=0.002)
    assert told.high == pytest.approx(values.mean() + 1.96 * error, abs=0.002)
    assert told.n_units == 200


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.array([0.1, 0.5, 0.6, 0.9])
    assert mean_interval(values, seed=4) == mean_interval(values, seed=4)
    assert mean_interval(values, seed=4) != mean_interval(values, seed=5)


def test_one_unit_and_unknown_values_tell_nothing() -> None:
    assert mean_interval(np.array([0.5])) is None
    assert mean_interval(np.array([0.5, np.nan])) is None
    told = mean_interval(np.array([0.5, np.nan, 0.7]))
    assert told is not None
    assert told.n_units == 2


def test_a_weight_counts_as_so_many() -> None:
    told = mean_interval(np.array([0.0, 1.0]), np.array([3.0, 1.0]))
    assert told is not None
    assert told.value == 0.25


def test_a_paired_difference_is_sharper_than_its_sides() -> None:
    generator = np.random.default_rng(0)
    hard = generator.random(30)
    first, second = hard + 0.05, hard + generator.normal(0, 0.01, 30)
    apart, alone = paired_interval(first, second), mean_interval(first)
    assert apart is not None
    assert alone is not None
    assert apart.low > 0.03
    assert apart.high < 0.07
    assert apart.high - apart.low < (alone.high - alone.low) / 5


def test_statistics_of_matrices_are_drawn_by_image() -> None:
    units = np.array([[[9, 1], [0, 10]], [[5, 5], [5, 5]], [[8, 2], [2, 8]]])
    told = pooled_interval(units, lambda matrix: accuracy(matrix, 2))
    assert told is not None
    assert told.value == pytest.approx(45 / 60)
    assert told.low == 0.5
    assert told.high == 0.95
    same = paired_pooled_interval(units, units, lambda matrix: accuracy(matrix, 2))
    assert same is not None
    assert (same.value, same.low, same.high) == (0, 0, 0)
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_pooled_interval(units, units[:2], lambda matrix: 0.0)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_an_interval_lies_within_the_values(values: list[float]) -> None:
    told = mean_interval(np.array(values), n_draws=200)
    assert told is not None
    assert min(values) - 1e-9 <= told.low <= told.high <= max(values) + 1e-9
