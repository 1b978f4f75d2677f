from __future__ import annotations

import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.affine import Affine
from pathoview.core.errors import UsageError
from pathoview.core.pyramid import TileKey
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource

LEVEL_0 = 4


@pytest.fixture
def second() -> RegisteredSource:
    inner = SlideSource(ArraySlide(he_image(400, 300)))
    return RegisteredSource(inner, Affine(), 600, 600)


def test_nudges_turns_and_scales_add_up(second: RegisteredSource) -> None:
    second.nudge(10, 5)
    assert second.to_base(0, 0) == (10, 5)
    second.turn(90, (10, 5))
    assert second.to_base(0, 0) == pytest.approx((10, 5))
    assert second.to_base(100, 0) == pytest.approx((10, 105))
    second.scale(2, (10, 5))
    assert second.to_base(100, 0) == pytest.approx((10, 205))
    assert second.to_second(10, 205) == pytest.approx((100, 0))
    assert second.style_version == 3


def test_three_points_are_laid_on_three_others(second: RegisteredSource) -> None:
    points, targets = [(0, 0), (400, 0), (0, 300)], [(50, 40), (430, 80), (20, 330)]
    second.align(points, targets)
    for point, target in zip(points, targets, strict=True):
        assert second.to_base(*point) == pytest.approx(target)
    with pytest.raises(UsageError, match="one line"):
        second.align(points, [(0, 0), (1, 1), (2, 2)])


def test_a_moved_slide_keeps_its_pixels(second: RegisteredSource) -> None:
    second.nudge(30, 20)
    tile = second.read_tile(TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    np.testing.assert_array_equal(tile[20:320, 30:430, :3], he_image(400, 300))
    assert (tile[20:320, 30:430, 3] == 255).all()
    assert tile[..., 3].sum() == 255 * 400 * 300


def test_a_quarter_turn_keeps_them_too(second: RegisteredSource) -> None:
    second.turn(90, (200, 200))
    tile = second.read_tile(TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    np.testing.assert_array_equal(
        tile[0:400, 100:400, :3], np.rot90(he_image(400, 300), -1, axes=(0, 1))
    )
