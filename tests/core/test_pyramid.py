from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Level, Plane, Pyramid, TileKey, halved_levels

LEVELS = (Level(1000, 700, 1.0), Level(250, 175, 4.00011), Level(62, 43, 16.0012))


@pytest.mark.parametrize(
    ("downsample", "level"), [(0.5, 0), (1, 0), (3.9, 0), (4, 1), (15, 1), (16, 2), (99, 2)]
)
def test_the_coarsest_level_that_is_fine_enough_is_taken(downsample: float, level: int) -> None:
    assert Pyramid(LEVELS, 256).level_for(downsample) == level


def test_tiles_at_the_edge_are_cut() -> None:
    pyramid = Pyramid(LEVELS, 256)
    assert pyramid.grid(0) == (4, 3)
    assert pyramid.tile_lv(TileKey(0, 3, 2)) == Rect(768, 512, 232, 188)


@given(st.integers(0, 2), st.integers(16, 512))
def test_tiles_cover_the_level_without_overlap(level: int, size: int) -> None:
    pyramid = Pyramid(LEVELS, size)
    keys = list(pyramid.tiles_in(Rect(-50, -50, 5000, 5000), level))
    assert len(set(keys)) == len(keys)
    lv = LEVELS[level]
    assert sum(pyramid.tile_lv(key).area for key in keys) == lv.width * lv.height


def test_only_tiles_that_touch_the_rectangle_are_listed() -> None:
    plane = Plane(z=2)
    keys = list(Pyramid(LEVELS, 100).tiles_in(Rect(100, 100, 100, 101), 0, plane))
    assert keys == [TileKey(0, 1, 1, plane), TileKey(0, 1, 2, plane)]


def test_frames_go_there_and_back_with_the_levels_true_downsample() -> None:
    pyramid = Pyramid(LEVELS, 256)
    there = pyramid.to_level(Rect(400, 80, 40, 8), 1)
    back = pyramid.to_l0(there, 1)
    assert there.x == pytest.approx(99.99725)
    assert (back.x, back.width) == pytest.approx((400, 40))


def test_halved_levels_end_when_the_picture_is_small() -> None:
    assert [level.downsample for level in halved_levels(3000, 100)] == [1, 2, 4, 8]
    assert halved_levels(1, 1) == (Level(1, 1, 1.0),)
