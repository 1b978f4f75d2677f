"""Scores of slides that may have several labels: each label is a question of its own."""

from __future__ import annotations

import numpy as np
import pytest

from pathoview.evaluation.slide_labels import (
    LabelPredictions,
    best_label_temperature,
    f1_by_label,
    tempered,
)
from pathoview.evaluation.slides import scores_with_intervals

TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]], bool)
TOLD = np.array([[0.9, 0.2, 0.1], [0.6, 0.4, 0.1], [0.7, 0.8, 0.1], [0.1, 0.3, 0.6]])
SAID = LabelPredictions(TRUTH, TOLD, TOLD >= 0.5)


def test_counts_of_each_label() -> None:
    assert SAID.matrix().tolist() == [[2, 0, 1, 1], [1, 1, 0, 2], [0, 0, 1, 3]]
    np.testing.assert_allclose(f1_by_label(SAID), [0.8, 2 / 3, 0])
    nobody = LabelPredictions(TRUTH[:, 2:], TOLD[:, 2:], np.zeros((4, 1), bool))
    assert np.isnan(f1_by_label(nobody)).all()
    assert np.isnan(nobody.scores()["macro_f1"])


def test_scores_are_means_over_labels_that_part_slides() -> None:
    scores = SAID.scores()
    assert scores["auroc"] == pytest.approx((0.75 + 1.0) / 2), "the last label is nobody's"
    assert scores["accuracy"] == pytest.approx(9 / 12)
    assert scores["macro_f1"] == pytest.approx((0.8 + 2 / 3 + 0) / 3)
    assert scores["micro_f1"] == pytest.approx(6 / 9)
    assert scores["exact_match"] == pytest.approx(1 / 4)
    assert list(SAID.scores(["auroc"])) == ["auroc"]


def test_certainty_is_counted_over_all_labels() -> None:
    claims = SAID.claims()
    assert claims.n.sum() == 12
    assert claims.right.sum() == 9


def test_the_temperature_undoes_what_was_sharpened() -> None:
    rng = np.random.default_rng(0)
    honest = rng.uniform(0.02, 0.98, (400, 3))
    truth = rng.random((400, 3)) < honest
    sharp = tempered(honest, 0.5)
    assert (np.abs(sharp - 0.5) >= np.abs(honest - 0.5) - 1e-9).all()
    np.testing.assert_allclose(tempered(sharp, 2.0), honest, atol=1e-6)
    assert best_label_temperature(sharp, truth) == pytest.approx(2.0, rel=0.2)


def test_predictors_are_compared_on_the_same_drawn_patients() -> None:
    worse = LabelPredictions(TRUTH, 1 - TOLD, TOLD < 0.5)
    scores, _intervals = scores_with_intervals(
        {"own": SAID, "other": worse}, np.arange(4), n_draws=20
    )
    assert scores["over_other.auroc"] == pytest.approx(scores["auroc"] - scores["other.auroc"])
    assert scores["auroc"] == SAID.scores()["auroc"]
