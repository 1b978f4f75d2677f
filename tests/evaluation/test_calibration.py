from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.evaluation.calibration import (
    at_temperature,
    best_temperature,
    brier_score,
    reliability,
)


def test_the_expected_error_is_the_gap_between_claim_and_truth() -> None:
    claims = np.array([0.9] * 10 + [0.5] * 10)
    is_right = np.array([True] * 6 + [False] * 4 + [True] * 5 + [False] * 5)
    assert reliability(claims, is_right).expected_error == pytest.approx(0.5 * 0.3)


def test_counts_add_up_over_images() -> None:
    generator = np.random.default_rng(1)
    claims, is_right = generator.random(100), generator.random(100) > 0.5
    whole = reliability(claims, is_right)
    parts = reliability(claims[:30], is_right[:30]) + reliability(claims[30:], is_right[30:])
    assert parts.expected_error == pytest.approx(whole.expected_error)
    assert parts.n.sum() == 100


def test_brier_of_known_cases() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert brier_score(certain, np.array([0, 1])) == 0.0
    assert brier_score(certain, np.array([1, 0])) == 2.0
    assert brier_score(np.array([[0.5, 0.5]]), np.array([0])) == pytest.approx(0.5)


def test_boasting_is_found_and_softened() -> None:
    generator = np.random.default_rng(0)
    honest = generator.dirichlet([2, 2, 2], 4000)
    truth = np.array([generator.choice(3, p=row) for row in honest])
    boasting = at_temperature(honest, 0.5)
    assert best_temperature(honest, truth) == pytest.approx(1.0, abs=0.1)
    assert best_temperature(boasting, truth) == pytest.approx(2.0, abs=0.2)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6), st.floats(0.1, 5))
def test_a_temperature_keeps_the_order_and_the_sum(odds: list[float], temperature: float) -> None:
    row = (np.array(odds) + 1e-3) / (np.array(odds) + 1e-3).sum()
    changed = at_temperature(row[None], temperature)[0]
    assert changed.sum() == pytest.approx(1)
    assert changed[np.argmax(row)] == pytest.approx(changed.max())
