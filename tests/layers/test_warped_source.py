from __future__ import annotations

import numpy as np
import pytest
from fakes import ArraySlide
from painted import PlainSource

from pathoview.core.affine import Affine
from pathoview.core.errors import UsageError
from pathoview.core.pyramid import TileKey
from pathoview.layers.raster import ArrayRaster
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.slide_style import SlideStyle
from pathoview.layers.source import Unfinished
from pathoview.layers.synthetic_source import PictureSource
from pathoview.layers.warped_source import WarpedSource

LEVEL_0 = 4
MAPS = [
    Affine.moved(37, 21),
    Affine.scaled(1.7).then(Affine.moved(-20.3, 40.6)),
    Affine.scaled(0.45).then(Affine.turned(33)).then(Affine.moved(300, 90)),
    Affine(0.8, 0.3, 60, -0.1, -1.1, 700),
]


def smooth_picture(width: int = 900, height: int = 800) -> np.ndarray:
    """Return colours that tell x and y: red rises to the right, green downwards."""
    rows, columns = np.indices((height, width))
    red, green = (columns + 0.5) * 250 / width, (rows + 0.5) * 250 / height
    return np.rint(np.dstack([red, green, 0 * rows])).astype(np.uint8)


def warped(placement: Affine, width: int = 900, height: int = 800) -> WarpedSource:
    inner = PictureSource(ArrayRaster(smooth_picture(width, height)))
    return WarpedSource(inner, placement, 1400, 1200)


def tile_of(source: WarpedSource, level: int = LEVEL_0, column: int = 0) -> np.ndarray:
    tile = source.read_tile(TileKey(level, column, 0))
    assert isinstance(tile, np.ndarray)
    return tile


@pytest.mark.parametrize("placement", MAPS)
@pytest.mark.parametrize("level", [LEVEL_0 - 1, LEVEL_0, LEVEL_0 + 1])
def test_a_tile_shows_what_lies_under_it(placement: Affine, level: int) -> None:
    placement = placement.then(Affine.moved(*(100 - x for x in placement.point(125, 125))))
    source = warped(placement, 250, 250)  # a pixel is a step of colour
    tile = tile_of(source, level)
    downsample = source.pyramid.levels[level].downsample
    rows, columns = np.nonzero(tile[..., 3] == 255)
    points = np.column_stack([columns, rows]) + 0.5
    inner = placement.inverse().points(points * downsample)
    assert len(inner) > 2_000
    for axis in (0, 1):
        off = tile[rows, columns, axis] - inner[:, axis]
        is_averaged = downsample / placement.scale >= 1.5  # and rounded up, each time
        assert abs(off.mean()) < (0.6 if is_averaged else 0.1)
        assert np.percentile(np.abs(off), 99) < 1.5


def test_it_is_transparent_outside_and_covers_all_of_the_inside() -> None:
    placement = MAPS[2]
    source = warped(placement)
    tile = tile_of(source)
    rows, columns = np.indices(tile.shape[:2])
    points = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5
    x, y = placement.inverse().points(points).T
    away = np.max([-x, x - 900, -y, y - 800], axis=0).reshape(tile.shape[:2]) * placement.scale
    assert (tile[away < -1.5, 3] == 255).all()
    assert not tile[away > 1.5].any()


def test_neighbouring_tiles_fit_without_a_seam() -> None:
    source = warped(MAPS[2])
    left, right = tile_of(source, LEVEL_0 - 1), tile_of(source, LEVEL_0 - 1, 1)
    both = (left[:, -1, 3] == 255) & (right[:, 0, 3] == 255)
    assert both.sum() > 100
    step = np.abs(left[:, -1].astype(int) - right[:, 0])[both]
    assert step.max() <= 2


def test_from_afar_fine_detail_becomes_its_mean() -> None:
    stripes = np.zeros((1000, 1000, 3), np.uint8)
    stripes[:, ::2] = 200
    slide = ArraySlide(stripes)
    source = WarpedSource(SlideSource(slide), Affine.scaled(0.55), 1400, 1200)
    tile = tile_of(source)
    inside = tile[50:500, 50:500, 0]
    assert abs(float(inside.mean()) - 100) < 4
    assert inside.std() < 15


def test_another_place_is_told_and_shown() -> None:
    source = warped(Affine())
    told: list[object] = []
    source.changed.connect(told.append)
    before = tile_of(source)
    source.placement = Affine.moved(100, 0)
    source.placement = Affine.moved(100, 0)
    assert (source.style_version, told) == (1, [None])
    assert not tile_of(source)[:, :99].any()
    np.testing.assert_array_equal(tile_of(source)[:, 100:], before[:, :-100])
    with pytest.raises(UsageError, match="nothing"):
        source.placement = Affine.scaled(0)


def test_a_change_of_the_picture_is_passed_on_and_painted_anew() -> None:
    inner = SlideSource(ArraySlide(smooth_picture()))
    source = WarpedSource(inner, Affine(), 1400, 1200)
    told: list[object] = []
    source.changed.connect(told.append)
    tile_of(source)
    inner.style = SlideStyle(brightness=1)
    assert told == [None]
    assert source.style_version == 1
    assert (tile_of(source)[:512, :512, :3] == 255).all()


def test_tiles_of_the_picture_are_read_once() -> None:
    inner = PlainSource(512, 512, 128)
    source = WarpedSource(inner, Affine.turned(10), 600, 600)
    for _time in range(2):
        source.read_tile(TileKey(LEVEL_0, 0, 0))
    assert len(inner.read) == len(set(inner.read)) == 16


def test_beside_the_picture_there_is_nothing() -> None:
    source = WarpedSource(PlainSource(512, 512), Affine.moved(600, 0), 1400, 600)
    assert source.read_tile(TileKey(LEVEL_0, 0, 0)) is None


def test_a_picture_that_is_not_whole_yet_makes_unfinished_tiles() -> None:
    class Slow(PictureSource):
        def read_tile(self, key: TileKey) -> Unfinished:
            pixels = super().read_tile(key)
            assert isinstance(pixels, np.ndarray)
            return Unfinished(pixels)

    raster = ArrayRaster(np.full((100, 100, 3), 9, np.uint8))
    source = WarpedSource(Slow(raster), Affine(), 200, 200)
    assert isinstance(source.read_tile(TileKey(LEVEL_0, 0, 0)), Unfinished)
