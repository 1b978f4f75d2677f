from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pathoview.core.geometry import Rect

coordinates = st.integers(-10_000, 10_000)
sizes = st.integers(0, 5_000)
rects = st.builds(Rect, coordinates, coordinates, sizes, sizes)


def test_a_rectangle_holds_its_left_and_top_edge_only() -> None:
    rect = Rect(10, 20, 5, 5)
    assert rect.contains(10, 20)
    assert not rect.contains(15, 20)
    assert not rect.contains(10, 25)


def test_rectangles_that_only_touch_do_not_intersect() -> None:
    assert not Rect(0, 0, 10, 10).intersects(Rect(10, 0, 10, 10))


@given(rects, rects)
def test_the_intersection_lies_in_both_and_is_symmetric(one: Rect, other: Rect) -> None:
    common = one.intersection(other)
    assert common.area == other.intersection(one).area
    if not common.is_empty:
        assert one.union(common) == one
        assert other.union(common) == other


@given(rects, rects)
def test_the_union_holds_both(one: Rect, other: Rect) -> None:
    both = one.union(other)
    assert both.intersection(one) == one
    assert both.intersection(other) == other


def test_outward_takes_in_every_touched_pixel() -> None:
    assert Rect(0.5, -0.5, 1, 1).as_ints() == (0, -1, 2, 2)


def test_expanding_and_moving_keep_the_centre_where_it_should_be() -> None:
    rect = Rect(2, 4, 6, 8)
    assert rect.expanded(3).center == rect.center
    assert rect.moved(1, -1).center == (6, 7)
