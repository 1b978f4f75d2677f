from __future__ import annotations

import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.affine import Affine
from pathoview.core.errors import InputError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers.compose import source_picture
from pathoview.layers.raster import ArrayRaster
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.synthetic_source import (
    BADGE_EVERY_PX,
    PictureSource,
    SyntheticSource,
    badge_pixels,
)

LEVEL_0 = 4
WHITE = np.full((1500, 2000, 3), 255, np.uint8)


def synthetic(picture: np.ndarray = WHITE, placement: Affine | None = None) -> SyntheticSource:
    inner = PictureSource(ArrayRaster(picture))
    return SyntheticSource(inner, placement or Affine.scaled(1.5), 3000, 2250)


def n_badges(picture: np.ndarray) -> int:
    """Return how many whole badges there are in a picture."""
    badge = badge_pixels().astype(int)
    height, width = badge.shape[:2]
    corner = (picture[..., :3] == badge[0, 0]).all(axis=2)
    return sum(
        picture[y : y + height, x : x + width].shape[:2] == (height, width)
        and bool((np.abs(picture[y : y + height, x : x + width, :3] - badge) <= 1).all())
        for y, x in zip(*np.nonzero(corner), strict=True)
    )


@pytest.mark.parametrize("level", range(7))
@pytest.mark.parametrize("share", [0, 0.3, 0.9, 1])
def test_every_screenful_shows_a_badge_at_every_zoom(level: int, share: float) -> None:
    source = synthetic()
    lv = source.pyramid.levels[level]
    side = 2 * BADGE_EVERY_PX
    x, y = round((lv.width - side) * share), round((lv.height - side) * share)
    rect_l0 = source.pyramid.to_l0(Rect(x, y, side, side), level)
    picture = source_picture(source, rect_l0, side, side)
    assert n_badges(picture.astype(int)) >= 1


def test_badges_go_on_across_tiles() -> None:
    height, width = badge_pixels().shape[:2]
    corner = Affine.moved(*(500 - 1.5 * BADGE_EVERY_PX + size / 2 for size in (width, height)))
    source = synthetic(placement=corner)
    picture = source_picture(source, Rect(400, 400, 300, 300), 300, 300).astype(int)
    assert (picture[100 : 100 + height, 100 : 100 + width, :3] == badge_pixels()).all()
    assert n_badges(picture) == 1


def test_a_small_picture_has_a_badge_in_its_middle() -> None:
    source = synthetic(WHITE[:100, :160], Affine.moved(700, 450))
    picture = source_picture(source, Rect(700, 450, 160, 100), 160, 100).astype(int)
    assert n_badges(picture) == 1
    assert (picture[0, 0] == 255).all()


def test_badges_lie_inside_the_picture_only() -> None:
    source = synthetic(WHITE[:100, :160], Affine.moved(700, 450))
    tile = source.read_tile(TileKey(LEVEL_0, 1, 0))
    assert isinstance(tile, np.ndarray)
    assert not tile[:449].any()
    assert tile[451:, 189:347, 3].min() == 255
    assert source.read_tile(TileKey(LEVEL_0, 4, 0)) is None


def test_a_picture_smaller_than_a_badge_has_a_part_of_it() -> None:
    source = synthetic(WHITE[:12, :40], Affine.moved(100, 100))
    tile = source.read_tile(TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    outside = tile.copy()
    outside[100:112, 100:140] = 0
    assert not outside.any()
    assert (tile[100:112, 100:140, :3] != 255).any()


def test_beside_the_badges_the_pixels_are_the_pictures() -> None:
    image = he_image(700, 600)
    source = synthetic(image, Affine())
    tile = source.read_tile(TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    same = (tile[..., :3] == image[:512, :512]).all(axis=2)
    assert 0.9 < same.mean() < 0.99


def test_a_slide_can_be_a_synthetic_picture_too() -> None:
    slide = ArraySlide(he_image(700, 600))
    source = SyntheticSource(SlideSource(slide), Affine(), 700, 600)
    tile = source.read_tile(TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    assert n_badges(tile.astype(int)) >= 1
    np.testing.assert_array_equal(slide.read(0, 0, 0, 700, 600), he_image(700, 600))


def test_a_raster_that_is_no_picture_is_refused() -> None:
    with pytest.raises(InputError, match="no picture in colours"):
        PictureSource(ArrayRaster(np.zeros((4, 4))))
