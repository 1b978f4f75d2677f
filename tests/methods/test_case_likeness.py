"""Likeness of cases: by shared leaves and by the angle between sums."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from pathoview.methods.case_likeness import proximity, vector_likeness
from pathoview.methods.forest_arrays import ForestArrays


def test_cases_are_as_like_as_trees_they_share_a_leaf_of() -> None:
    query = np.array([3, 1, 4, 1], np.int32)
    cases = np.array([[3, 1, 4, 1], [3, 1, 0, 0], [1, 3, 1, 4]], np.int32)
    assert proximity(query, cases).tolist() == [1.0, 0.5, 0.0]


def test_proximities_of_a_forest_are_symmetric_with_one_of_each_to_itself() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(40, 6)).astype(np.float32)
    classifier = RandomForestClassifier(30, min_samples_leaf=3, random_state=0)
    classifier.fit(rows, rows[:, 0] > 0)
    leaves = ForestArrays.of_forest(classifier).leaves(rows)
    found = np.stack([proximity(one, leaves) for one in leaves])
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diag(found), 1)
    assert found.min() >= 0
    assert found.max() <= 1
    assert 0.02 < found[~np.eye(40, dtype=bool)].mean() < 0.9


def test_vectors_are_as_like_as_the_angle_between_them() -> None:
    query = np.array([1.0, 1.0], np.float32)
    cases = np.array([[5, 5], [1, 0], [0, 0], [-1, -1]], np.float32)
    assert vector_likeness(query, cases) == pytest.approx([1, np.sqrt(0.5), 0, 0])
    assert vector_likeness(query * 0, cases).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("likeness", [proximity, vector_likeness])
def test_among_no_cases_none_is_like_it(likeness: object) -> None:
    assert callable(likeness)
    assert likeness(np.zeros(4, np.int32), np.zeros((0, 4), np.int32)).shape == (0,)


@pytest.mark.parametrize("likeness", [proximity, vector_likeness])
def test_cases_of_another_model_are_refused(likeness: object) -> None:
    assert callable(likeness)
    with pytest.raises(ValueError, match="cannot be like"):
        likeness(np.zeros(4, np.int32), np.zeros((2, 5), np.int32))
