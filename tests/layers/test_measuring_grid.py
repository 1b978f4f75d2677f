from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.core.geometry import Rect
from pathoview.layers.measuring_grid import grid_lines, grid_step_um
from pathoview.layers.scale_bar import round_length

SLIDE = Rect(0, 0, 1000, 800)


@given(st.floats(1e-3, 1e3))
def test_a_step_by_the_zoom_is_round_and_wide_enough(um_per_px: float) -> None:
    step = grid_step_um(um_per_px)
    first = step / 10 ** math.floor(math.log10(step * 1.0000001))
    assert any(first == pytest.approx(digit) for digit in (1, 2, 5, 10))
    assert 71.9 <= step / um_per_px <= 72 * 2.6


def test_a_fixed_step_is_kept_until_its_lines_would_touch() -> None:
    assert grid_step_um(0.5, 100) == 100
    assert grid_step_um(12.4, 100) == 100
    assert grid_step_um(13, 100) == 200
    assert grid_step_um(50, 100) == 500
    assert grid_step_um(100, 100) == 1000


def test_lines_are_multiples_of_the_step_within_what_is_seen() -> None:
    lines = grid_lines(Rect(150, -50, 300, 200), SLIDE, (100, 50))
    assert lines.tolist() == [
        [[200, 0], [200, 150]],
        [[300, 0], [300, 150]],
        [[400, 0], [400, 150]],
        [[150, 0], [450, 0]],
        [[150, 50], [450, 50]],
        [[150, 100], [450, 100]],
        [[150, 150], [450, 150]],
    ]
    assert grid_lines(Rect(2000, 0, 10, 10), SLIDE, (100, 100)).shape == (0, 2, 2)


@given(st.floats(1e-6, 1e6))
def test_round_lengths_enclose_a_length(length: float) -> None:
    below, above = round_length(length), round_length(length, up=True)
    assert below <= length * 1.000001
    assert above >= length * 0.999999
    assert above / below < 2.6
