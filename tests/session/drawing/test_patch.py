from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import shapely
from drawing_scenes import flat_patch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pathoview.annotations.shape_sources import mask_outline
from pathoview.session.drawing.patch import Patch

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans())


def test_places_go_to_level_0_and_back() -> None:
    patch = Patch(np.zeros((4, 6, 3), np.uint8), (-10.0, 7.5), 4.00011)
    points = np.array([(0.0, 0.0), (6.0, 4.0), (2.5, -1.0)])
    assert np.allclose(patch.to_patch(patch.to_l0(points)), points)
    assert patch.to_l0((0, 0)).tolist() == [-10.0, 7.5]


def test_a_pixel_holds_its_left_and_top_edge_only() -> None:
    patch = flat_patch(6, 4)
    assert patch.pixel_at(1000, 500) == (0, 0)
    assert patch.pixel_at(1011.9, 507.9) == (5, 3)
    assert patch.pixel_at(1012, 507) is None
    assert patch.pixel_at(999.9, 500) is None
    assert patch.nearest_pixel(2000, 0) == (5, 0)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_square_mask_is_a_square_of_its_pixels_edges(n: int) -> None:
    mask = np.zeros((12, 15), np.bool_)
    mask[3 : 3 + n, 5 : 5 + n] = True
    shape = flat_patch().outline(mask, (10, 20))
    left, top = 1000 + 2 * 15, 500 + 2 * 23
    assert shape is not None
    assert shape.equals(shapely.box(left, top, left + 2 * n, top + 2 * n))
    assert len(shape.exterior.coords) == 5


def test_holes_stay_holes() -> None:
    mask = np.ones((5, 6), np.bool_)
    mask[1:3, 2:4] = False
    shape = mask_outline(mask)
    assert shape is not None
    assert shape.equals(shapely.box(0, 0, 6, 5) - shapely.box(2, 1, 4, 3))


def test_pixels_that_touch_by_a_corner_are_two_valid_parts() -> None:
    shape = mask_outline(np.eye(2, dtype=np.bool_))
    assert isinstance(shape, shapely.MultiPolygon)
    assert shape.is_valid
    assert shape.area == 2


@given(MASKS)
def test_any_mask_is_a_valid_shape_of_its_pixels(mask: npt.NDArray[np.bool_]) -> None:
    shape = mask_outline(mask)
    if shape is None:
        assert not mask.any()
        return
    n_labels, _labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    assert shape.is_valid
    assert len(shapely.get_parts(shape)) == n_labels - 1
    y, x = np.indices(mask.shape) + 0.5
    assert np.array_equal(shapely.contains_xy(shape, x, y), mask)


def test_an_empty_mask_has_no_shape() -> None:
    assert flat_patch().outline(np.zeros((3, 3), np.bool_)) is None


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((3, 3), np.uint8),
        np.zeros((3, 3, 4), np.uint8),
        np.zeros((3, 3, 3), np.float32),
        np.zeros((0, 3, 3), np.uint8),
    ],
)
def test_anything_but_8_bit_rgb_is_refused(pixels: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="no 8-bit RGB"):
        Patch(pixels, (0, 0), 1.0)


@pytest.mark.parametrize("downsample", [0.0, -1.0, float("nan")])
def test_a_downsample_is_positive(downsample: float) -> None:
    with pytest.raises(ValueError, match="downsample"):
        Patch(np.zeros((1, 1, 3), np.uint8), (0, 0), downsample)
