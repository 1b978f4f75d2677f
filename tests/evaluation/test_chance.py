"""What speaks against a score: labels that mean nothing, and the size of slides."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from pathoview.evaluation.chance import permutation_p, rank_correlation, size_scores
from pathoview.evaluation.slides import SlidePredictions


def test_of_n_shuffles_none_can_tell_more_than_one_in_n_and_one() -> None:
    shuffled = np.array([0.4, 0.5, 0.6, 0.7])
    assert permutation_p(0.9, shuffled) == 1 / 5
    assert permutation_p(0.7, shuffled) == 2 / 5  # as good counts
    assert permutation_p(0.1, shuffled) == 1


def test_ranks_are_compared_with_ties() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 9, (2, 50))
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert rank_correlation(first, first**3) == pytest.approx(1)
    assert np.isnan(rank_correlation(first, np.ones(50)))
    assert np.isnan(rank_correlation(first[:1], second[:1]))


def test_among_slides_with_nothing_to_find_larger_ones_must_not_score_higher() -> None:
    random = np.random.default_rng(1)
    sizes, truth = random.integers(50, 5000, 60), np.arange(60) % 2
    # Benign slides are told by their size, positive ones by something else.
    score = np.where(truth == 0, sizes / 10_000, random.uniform(0.5, 1, 60))
    said = SlidePredictions(truth, np.stack([1 - score, score], axis=1), truth)
    scores, intervals = size_scores(said, sizes, np.arange(60))
    assert scores["size.rho_negative"] == pytest.approx(1)
    assert abs(scores["size.rho"]) < 0.6
    assert intervals["size.rho_negative"].low > 0.9
    assert intervals["size.rho"].n_units == 60
    alike = size_scores(said, np.full(60, 100), np.arange(60))[0]
    assert np.isnan(list(alike.values())).all()
