from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.core.geometry import Rect
from pathoview.layers.frame import Frame, Look

looks = st.builds(Look, st.floats(0.01, 16), st.floats(0, 359), st.booleans())
places = st.tuples(st.floats(0, 50_000), st.floats(0, 50_000))


@given(looks, places)
def test_the_wanted_place_is_in_the_middle(look: Look, center: tuple[float, float]) -> None:
    frame = Frame.around(center, look, 801, 600)
    assert frame.to_px.point(*center) == pytest.approx((400.5, 300), abs=0.51)


@given(looks, places, st.integers(-900, 900), st.integers(-900, 900))
def test_a_move_by_whole_px_moves_everything_by_whole_px(
    look: Look, place: tuple[float, float], dx: int, dy: int
) -> None:
    frame = Frame.around((20_000, 9_000), look, 800, 600)
    x, y = frame.to_px.point(*place)
    moved = frame.moved(dx, dy).to_px.point(*place)
    assert moved == pytest.approx((x - dx, y - dy), abs=1e-6)


def test_all_that_is_seen_lies_in_the_visible_rectangle() -> None:
    frame = Frame.around((500, 500), Look(2.0, 30, is_flipped=True), 300, 200)
    to_l0 = frame.to_px.inverse()
    seen = frame.visible_l0
    for x, y in ((0, 0), (300, 0), (300, 200), (0, 200)):
        assert seen.expanded(1e-6).contains(*to_l0.point(x, y))
    assert seen.center == pytest.approx((500, 500), abs=0.6)


def test_a_quarter_turn_puts_the_top_to_the_right() -> None:
    frame = Frame.around((0, 0), Look(1.0, 90), 100, 100)
    assert frame.to_px.point(0, -10) == pytest.approx((60, 50))
    assert frame.rect(Rect(0, 0, 10, 20)) == Rect(30, 50, 20, 10)
    flipped = Frame.around((0, 0), Look(1.0, 0, is_flipped=True), 100, 100)
    assert flipped.to_px.point(10, 0) == pytest.approx((40, 50))
