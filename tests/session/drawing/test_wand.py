from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import shapely
from drawing_scenes import at_l0, disk_patch, flat_patch, stained_patch
from makers import he_image

from pathoview.session.drawing.patch import Patch
from pathoview.session.drawing.wand import Space, Wand
from pathoview.slides.stains import H_DAB

SPACES = get_args(Space)


def iou(a: shapely.Polygon, b: shapely.Polygon) -> float:
    return float((a & b).area / (a | b).area)


@pytest.mark.parametrize("space", ["lab", "first stain", "grey"])
def test_it_takes_what_is_alike_and_hangs_together(space: Space) -> None:
    patch = disk_patch(30)
    shape = Wand(patch, space=space).grow(*at_l0(patch, 105, 95), radius_px=80)
    truth = shapely.Point(at_l0(patch, 100.5, 90.5)).buffer(60)
    assert shape is not None
    assert iou(shape, truth) > 0.93


@pytest.mark.parametrize("space", SPACES)
def test_a_flat_place_gives_the_whole_circle(space: Space) -> None:
    patch = flat_patch(100, 100)
    shape = Wand(patch, space=space).grow(*at_l0(patch, 50.5, 50.5), radius_px=20)
    assert shape is not None
    assert iou(shape, shapely.Point(at_l0(patch, 50.5, 50.5)).buffer(40)) > 0.95
    assert shape.bounds == (*at_l0(patch, 30, 30), *at_l0(patch, 71, 71))


@pytest.mark.parametrize("space", SPACES)
def test_a_difference_that_nobody_sees_is_none(space: Space) -> None:
    rgb = np.full((60, 60, 3), 200, np.uint8)
    rgb[:, 30:] = 201
    patch = Patch(rgb, (0, 0), 1.0)
    shape = Wand(patch, space=space).grow(20, 30, radius_px=100, sensitivity=5)
    assert shape is not None
    assert shape.area == 3600


def test_whatever_the_picture_a_region_is_one_valid_polygon() -> None:
    rng = np.random.default_rng(0)
    for _turn in range(30):
        rgb = np.repeat(rng.choice([60, 220], (40, 40, 1), p=[0.2, 0.8]), 3, axis=2)
        wand = Wand(Patch(rgb.astype(np.uint8), (0, 0), 1.0), smoothing_px=0)
        for has_holes in (False, True):
            shape = wand.grow(20, 20, radius_px=30, has_holes=has_holes)
            assert isinstance(shape, shapely.Polygon)
            assert shape.is_valid
            assert shape.intersects(shapely.Point(20.5, 20.5))


def test_it_never_leaves_its_radius_nor_the_patch() -> None:
    patch = flat_patch(30, 20)
    shape = Wand(patch).grow(*at_l0(patch, 2, 2), radius_px=500)
    assert shape is not None
    assert shape.equals(shapely.box(*at_l0(patch, 0, 0), *at_l0(patch, 30, 20)))


def test_more_sensitivity_gives_less() -> None:
    patch = Patch(he_image(256, 256, 3), (0, 0), 1.0)
    wand = Wand(patch)
    areas = [
        shape.area
        for sensitivity in (0.5, 1, 2, 4, 8)
        if (shape := wand.grow(120, 130, radius_px=60, sensitivity=sensitivity)) is not None
    ]
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > 2 * areas[-1]


def test_holes_are_filled_unless_wanted() -> None:
    patch = disk_patch(12)
    wand = Wand(patch)
    place = at_l0(patch, 140, 90)
    filled = wand.grow(*place, radius_px=90)
    holed = wand.grow(*place, radius_px=90, has_holes=True)
    assert filled is not None
    assert holed is not None
    center = shapely.Point(at_l0(patch, 100.5, 90.5))
    assert filled.contains(center)
    assert not holed.contains(center)
    assert filled.is_valid
    assert holed.is_valid


def test_a_stain_of_h_dab_can_be_followed() -> None:
    patch = stained_patch(H_DAB, (0.0, 0.8), radius_px=20)
    shape = Wand(patch, space="second stain", stains=H_DAB).grow(
        *at_l0(patch, 64, 64), radius_px=50
    )
    assert shape is not None
    assert iou(shape, shapely.Point(at_l0(patch, 64, 64)).buffer(40)) > 0.85


def test_beside_the_patch_there_is_nothing() -> None:
    assert Wand(flat_patch()).grow(0, 0, radius_px=10) is None


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("value", [0, 255])
def test_one_pixel_is_one_pixel(space: Space, value: int) -> None:
    patch = flat_patch(1, 1, value)
    shape = Wand(patch, space=space).grow(1001, 501, radius_px=0.0)
    assert shape is not None
    assert shape.equals(shapely.box(1000, 500, 1002, 502))
