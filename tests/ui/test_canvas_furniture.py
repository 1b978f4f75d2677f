from __future__ import annotations

import pytest

from pathoview.core.geometry import Rect
from pathoview.layers.scale_bar import length_text, scale_bar
from pathoview.ui.canvas_painting import magnification_text, position_text, region_text


@pytest.mark.parametrize(
    ("um_per_px", "length_view", "text"),
    [
        (0.25, 80, "20 µm"),
        (0.5, 100, "50 µm"),
        (1.0, 100, "100 µm"),
        (12.5, 160, "2 mm"),
        (0.01, 100, "1 µm"),
        (0.003, 500 / 3, "500 nm"),
        (1000.0, 100, "100 mm"),
    ],
)
def test_the_scale_bar_has_a_round_length(um_per_px: float, length_view: float, text: str) -> None:
    bar = scale_bar(um_per_px, 170)
    assert bar.text == text
    assert bar.length_view == pytest.approx(length_view)


def test_the_scale_bar_takes_the_longest_step_that_fits() -> None:
    for um_per_px in (0.013, 0.25, 0.4999, 1, 3.7, 60):
        assert 160 / 2.5 <= scale_bar(um_per_px, 160).length_view <= 160 * (1 + 1e-9)


def test_lengths_have_no_more_digits_than_they_need() -> None:
    assert length_text(171.25) == "171.2 µm"
    assert length_text(2000) == "2 mm"


def test_magnification_is_that_of_an_objective() -> None:
    assert magnification_text(20.0, 1.0).startswith("20")
    assert magnification_text(None, 0.25) == "25 % of full size"


def test_places_and_sizes_are_told_in_pixels_where_the_scale_is_not_known() -> None:
    assert position_text(12345.7, 6.2, None) == "x 12,345  y 6 px"
    assert position_text(100, 40, (0.5, 0.25)) == "x 100  y 40 px   ·   x 50.0  y 10.0 µm"
    assert position_text(100, 40, (0.5, 0.25), is_short=True) == "x 50.0  y 10.0 µm"
    assert position_text(100, 40, None, is_short=True) == "x 100  y 40 px"
    assert region_text(Rect(0, 0, 400, 200), None) == "400 × 200 px"
    assert region_text(Rect(0, 0, 400, 8000), (0.5, 0.25)) == "200 µm × 2 mm"
