from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pathoview.core.errors import InputError, UsageError
from pathoview.core.pyramid import Level
from pathoview.layers.placement import guessed_placement, placement_by_mpp, stated_placement
from pathoview.layers.raster import ArrayRaster


@dataclass
class Facts:
    levels: tuple[Level, ...]
    mpp: tuple[float, float] | None = None


BASE = Facts((Level(40_000, 20_000, 1),), (0.25, 0.25))


def raster(width: int, height: int, mpp: float | None = None) -> ArrayRaster:
    return ArrayRaster(np.zeros((height, width)), mpp=(mpp, mpp) if mpp else None)


def test_a_stated_scale_and_offset() -> None:
    placement = stated_placement((2, 3), (10, 20))
    assert placement.point(1, 1) == (12, 23)
    assert stated_placement(4).point(1, 1) == (4, 4)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_an_impossible_scale_is_refused(scale: float) -> None:
    with pytest.raises(UsageError, match="cannot be drawn"):
        stated_placement(scale)


def test_a_raster_of_the_slides_shape_covers_the_slide() -> None:
    placement = guessed_placement(raster(401, 200), BASE)
    assert placement.point(401, 200) == pytest.approx((40_000, 20_000))


def test_a_raster_with_a_scale_of_its_own_starts_at_the_corner() -> None:
    placement = guessed_placement(raster(300, 300, 2.0), BASE)
    assert placement.point(1, 1) == (8, 8)
    assert guessed_placement(raster(400, 200, 25.0), BASE).point(1, 1) == (100, 100)


def test_another_shape_without_a_scale_asks_for_one() -> None:
    with pytest.raises(InputError, match="not known") as error:
        guessed_placement(raster(300, 200), BASE)
    assert "level-0 px" in error.value.hint
    with pytest.raises(InputError, match="not known"):
        guessed_placement(raster(405, 200), BASE)


def test_a_shape_and_a_scale_that_contradict_ask_too() -> None:
    with pytest.raises(InputError, match=r"100 level-0 px per pixel.*say 8"):
        guessed_placement(raster(400, 200, 2.0), BASE)


def test_two_slides_without_scales_lie_pixel_on_pixel() -> None:
    assert placement_by_mpp(Facts(BASE.levels), BASE).scale == 1
    assert placement_by_mpp(Facts(BASE.levels, (0.5, 0.5)), BASE).scale == 2
