from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pathoview.annotations.shape_sources import ellipse, mask_shape, stroke_shape


def walk(n: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return 50_000 + np.cumsum(np.random.default_rng(3).normal(0, 5, (n, 2)), axis=0)


def test_a_click_of_the_brush_is_a_disk() -> None:
    disk = stroke_shape([(100, 100)], 20)
    assert disk is not None
    assert disk.area == pytest.approx(math.pi * 400, rel=0.01)
    assert shapely.get_num_coordinates(disk) == 33


def test_a_stroke_along_a_line_is_a_capsule_of_few_vertices() -> None:
    line = np.stack([np.linspace(0, 1_000, 500), np.linspace(0, 500, 500)], axis=1)
    capsule = stroke_shape(line, 10)
    assert capsule is not None
    length = math.hypot(1_000, 500)
    assert capsule.area == pytest.approx(20 * length + math.pi * 100, rel=0.001)
    assert shapely.get_num_coordinates(capsule) < 50


def test_a_tangled_stroke_covers_what_its_disks_cover() -> None:
    path = walk(600)
    stroke = stroke_shape(path, 12)
    truth = shapely.union_all(
        shapely.buffer(shapely.linestrings(np.stack([path[:-1], path[1:]], 1)), 12, quad_segs=32)
    )
    assert stroke is not None
    assert stroke.is_valid
    assert stroke.symmetric_difference(truth).area < 0.02 * truth.area
    assert shapely.hausdorff_distance(stroke, truth) < 2


def test_a_stroke_drawn_bit_by_bit_is_the_stroke_drawn_at_once() -> None:
    path = walk(300)
    so_far = stroke_shape(path[:1], 15)
    for end in range(1, len(path), 7):
        so_far = stroke_shape(path[end - 1 : end + 7], 15, so_far)
    whole = stroke_shape(path, 15)
    assert so_far is not None
    assert whole is not None
    assert so_far.symmetric_difference(whole).area < 0.02 * whole.area


@pytest.mark.parametrize("radius", [0.1, 0.0])
def test_a_brush_smaller_than_a_pixel_leaves_nothing_at_a_click(radius: float) -> None:
    assert stroke_shape([(5, 5)], radius) is None


def test_points_that_do_not_move_are_a_click() -> None:
    assert stroke_shape([(5, 5)] * 40, 9) == stroke_shape([(5, 5)], 9)


def test_an_ellipse_fills_its_rectangle() -> None:
    shape = ellipse(10, 20, 110, 60)
    assert shape is not None
    assert shape.bounds == (10, 20, 110, 60)
    assert shape.area == pytest.approx(math.pi * 50 * 20, rel=0.002)
    assert ellipse(10, 20, 10, 60) is None


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
@settings(deadline=None, max_examples=60)
def test_the_shape_of_a_mask_has_its_pixels_and_no_others(mask: np.ndarray) -> None:  # type: ignore[type-arg]
    shape = mask_shape(mask, 4, (100, -50))
    if not mask.any():
        assert shape is None
        return
    assert shape is not None
    assert shape.is_valid
    assert shape.area == 16 * mask.sum()
    row, col = np.indices(mask.shape)
    inside = shapely.contains_xy(shape, 100 + 4 * (col + 0.5), -50 + 4 * (row + 0.5))
    assert (inside == mask).all()


def test_a_ring_in_a_mask_has_a_hole_and_an_island() -> None:
    mask = np.zeros((9, 9), bool)
    mask[1:8, 1:8] = True
    mask[2:7, 2:7] = False
    mask[4, 4] = True
    shape = mask_shape(mask)
    assert shape is not None
    assert [len(part.interiors) for part in shape.geoms] in ([1, 0], [0, 1])


def test_the_steps_of_a_slanted_edge_go_with_a_tolerance_of_one_pixel() -> None:
    row, col = np.indices((200, 200))
    mask = (row - 100) ** 2 + (col - 100) ** 2 < 80**2
    steps, fewer = mask_shape(mask, 8), mask_shape(mask, 8, tolerance_px=1)
    assert steps is not None
    assert fewer is not None
    assert shapely.get_num_coordinates(fewer) < shapely.get_num_coordinates(steps) / 5
    assert fewer.area == pytest.approx(steps.area, rel=0.02)


def test_a_stroke_of_long_steps_has_no_gap() -> None:
    corners = np.array([(100 * step, 100 * (step % 2)) for step in range(50)])
    stroke = stroke_shape(corners, 3)
    assert stroke is not None
    assert stroke.buffer(0.1).covers(shapely.linestrings(corners))
