from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.place_text import parse_place

SLIDE = Rect(0, 0, 40_000, 30_000)
MPP = (0.5, 0.25)


@pytest.mark.parametrize(
    ("text", "x_l0", "y_l0", "magnification"),
    [
        ("12345, 6789", 12345, 6789, None),
        ("12345,6789", 12345, 6789, None),
        ("12345 6789", 12345, 6789, None),
        ("12,345, 6,789", 12345, 6789, None),
        ("12.345,5; 6.789,25 px", 12345.5, 6789.25, None),
        ("12 345; 6 789", 12345, 6789, None),
        ("12'345 px 6'789 px", 12345, 6789, None),
        ("(12345.5, 6789.25)", 12345.5, 6789.25, None),
        ("x 12,345  y 6,789 px", 12345, 6789, None),
        ("x: 12345, y: 6789", 12345, 6789, None),
        ("x 12,345  y 6,789 px   ·   x 6,172.5  y 1,697.3 µm", 12345, 6789, None),
        ("100, 200 µm", 200, 800, None),
        ("100 um, 200", 200, 800, None),
        ("1.5 mm, 200 μm", 3000, 800, None),
        ("100 px, 200 µm", 100, 800, None),
        ("3,100.5 µm; 1,700 µm @ 20×", 6201, 6800, 20),
        ("1000, 2000 @20", 1000, 2000, 20),
        ("1000, 2000 2.5x", 1000, 2000, 2.5),
        ("0, 0", 0, 0, None),
    ],
)
def test_a_place_is_understood_as_people_write_it(
    text: str, x_l0: float, y_l0: float, magnification: float | None
) -> None:
    place = parse_place(text, MPP, SLIDE)
    assert (place.x_l0, place.y_l0) == pytest.approx((x_l0, y_l0))
    assert place.magnification == magnification


@pytest.mark.parametrize(
    "text", ["", "12", "a, b", "1,2,3", "12,345,6,789", "1 2 3 4", "1..2, 3", ", ", "x y", "@ 20x"]
)
def test_what_is_no_place_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="no place") as refused:
        parse_place(text, MPP, SLIDE)
    assert "20×" in refused.value.hint


@pytest.mark.parametrize("text", ["40001, 5", "5, 30001", "-1, 5", "30 mm, 1 mm"])
def test_a_place_beside_the_slide_is_refused_with_its_size(text: str) -> None:
    with pytest.raises(UsageError, match="not on the slide") as refused:
        parse_place(text, MPP, SLIDE)
    assert "40,000 × 30,000 px" in refused.value.hint


def test_without_a_scale_there_are_px_only() -> None:
    assert parse_place("5, 6", None, SLIDE).x_l0 == 5
    with pytest.raises(UsageError, match="no scale"):
        parse_place("5 µm, 6 µm", None, SLIDE)


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    try:
        place = parse_place(text, MPP, SLIDE)
    except UsageError:
        return
    assert 0 <= place.x_l0 <= 40_000
