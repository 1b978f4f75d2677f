from __future__ import annotations

import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.affine import Affine
from pathoview.core.pyramid import TileKey
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource

LEVEL_0 = 4


@pytest.fixture
def second() -> RegisteredSource:
    inner = SlideSource(ArraySlide(he_image(400, 300)))
    return RegisteredSource(inner, Affine(), 600, 600)


def test_a_moved_slide_keeps_its_pixels(second: RegisteredSource) -> None:
    second.placement = Affine.moved(30, 20)
    tile = second.read_tile(TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    np.testing.assert_array_equal(tile[20:320, 30:430, :3], he_image(400, 300))
    assert (tile[20:320, 30:430, 3] == 255).all()
    assert tile[..., 3].sum() == 255 * 400 * 300


def test_a_quarter_turn_keeps_them_too(second: RegisteredSource) -> None:
    about = Affine.moved(-200, -200).then(Affine.turned(90)).then(Affine.moved(200, 200))
    second.placement = about
    tile = second.read_tile(TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    np.testing.assert_array_equal(
        tile[0:400, 100:400, :3], np.rot90(he_image(400, 300), -1, axes=(0, 1))
    )
