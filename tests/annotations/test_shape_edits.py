from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_makers import any_shapes
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.shape_edits import (
    delete_vertex,
    insert_vertex,
    move_vertex,
    nearest_edge,
    nearest_vertex,
    rotate,
    scale,
    translate,
    vertices,
)
from pathoview.annotations.shapes import tidy

SQUARE = shapely.box(0, 0, 100, 100, ccw=False)  # (0, 0), (0, 100), (100, 100), (100, 0)
RING = shapely.Polygon(SQUARE.exterior, [shapely.box(40, 40, 60, 60).exterior])
LINE = shapely.LineString([(0, 0), (10, 0), (10, 10)])


def corners(shape: BaseGeometry | None) -> list[list[float]]:
    assert shape is not None
    assert shape.is_valid
    return vertices(shape).tolist()


@given(any_shapes(), st.integers(-20_000_000, 20_000_000), st.integers(-10_000, 10_000))
@settings(deadline=None, max_examples=60)
def test_moving_there_and_back_is_the_identity(shape: BaseGeometry, dx: int, dy: int) -> None:
    tidied = tidy(shape)
    if tidied is None:
        return
    there = translate(tidied, dx / 100 + 0.003, dy / 100)
    assert there is not None
    back = translate(there, -dx / 100 - 0.003, -dy / 100)
    assert back is not None
    assert shapely.equals_exact(back, tidied)


def test_what_is_just_large_enough_is_so_wherever_it_lies() -> None:
    for shape in (
        shapely.LineString([(0, 0), (0, 1)]),
        shapely.box(0, 0, 1, 1),
        shapely.Polygon(shapely.box(0, 0, 9, 9).exterior, [shapely.box(4, 4, 5, 5).exterior]),
    ):
        for dy in range(0, 20_000_000, 199_999):
            moved = translate(shape, 0.01, dy / 100)
            assert moved is not None
            assert len(vertices(moved)) == len(vertices(shape))


@given(any_shapes(), st.floats(-3, 3), st.floats(-3, 3), st.floats(-400, 400))
@settings(deadline=None, max_examples=60)
def test_scaled_and_turned_shapes_are_valid(
    shape: BaseGeometry, factor_x: float, factor_y: float, degrees: float
) -> None:
    for changed in (
        scale(shape, factor_x, factor_y, (10, 10)),
        rotate(shape, degrees, (10, 10)),
    ):
        assert changed is None or (changed.is_valid and not changed.is_empty)


def test_turning_is_clockwise_on_the_screen() -> None:
    assert corners(rotate(shapely.Point(10, 0), 90, (0, 0))) == [[0, 10]]
    turned = rotate(RING, 90, (50, 50))
    assert turned is not None
    assert turned.equals(RING)


def test_scaling_leaves_the_place_it_is_about_and_nothing_of_a_factor_of_zero() -> None:
    assert corners(scale(LINE, 2, -3, (10, 0))) == [[-10, 0], [10, 0], [10, -30]]
    assert scale(SQUARE, 0, 1, (0, 0)) is None


def test_vertices_are_numbered_without_closing_points() -> None:
    assert len(vertices(RING)) == 8
    assert vertices(SQUARE).tolist() == [[0, 0], [0, 100], [100, 100], [100, 0]]
    assert vertices(shapely.Point(3, 4)).tolist() == [[3, 4]]
    assert len(vertices(shapely.MultiPolygon([RING, shapely.box(200, 0, 300, 9)]))) == 12


def test_the_nearest_vertex_and_edge_are_found() -> None:
    assert nearest_vertex(RING, 97, 104) == (2, 5)
    assert nearest_edge(SQUARE, 50, 103) == (1, 3)
    assert nearest_edge(SQUARE, 50, -3) == (3, 3)  # the edge that closes the ring
    assert nearest_edge(RING, 50, 42)[1] == 2  # type: ignore[index]
    assert nearest_edge(RING, 50, 42)[0] >= 4  # type: ignore[index]
    assert nearest_edge(shapely.Point(1, 1), 0, 0) is None


@pytest.mark.parametrize("index", range(4))
def test_each_vertex_of_a_ring_can_be_moved(index: int) -> None:
    x, y = vertices(SQUARE)[index] * 1.5
    moved = corners(move_vertex(SQUARE, index, x, y))
    assert moved[index] == [x, y]
    assert np.count_nonzero(np.array(moved) != vertices(SQUARE)) == np.count_nonzero([x, y])


def test_a_vertex_of_a_hole_or_a_line_or_a_point_can_be_moved() -> None:
    assert move_vertex(RING, 5, 45, 45) is not None
    assert corners(move_vertex(LINE, 2, 20.126, 5)) == [[0, 0], [10, 0], [20.13, 5]]
    assert corners(move_vertex(shapely.Point(1, 1), 0, 7, 8)) == [[7, 8]]
    points = shapely.MultiPoint([(5, 5), (1, 1)])
    assert corners(move_vertex(points, 0, 0, 0)) == [[0, 0], [1, 1]]


def test_moving_a_vertex_across_another_edge_is_refused() -> None:
    assert move_vertex(SQUARE, 0, 150, 50) is None
    assert move_vertex(RING, 0, 50, 50) is None  # into the hole
    assert move_vertex(SQUARE, 0, np.nan, 0) is None


def test_a_vertex_is_inserted_after_the_one_given() -> None:
    assert corners(insert_vertex(SQUARE, 3, 50, -10))[4] == [50, -10]
    assert corners(insert_vertex(SQUARE, 0, -10, 50))[:2] == [[0, 0], [-10, 50]]
    assert corners(insert_vertex(LINE, 1, 12, 5)) == [[0, 0], [10, 0], [12, 5], [10, 10]]
    inner = insert_vertex(RING, 7, 50, 39)
    assert inner is not None
    assert len(inner.interiors[0].coords) == 6
    assert insert_vertex(shapely.Point(1, 1), 0, 2, 2) is None


@pytest.mark.parametrize("index", range(4))
def test_deleting_and_inserting_a_vertex_is_the_identity(index: int) -> None:
    fewer = delete_vertex(SQUARE, index)
    assert len(corners(fewer)) == 3
    assert fewer is not None
    again = insert_vertex(fewer, (index - 1) % 3, *vertices(SQUARE)[index])
    assert again is not None
    assert again.equals(SQUARE)


def test_deleting_what_a_shape_needs_is_refused() -> None:
    assert delete_vertex(shapely.Polygon([(0, 0), (50, 0), (0, 50)]), 1) is None
    assert delete_vertex(shapely.LineString([(0, 0), (5, 5)]), 0) is None
    assert delete_vertex(shapely.Point(0, 0), 0) is None
    assert corners(delete_vertex(shapely.MultiPoint([(1, 1), (2, 2)]), 0)) == [[2, 2]]


@given(any_shapes(), st.integers(0, 1_000), st.floats(-50, 550), st.floats(-50, 550))
@settings(deadline=None, max_examples=60)
def test_edits_of_any_vertex_are_refused_or_change_just_that_vertex(
    shape: BaseGeometry, place: int, x: float, y: float
) -> None:
    tidied = tidy(shape)
    if tidied is None:
        return
    before = vertices(tidied)
    index = place % len(before)
    for edited, n_more in (
        (move_vertex(tidied, index, x, y), 0),
        (insert_vertex(tidied, index, x, y), 1),
        (delete_vertex(tidied, index), -1),
    ):
        if edited is None:
            continue
        assert edited.is_valid
        assert len(vertices(edited)) == len(before) + n_more
