from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.evaluation.confusion import (
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    macro_f1,
    object_confusion,
    object_pairs,
    per_class,
    quadratic_kappa,
)

MATRIX = np.array([[50, 10, 0], [5, 30, 5], [0, 10, 90]])


def test_scores_of_a_known_matrix() -> None:
    scores = per_class(MATRIX, 3)
    assert scores.recall.tolist() == pytest.approx([50 / 60, 30 / 40, 90 / 100])
    assert scores.precision.tolist() == pytest.approx([50 / 55, 30 / 50, 90 / 95])
    assert scores.iou.tolist() == pytest.approx([50 / 65, 30 / 60, 90 / 105])
    assert scores.dice.tolist() == pytest.approx([100 / 115, 60 / 90, 180 / 195])
    assert accuracy(MATRIX, 3) == pytest.approx(170 / 200)
    assert balanced_accuracy(MATRIX, 3) == pytest.approx(np.mean([50 / 60, 0.75, 0.9]))
    assert macro_f1(MATRIX, 3) == pytest.approx(np.mean([100 / 115, 60 / 90, 180 / 195]))


def test_quadratic_kappa_of_a_known_matrix() -> None:
    # 1 - sum(w O) / sum(w E), by hand
    assert quadratic_kappa(np.array([[20, 5], [10, 15]]), 2) == pytest.approx(0.4)
    assert quadratic_kappa(np.diag([3, 4, 5]), 3) == 1.0
    assert np.isnan(quadratic_kappa(np.array([[5, 0], [0, 0]]), 2))


def test_missed_and_spurious_ones_count_against_a_class() -> None:
    matrix = np.array([[8, 2], [4, 0]])  # 2 missed, 4 spurious
    scores = per_class(matrix, 1)
    assert scores.recall[0] == 0.8
    assert scores.precision[0] == pytest.approx(8 / 12)
    assert macro_f1(matrix, 1) == pytest.approx(16 / 22)


def test_a_class_that_the_truth_has_not_is_left_out_of_means() -> None:
    matrix = np.array([[8, 2], [0, 0]])
    assert balanced_accuracy(matrix, 2) == 0.8
    assert np.isnan(per_class(np.zeros((2, 2), int), 2).dice).all()
    assert np.isnan(macro_f1(np.zeros((2, 2), int), 2))


def test_objects_are_matched_and_told_apart() -> None:
    truth = np.array([[0.0, 0.0], [10.0, 0.0], [50.0, 0.0]])
    found = np.array([[1.0, 0.0], [10.5, 0.0], [80.0, 0.0]])
    pairs = object_pairs(truth, found, 3.0)
    matrix = object_confusion(pairs, np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    assert matrix.tolist() == [[1, 0, 0], [1, 0, 1], [0, 1, 0]]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=80))
def test_a_matrix_keeps_every_case_and_scores_stay_in_bounds(cases: list[tuple[int, int]]) -> None:
    truth, said = np.array(cases).T
    matrix = confusion_matrix(truth, said, (4, 4))
    assert matrix.sum() == len(cases)
    assert matrix.sum(axis=1).tolist() == np.bincount(truth, minlength=4).tolist()
    assert 0 <= macro_f1(matrix, 4) <= 1
    kappa = quadratic_kappa(matrix, 4)
    assert np.isnan(kappa) or -1 - 1e-9 <= kappa <= 1
