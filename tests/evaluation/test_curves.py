from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.evaluation.curves import (
    bin_thresholds,
    bins,
    from_counts,
    hits_by_confidence,
    precision_recall,
)


def test_the_curve_of_four_scores_is_that_of_the_textbook() -> None:
    curve = precision_recall(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.7, 0.1]
    assert curve.precision.tolist() == [1.0, 0.5, pytest.approx(2 / 3), 0.5]
    assert curve.recall.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert curve.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_what_was_never_found_keeps_the_recall_below_one() -> None:
    curve = precision_recall(np.array([0.9, 0.8]), np.array([True, True]), n_positive=4)
    assert curve.recall[-1] == 0.5
    assert curve.average_precision == 0.5


def test_without_anything_to_find_there_is_no_average_precision() -> None:
    curve = precision_recall(np.array([0.5]), np.array([False]))
    assert np.isnan(curve.average_precision)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_curves_never_leave_the_unit_square_and_recall_only_grows(
    cases: list[tuple[float, bool]],
) -> None:
    scores = np.array([one[0] for one in cases])
    is_right = np.array([one[1] for one in cases])
    curve = precision_recall(scores, is_right)
    assert ((curve.precision >= 0) & (curve.precision <= 1)).all()
    assert (np.diff(curve.recall) >= 0).all()
    if is_right.any():
        assert curve.recall[-1] == 1.0
        assert 0 < curve.average_precision <= 1 + 1e-12
    thin = curve.thinned(5)
    assert thin.recall[-1] == curve.recall[-1]


@given(st.lists(st.tuples(st.integers(0, 999), st.booleans()), min_size=1, max_size=60))
def test_counted_scores_give_the_same_curve(cases: list[tuple[int, bool]]) -> None:
    scores = np.array([(one[0] + 0.5) / 1000 for one in cases])
    is_right = np.array([one[1] for one in cases])
    right = np.bincount(bins(scores), is_right, 1000)
    wrong = np.bincount(bins(scores), ~is_right, 1000)
    counted = from_counts(bin_thresholds(), right, wrong, int(is_right.sum()))
    exact = precision_recall(scores, is_right)
    assert np.allclose(counted.precision, exact.precision)
    assert np.allclose(counted.recall, exact.recall)


def test_the_most_certain_detection_takes_the_nucleus() -> None:
    truth = np.array([[0.0, 0.0], [10.0, 0.0]])
    found = np.array([[1.0, 0.0], [0.5, 0.0], [11.0, 0.0], [50.0, 0.0]])
    hit = hits_by_confidence(truth, found, np.array([0.9, 0.5, 0.4, 1.0]), 3.0)
    assert hit.tolist() == [True, False, True, False]
    assert not hits_by_confidence(np.empty((0, 2)), found, np.ones(4), 3.0).any()
