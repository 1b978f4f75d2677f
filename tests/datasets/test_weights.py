from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.datasets.weights import class_weights, label_weights


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6))
def test_every_class_has_the_same_part_in_the_loss_within_the_bounds(counts: list[int]) -> None:
    weights = class_weights(counts)
    n = np.array(counts)
    parts = weights * n
    is_free = (weights > 0.1) & (weights < 10)
    assert ((weights >= 0.1) & (weights <= 10)).all()
    np.testing.assert_allclose(parts[is_free], n.sum() / len(n), rtol=0.01)


def test_rare_classes_weigh_ten_at_most_and_missing_ones_nothing() -> None:
    assert class_weights([100_000, 1, 0]).tolist() == [pytest.approx(0.5, abs=0.01), 10, 0]


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.98))
def test_presence_and_absence_of_a_label_have_the_same_part(seed: int, share: float) -> None:
    truth = np.random.default_rng(seed).random((500, 3)) < share
    truth[0], truth[1] = True, False
    present, absent = label_weights(truth)
    left, right = (present * truth).sum(axis=0), (absent * ~truth).sum(axis=0)
    np.testing.assert_allclose(left, right, rtol=0.01)
