from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.core.geometry import Rect
from pathoview.session.viewport import MAX_SCALE, Viewport

places = st.floats(-5000, 5000)
factors = st.floats(0.05, 20)


def looking_at(width: float = 40_000, height: float = 30_000) -> Viewport:
    viewport = Viewport()
    viewport.set_size(800, 600)
    viewport.set_slide(width, height)
    return viewport


@given(places, places, factors)
def test_view_and_level_0_are_inverse_to_each_other(x: float, y: float, factor: float) -> None:
    viewport = looking_at()
    viewport.zoom_about(100, 100, factor)
    assert viewport.to_view(*viewport.to_l0(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(st.floats(0, 800), st.floats(0, 600), st.floats(1, 30))
def test_the_place_under_the_cursor_stays_there_when_zooming(
    x: float, y: float, factor: float
) -> None:
    viewport = looking_at()
    viewport.zoom(4)
    before = viewport.to_l0(x, y)
    viewport.zoom_about(x, y, factor)
    assert viewport.to_l0(x, y) == pytest.approx(before, abs=1e-6)


def test_a_fitted_slide_is_seen_whole_and_stays_fitted_when_the_window_grows() -> None:
    viewport = looking_at()
    for size in ((800, 600), (300, 900)):
        viewport.set_size(*size)
        seen = viewport.visible_l0
        assert seen.intersection(viewport.slide_l0) == viewport.slide_l0
        assert seen.center == viewport.slide_l0.center
    viewport.zoom(3)
    scale = viewport.scale
    viewport.set_size(800, 600)
    assert viewport.scale == scale


def test_dragging_moves_the_picture_with_the_pointer() -> None:
    viewport = looking_at()
    viewport.look_at(20_000, 15_000, 0.5)
    before = viewport.to_l0(100, 100)
    viewport.pan(30, -40)
    assert viewport.to_l0(130, 60) == pytest.approx(before)


def test_zoom_and_centre_have_bounds() -> None:
    viewport = looking_at()
    viewport.zoom(1e9)
    assert viewport.scale == MAX_SCALE
    viewport.zoom(1e-12)
    assert viewport.scale == pytest.approx(viewport.fit_scale / 2)
    viewport.pan(1e9, 1e9)
    assert viewport.center_l0 == (0, 0)


def test_magnification_follows_the_convention_of_objectives() -> None:
    viewport = looking_at()
    viewport.look_at(0, 0, 1.0)
    assert viewport.magnification(0.5) == 20
    viewport.zoom(2)
    assert viewport.magnification(0.25) == 80


def test_a_rectangle_can_be_fitted() -> None:
    viewport = looking_at()
    viewport.fit(Rect(1000, 2000, 400, 100))
    assert viewport.scale == 2
    assert viewport.center_l0 == (1200, 2050)
    assert viewport.rect_to_view(Rect(1000, 2000, 400, 100)) == Rect(0, 200, 800, 200)


def test_every_change_is_told_once() -> None:
    viewport = looking_at()
    told: list[float] = []
    viewport.changed.connect(lambda: told.append(viewport.scale))
    viewport.pan(1, 1)
    viewport.zoom_about(0, 0, 2)
    viewport.fit()
    viewport.set_size(500, 500)
    assert len(told) == 4
