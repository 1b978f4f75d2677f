"""Mean shift finds clusters as scikit-learn's does."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import MeanShift

from pathoview.methods.engine.mean_shift import mean_shift


def clouds(n: int = 60, dimensions: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    middles = 6 * np.eye(3, dimensions)
    which = np.repeat(np.arange(3), [n, n // 2, n // 3])
    return middles[which] + rng.normal(0, 0.3, (len(which), dimensions)), which


def as_pairs(clusters: np.ndarray) -> np.ndarray:
    return clusters[:, None] == clusters[None]


@pytest.mark.parametrize("bin_size", [None, 0.75])
def test_clouds_are_told_apart_as_by_scikit_learn(bin_size: float | None) -> None:
    points, which = clouds()
    found = mean_shift(points, 1.5, bin_size=bin_size)
    assert np.array_equal(as_pairs(found), as_pairs(which))
    theirs = MeanShift(bandwidth=1.5).fit_predict(points)
    assert np.array_equal(as_pairs(found), as_pairs(theirs))


def test_the_densest_cluster_comes_first() -> None:
    points, which = clouds()
    assert (mean_shift(points, 1.5)[which == 0] == 0).all()


def test_points_within_the_bandwidth_are_one_cluster_and_none_are_none() -> None:
    assert mean_shift(np.zeros((4, 3)), 1.0).tolist() == [0, 0, 0, 0]
    assert len(set(mean_shift(np.array([[0.0], [1.0]]), 1.5).tolist())) == 1
    assert len(set(mean_shift(np.array([[0.0], [4.0]]), 1.5).tolist())) == 2
    assert mean_shift(np.empty((0, 3)), 1.0).tolist() == []


def test_lonely_bins_are_no_seeds_unless_all_are() -> None:
    points = np.array([[0.0]] * 5 + [[9.0]])
    assert set(mean_shift(points, 1.5, bin_size=1.0, least_in_bin=2).tolist()) == {0}
    assert len(set(mean_shift(np.array([[0.0], [9.0]]), 1.5, bin_size=1.0, least_in_bin=2))) == 2
