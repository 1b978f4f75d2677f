"""What a probability is worth is counted on the slides that were given the nearest ones."""

from __future__ import annotations

import numpy as np
import pytest

from pathoview.evaluation.alike import FEWEST, MOST, alike

CERTAIN = np.repeat([0.1, 0.9], 60)
IS_RIGHT = np.arange(120) >= 63
"""None of the doubtful 60, and 57 of the certain ones."""


def test_only_the_nearest_slides_count() -> None:
    near = alike(CERTAIN, IS_RIGHT, 0.88)
    assert near is not None
    assert (near.n, near.lowest, near.highest) == (MOST, 0.9, 0.9)
    assert near.share == near.n_right / MOST == 17 / 20
    far = alike(CERTAIN, IS_RIGHT, 0.2)
    assert far is not None
    assert (far.n_right, far.highest) == (0, 0.1)


def test_the_interval_is_wilsons() -> None:
    near = alike(np.full(40, 0.8), np.arange(40) < 8, 0.8)
    assert near is not None
    assert near.n == 10, "a quarter of those there are"
    assert near.interval == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_of_a_few_slides_nothing_is_said() -> None:
    few = np.full(FEWEST - 1, 0.5)
    assert alike(few, few > 0, 0.5) is None
    assert alike(np.empty(0), np.empty(0, bool), 0.5) is None
