"""Trees as arrays say what scikit-learn says, and broken ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.numpy
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from pathoview.core.errors import InputError
from pathoview.methods.forest_arrays import ForestArrays

both_numbers = pytest.mark.parametrize("n_classes", [2, 4])


def samples(n_classes: int, n: int = 600) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
    rng = np.random.default_rng(n_classes)
    classes = rng.integers(0, n_classes, n)
    rows = rng.normal(size=(n, 7)) + classes[:, None] * (rng.random(7) > 0.5)
    return rows.astype(np.float32), classes + 1


def forest(n_classes: int) -> RandomForestClassifier:
    return RandomForestClassifier(12, min_samples_leaf=2, random_state=0).fit(*samples(n_classes))


def boosting(n_classes: int) -> HistGradientBoostingClassifier:
    classifier = HistGradientBoostingClassifier(
        max_iter=6, max_leaf_nodes=6, early_stopping=False, random_state=0
    )
    return classifier.fit(*samples(n_classes))


def kept(arrays: ForestArrays, folder: Path) -> ForestArrays:
    """Return what comes back from a file."""
    safetensors.numpy.save_file(arrays.to_tensors(), folder / "trees.safetensors")
    return ForestArrays.from_tensors(safetensors.numpy.load_file(folder / "trees.safetensors"))


def new_rows(n: int = 40_000) -> npt.NDArray[np.float32]:
    return np.random.default_rng(9).normal(0.5, 1.5, (n, 7)).astype(np.float32)


@both_numbers
def test_a_forest_from_a_file_says_exactly_what_it_said(n_classes: int, tmp_path: Path) -> None:
    classifier = forest(n_classes)
    found = kept(ForestArrays.of_forest(classifier), tmp_path).predict(new_rows())
    assert found.dtype == np.float32
    assert np.array_equal(found, classifier.predict_proba(new_rows()).astype(np.float32))


@both_numbers
def test_boosting_from_a_file_says_what_it_said(n_classes: int, tmp_path: Path) -> None:
    classifier = boosting(n_classes)
    found = kept(ForestArrays.of_boosting(classifier), tmp_path).predict(new_rows(3000))
    assert found.shape == (3000, n_classes)
    np.testing.assert_allclose(found, classifier.predict_proba(new_rows(3000)), atol=1e-6)


def test_values_on_a_threshold_go_the_same_way() -> None:
    classifier = forest(2)
    tree = classifier.estimators_[0].tree_
    rows = new_rows(len(tree.feature))
    inner = np.flatnonzero(tree.feature >= 0)
    rows[inner, tree.feature[inner]] = tree.threshold[inner]
    found = ForestArrays.of_forest(classifier).predict(rows)
    assert np.array_equal(found, classifier.predict_proba(rows).astype(np.float32))


@both_numbers
def test_rows_end_in_the_leaves_that_the_forest_says(n_classes: int, tmp_path: Path) -> None:
    classifier = forest(n_classes)
    found = kept(ForestArrays.of_forest(classifier), tmp_path).leaves(new_rows(500))
    assert (found.shape, found.dtype) == ((500, 12), np.int32)
    assert np.array_equal(found, classifier.apply(new_rows(500)))


def test_no_rows_are_no_harm() -> None:
    arrays = ForestArrays.of_forest(forest(2))
    assert arrays.predict(new_rows(0)).shape == (0, 2)
    assert arrays.leaves(new_rows(0)).shape == (0, 12)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("trees.left", lambda array: array + 10_000),
        ("trees.left", lambda array: np.where(array > 0, 0, array)),
        ("trees.right", lambda array: np.where(array > 0, -7, array)),
        ("trees.feature", lambda array: np.where(array >= 0, 7, array)),
        ("trees.feature", lambda array: array[:-1]),
        ("trees.values", lambda array: array[:5]),
        ("trees.starts", lambda array: array + 1),
        ("trees.starts", lambda array: array[:1]),
        ("trees.baseline", lambda array: np.zeros(3)),
    ],
)
def test_trees_that_lead_out_of_their_arrays_are_refused(name: str, change: Any) -> None:
    tensors = ForestArrays.of_forest(forest(2)).to_tensors()
    tensors[name] = change(tensors[name])
    with pytest.raises(InputError):
        ForestArrays.from_tensors(tensors)


def test_tensors_of_something_else_are_refused() -> None:
    with pytest.raises(InputError, match="trees"):
        ForestArrays.from_tensors({"weight": np.zeros(3)})
