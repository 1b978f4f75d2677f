from __future__ import annotations

import numpy as np
import pytest
import shapely
from drawing_scenes import at_l0, disk_patch, flat_patch
from makers import he_image

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Level
from pathoview.session.drawing.patch import Patch
from pathoview.session.drawing.superpixels import PATCH_PX, Superpixels, tiles_for


def test_they_cover_the_patch_without_overlap() -> None:
    patch = Patch(he_image(45, 35, 2), (40.0, 8.0), 3.0)
    superpixels = Superpixels(patch, size_l0=21)
    shapes = {
        shape.wkb: shape
        for y in range(35)
        for x in range(45)
        if (shape := superpixels.at(*at_l0(patch, x + 0.5, y + 0.5))) is not None
    }
    whole = shapely.box(40, 8, 40 + 135, 8 + 105)
    assert 10 < len(shapes) < 60
    assert sum(shape.area for shape in shapes.values()) == pytest.approx(whole.area)
    assert shapely.union_all(list(shapes.values())).equals(whole)


def test_their_borders_follow_the_picture() -> None:
    patch = disk_patch(30)
    superpixels = Superpixels(patch, size_l0=24)
    disk = shapely.Point(at_l0(patch, 100.5, 90.5)).buffer(60)
    around = [complex(100.5, 90.5) + 30 * np.exp(1j * angle) for angle in np.linspace(0, 6, 30)]
    shapes = [superpixels.at(*at_l0(patch, place.real, place.imag)) for place in around]
    shares = np.array([(shape & disk).area / shape.area for shape in shapes if shape is not None])
    assert len(shares) == len(around)
    assert np.maximum(shares, 1 - shares).mean() > 0.87  # squares: 0.80


def test_a_stroke_takes_all_that_it_touches() -> None:
    patch = flat_patch(100, 100)
    superpixels = Superpixels(patch, size_l0=40)
    stroke = [at_l0(patch, 10.5, 10.5), at_l0(patch, 70.5, 10.5)]
    shape = superpixels.touched(stroke)
    wide = superpixels.touched(stroke, width_l0=80)
    assert isinstance(shape, shapely.Polygon)
    assert shape.equals(
        shapely.union_all(
            [superpixels.at(*at_l0(patch, x + 0.5, 10.5)) for x in range(10, 71)],
        )
    )
    assert wide is not None
    assert wide.area > shape.area


def test_a_click_is_a_stroke() -> None:
    patch = flat_patch(60, 60)
    superpixels = Superpixels(patch, size_l0=40)
    place = at_l0(patch, 31.5, 22.5)
    shape, same = superpixels.touched([place]), superpixels.at(*place)
    assert shape is not None
    assert shape.equals(same)


def test_beside_the_patch_there_is_nothing() -> None:
    superpixels = Superpixels(flat_patch(), size_l0=20)
    assert superpixels.at(0, 0) is None
    assert superpixels.touched([(0, 0), (10, 10)]) is None


@pytest.mark.parametrize("value", [0, 128, 255])
def test_one_pixel_is_a_superpixel(value: int) -> None:
    shape = Superpixels(flat_patch(1, 1, value), size_l0=40).at(1001, 501)
    assert shape is not None
    assert shape.equals(shapely.box(1000, 500, 1002, 502))


def test_noise_on_glass_does_not_break_them_up() -> None:
    rgb = np.random.default_rng(0).integers(238, 244, (100, 100, 3)).astype(np.uint8)
    shape = Superpixels(Patch(rgb, (0, 0), 1.0), size_l0=20).at(50, 50)
    assert isinstance(shape, shapely.Polygon)
    assert shape.length < 1.3 * 4 * 20


def test_the_same_tile_gives_the_same_superpixels() -> None:
    rgb = he_image(128, 128, 5)
    one, other = (Superpixels(Patch(rgb.copy(), (0, 0), 1.0), size_l0=16) for _turn in range(2))
    assert all(one.at(x, 64.5).equals(other.at(x, 64.5)) for x in range(1, 128, 9))


def test_the_tiles_of_a_view_lie_on_the_slides_grid() -> None:
    levels = (Level(4000, 3000, 1.0), Level(1000, 750, 4.0), Level(250, 188, 16.0))
    coarse = tiles_for(levels, Rect(0, 0, 4000, 3000), size_l0=100)
    assert {(tile.key.level, tile.factor) for tile in coarse} == {(1, 1)}
    assert len(coarse) == 6
    near, far = (tiles_for(levels, Rect(x, 600, 60, 60), size_l0=20) for x in (400, 600))
    assert near == far == tiles_for(levels, Rect(500, 500, 1, 1), size_l0=20)


def test_a_slide_without_a_fitting_level_is_shrunk() -> None:
    (tile,) = tiles_for((Level(4000, 3000, 1.0),), Rect(1000, 1000, 1, 1), size_l0=79)
    assert tile.factor == 3
    assert tile.size_px == 3 * PATCH_PX
    assert tile.key[:3] == (0, 0, 0)
