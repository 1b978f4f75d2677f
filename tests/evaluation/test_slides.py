"""Scores of whole slides: as scikit-learn has them, and with intervals that draw patients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from pathoview.evaluation.bootstrap import grouped_intervals
from pathoview.evaluation.calibration import log_loss
from pathoview.evaluation.slides import (
    SlidePredictions,
    auprc,
    auroc,
    choose_threshold,
    decided,
    roc,
    scores_with_intervals,
    slide_scores,
)

RNG = np.random.default_rng(1)


def predictions(n: int, n_classes: int, *, is_ordered: bool = False) -> SlidePredictions:
    truth = RNG.integers(0, n_classes, n)
    odds = np.exp(RNG.normal(size=(n, n_classes)) + 1.5 * np.eye(n_classes)[truth])
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    return SlidePredictions(truth, probabilities, decided(probabilities, None), is_ordered)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_curves_and_areas_are_those_of_scikit_learn_with_ties_too(
    pairs: list[tuple[int, bool]],
) -> None:
    scores = np.array([one for one, _is in pairs]) / 5
    positive = np.array([is_positive for _one, is_positive in pairs])
    if positive.all() or not positive.any():
        assert np.isnan(auroc(scores, positive))
        assert np.isnan(roc(scores, positive).area)
        return
    assert auroc(scores, positive) == pytest.approx(metrics.roc_auc_score(positive, scores))
    assert auprc(scores, positive) == pytest.approx(
        metrics.average_precision_score(positive, scores)
    )
    curve = roc(scores, positive)
    false, true, thresholds = metrics.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, false)
    np.testing.assert_allclose(curve.true_positive_rate, true)
    np.testing.assert_allclose(curve.thresholds, thresholds)
    assert curve.area == pytest.approx(auroc(scores, positive))


def test_scores_of_two_classes_are_those_of_scikit_learn() -> None:
    one = predictions(60, 2)
    truth, told = one.truth, slide_scores(one)
    positive = one.probabilities[:, 1]
    assert told["auroc"] == pytest.approx(metrics.roc_auc_score(truth, positive))
    assert told["log_loss"] == pytest.approx(metrics.log_loss(truth, positive))
    assert told["brier"] == pytest.approx(2 * metrics.brier_score_loss(truth, positive))
    assert told["sensitivity"] == pytest.approx(metrics.recall_score(truth, one.said))
    assert told["specificity"] == pytest.approx(metrics.recall_score(truth, one.said, pos_label=0))
    assert told["kappa_quadratic"] == pytest.approx(metrics.cohen_kappa_score(truth, one.said))


def test_scores_of_grades_are_those_of_scikit_learn() -> None:
    one = predictions(80, 4, is_ordered=True)
    truth, said, told = one.truth, one.said, slide_scores(one)
    for name, wanted in {
        "auroc": metrics.roc_auc_score(truth, one.probabilities, multi_class="ovr"),
        "accuracy": metrics.accuracy_score(truth, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, said),
        "macro_f1": metrics.f1_score(truth, said, average="macro"),
        "kappa_quadratic": metrics.cohen_kappa_score(truth, said, weights="quadratic"),
        "log_loss": metrics.log_loss(truth, one.probabilities),
    }.items():
        assert told[name] == pytest.approx(wanted), name
    ones = np.eye(4)[truth]
    assert told["auprc"] == pytest.approx(metrics.average_precision_score(ones, one.probabilities))
    assert "sensitivity" not in told


def test_kinds_without_an_order_have_no_kappa() -> None:
    assert "kappa_quadratic" not in slide_scores(predictions(20, 3))


def test_the_error_of_calibration_is_the_mean_gap_of_bins() -> None:
    probabilities = np.array([[0.1, 0.9], [0.1, 0.9], [0.4, 0.6], [0.35, 0.65]])
    truth = np.array([1, 0, 1, 1])
    one = SlidePredictions(truth, probabilities, decided(probabilities, 0.5))
    # bins of 1/15: both 0.9 (13), 0.6 (9), 0.65 (9)
    wanted = (abs(1.8 - 1) + abs(1.25 - 2)) / 4
    assert slide_scores(one)["expected_calibration_error"] == pytest.approx(wanted)


def test_the_loss_of_nothing_is_unknown_and_of_a_certain_error_finite() -> None:
    assert np.isnan(log_loss(np.zeros((0, 2)), np.zeros(0, np.int64)))
    assert 10 < log_loss(np.array([[1.0, 0.0]]), np.array([1])) < 50


@pytest.mark.parametrize("seed", range(4))
def test_youden_is_the_cut_with_most_sensitivity_and_specificity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = rng.random(50) < 0.4
    scores = np.round(rng.normal(positive, 1.0), 1)
    false, true, _thresholds = metrics.roc_curve(positive, scores)
    said = scores >= choose_threshold(scores, positive, "youden")
    best = metrics.recall_score(positive, said) + metrics.recall_score(positive, said, pos_label=0)
    assert best - 1 == pytest.approx((true - false).max())


def test_a_cut_of_95_percent_sensitivity_is_the_highest_that_has_it() -> None:
    scores = np.arange(40) / 40
    positive = np.isin(np.arange(40), [5, *range(20, 39)])  # 20; without the lowest: 95 %
    cut = choose_threshold(scores, positive, "sensitivity")
    assert cut == pytest.approx((scores[20] + scores[19]) / 2)
    assert metrics.recall_score(positive, scores >= cut) == pytest.approx(0.95)
    positive[5], positive[6] = False, False
    positive[1] = positive[2] = True  # 21; without the lowest two: 90 %
    assert choose_threshold(scores, positive, "sensitivity") == pytest.approx(1.5 / 40)


def test_where_nothing_tells_it_is_cut_in_the_middle() -> None:
    assert choose_threshold(np.array([0.1, 0.2]), np.array([True, True]), "youden") == 0.5
    worse = np.array([0.2, 0.8])  # the positive has the lower score: better none
    assert choose_threshold(worse, np.array([True, False]), "youden") > 0.8


def test_whole_groups_are_drawn() -> None:
    groups = np.repeat([4, 7, 9, 11], 5)
    told: list[np.ndarray] = []

    def share(rows: np.ndarray) -> dict[str, float]:
        told.append(rows)
        return {"share": float(np.mean(groups[rows] > 7)), "unknown": float("nan")}

    found = grouped_intervals(groups, share, n_draws=50)
    for rows in told:
        counts = np.bincount(rows, minlength=20).reshape(4, 5)
        assert (counts == counts[:, :1]).all()
        assert counts[:, 0].sum() == 4
    assert list(found) == ["share"]
    assert (found["share"].value, found["share"].n_units) == (0.5, 4)
    assert found["share"].low < 0.5 < found["share"].high
    assert grouped_intervals(np.zeros(5, np.int64), share) == {}


def test_a_difference_is_drawn_together() -> None:
    one = predictions(60, 2)
    noise = one.probabilities[::-1].copy()
    other = SlidePredictions(one.truth, noise, decided(noise, None))
    several = {"learned": one, "same": one, "other": other}
    values, intervals = scores_with_intervals(several, np.arange(60), n_draws=300)
    assert values["auroc"] == values["same.auroc"]
    assert (intervals["over_same.auroc"].low, intervals["over_same.auroc"].high) == (0, 0)
    apart = intervals["over_other.auroc"]
    assert apart.value == pytest.approx(values["auroc"] - values["other.auroc"])
    assert apart.low < apart.value < apart.high
    assert intervals["auroc"].n_units == 60
