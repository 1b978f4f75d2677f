from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_makers import any_shapes, areas, wavy_ring
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.shapes import (
    convex_hull,
    exclusive,
    expand,
    fill_holes,
    intersect,
    merge,
    simplify,
    smooth,
    split_by_line,
    split_parts,
    subtract,
    tidy,
)

SQUARE = shapely.box(0, 0, 100, 100)
RING = SQUARE.difference(shapely.box(40, 40, 60, 60))
EVERY_SINGLE: list[Callable[[BaseGeometry], BaseGeometry | None]] = [
    tidy,
    fill_holes,
    lambda shape: simplify(shape, 3),
    lambda shape: smooth(shape, 4),
    lambda shape: expand(shape, 5, (0.25, 0.5)),
    lambda shape: expand(shape, -5, (0.25, 0.5)),
    convex_hull,
]
EVERY_PAIR = [subtract, intersect, exclusive, lambda one, other: merge([one, other])]


def check(shape: BaseGeometry | None) -> None:
    if shape is None:
        return
    assert shapely.is_valid(shape)
    assert not shape.is_empty
    assert shape.geom_type != "GeometryCollection"
    points = shapely.get_coordinates(shape)
    assert np.array_equal(points, np.round(points, 2))
    if shapely.get_dimensions(shape) == 2:
        parts = shapely.get_parts(shape)
        rings, owner = shapely.get_rings(parts, return_index=True)
        holes = shapely.polygons(rings[np.diff(owner, prepend=-1) == 0])
        for pieces in (parts, holes):
            assert (shapely.area(pieces) >= 1).all()
            assert (2 * shapely.area(pieces) >= 0.5 * shapely.length(pieces)).all()


def area(shape: BaseGeometry | None) -> float:
    return 0.0 if shape is None else float(shape.area)


def rounding(*shapes: BaseGeometry | None) -> float:
    """How much area the grid of 0.01 px and the rule about slivers can take or give."""
    there = [shape for shape in shapes if shape is not None]
    length = sum(shape.length for shape in there)
    return 0.27 * length + sum(shapely.get_num_coordinates(shape) for shape in there)


@given(any_shapes())
@settings(deadline=None, max_examples=60)
def test_every_operation_gives_a_tidy_shape_or_none(shape: BaseGeometry) -> None:
    for operation in EVERY_SINGLE:
        check(operation(shape))
    for part in split_parts(shape):
        check(part)


@given(any_shapes(), any_shapes())
@settings(deadline=None, max_examples=60)
def test_every_operation_on_two_gives_a_tidy_shape_or_none(
    one: BaseGeometry, other: BaseGeometry
) -> None:
    for operation in EVERY_PAIR:
        result = operation(one, other)
        check(result)
        if result is not None:
            assert shapely.get_dimensions(result) == shapely.get_dimensions(one)


@given(any_shapes())
@settings(deadline=None, max_examples=60)
def test_tidying_twice_changes_nothing(shape: BaseGeometry) -> None:
    once = tidy(shape)
    if once is not None:
        again = tidy(once)
        assert again is not None
        assert shapely.equals_exact(again, once)


@given(areas(), areas())
@settings(deadline=None, max_examples=60)
def test_areas_add_up(one: BaseGeometry, other: BaseGeometry) -> None:
    a, b = tidy(one), tidy(other)
    if a is None or b is None:
        return
    both, either = intersect(a, b), merge([a, b])
    only_a, only_b, not_both = subtract(a, b), subtract(b, a), exclusive(a, b)
    slack = rounding(a, b, both, only_a, only_b)
    assert area(only_a) + area(both) == pytest.approx(a.area, abs=slack)
    assert area(only_a) + area(both) + area(only_b) == pytest.approx(area(either), abs=slack)
    assert area(only_a) + area(only_b) == pytest.approx(area(not_both), abs=slack)


def test_both_halves_of_a_bowtie_are_kept() -> None:
    bowtie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    kept = tidy(bowtie)
    assert kept is not None
    assert kept.area == 50
    assert len(split_parts(kept)) == 2


def test_what_a_stroke_goes_around_twice_is_inside() -> None:
    twice = [(100 * math.cos(turn), 100 * math.sin(turn)) for turn in np.linspace(0, 12.4, 200)]
    kept = tidy(shapely.Polygon(twice))
    assert kept is not None
    assert kept.area == pytest.approx(math.pi * 1e4, rel=0.01)


@pytest.mark.parametrize(
    "nothing",
    [
        shapely.Polygon(),
        shapely.Polygon([(0, 0), (10, 0), (5, 0)]),
        shapely.box(0, 0, 0.9, 1),
        shapely.box(0, 0, 1_000, 0.25),
        shapely.LineString([(3, 3), (3.5, 3)]),
        shapely.GeometryCollection(),
        shapely.Point(),
    ],
    ids=lambda shape: shape.geom_type,
)
def test_nothing_is_left_of_what_is_empty_or_a_sliver(nothing: BaseGeometry) -> None:
    for operation in EVERY_SINGLE[:4]:
        assert operation(nothing) is None
    assert merge([nothing]) is None
    assert (
        split_parts(nothing) == split_by_line(nothing, shapely.LineString([(0, 0), (9, 9)])) == []
    )


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_nothing_is_left_of_what_is_no_number(number: float) -> None:
    with np.errstate(invalid="ignore"):
        broken = shapely.Polygon([(0, 0), (number, 0), (5, 5)])
    for operation in EVERY_SINGLE:
        assert operation(broken) is None
    assert subtract(broken, SQUARE) is None
    assert area(merge([SQUARE, broken])) == 10_000


def test_a_pixel_is_no_sliver() -> None:
    assert tidy(shapely.box(7, 7, 8, 8)) is not None


def test_sliver_holes_are_filled_and_sliver_parts_dropped() -> None:
    holed = SQUARE.difference(shapely.box(10, 10, 90, 10.2)).difference(shapely.box(50, 50, 60, 60))
    shape = shapely.MultiPolygon([holed, shapely.box(200, 0, 200.3, 90)])
    assert area(tidy(shape)) == 10_000 - 100


def test_an_island_in_a_sliver_hole_goes_with_the_hole() -> None:
    comb = shapely.union_all(
        [shapely.box(40, 40, 42, 42), shapely.box(2, 41, 98, 41.1), shapely.box(41, 2, 41.1, 98)]
    )
    holed = SQUARE.difference(comb)
    island = shapely.box(40.4, 40.4, 41.6, 41.6)
    kept = tidy(shapely.MultiPolygon([holed, island]))
    assert kept is not None
    assert (kept.geom_type, kept.area) == ("Polygon", 10_000)


def test_a_collection_keeps_what_has_the_dimension_asked_for() -> None:
    line, point = shapely.LineString([(0, 0), (50, 50)]), shapely.Point(1, 1)
    mixed = shapely.GeometryCollection([point, shapely.GeometryCollection([line, SQUARE])])
    for like in (point, line, SQUARE):
        kept = tidy(mixed, like)
        assert kept is not None
        assert kept.equals(like)


def test_shapes_that_only_touch_have_nothing_in_common() -> None:
    assert intersect(SQUARE, shapely.box(100, 0, 200, 100)) is None


def test_a_line_and_points_are_cut_by_an_area() -> None:
    line = shapely.LineString([(-50, 50), (150, 50)])
    points = shapely.MultiPoint([(50, 10), (150, 50), (50, 50)])
    inner, outer = intersect(line, SQUARE), subtract(line, SQUARE)
    assert inner is not None
    assert outer is not None
    assert (inner.length, outer.length) == (100, 100)
    assert subtract(points, SQUARE) == shapely.Point(150, 50)


def test_parts_that_overlap_or_break_when_rounded_become_one_valid_area() -> None:
    bowtie = shapely.Polygon([(300, 0), (310, 10), (310, 0), (300, 10)])
    spike = shapely.Polygon([(500, 0), (600, 0.004), (600, 50), (599, 0.001), (500, 50)])
    kept = tidy(shapely.MultiPolygon([SQUARE, shapely.box(50, 0, 150, 100), bowtie, spike]))
    check(kept)
    assert area(kept) == pytest.approx(15_000 + 50 + 2_475)


def test_points_stay_in_the_order_in_which_they_were_set() -> None:
    points = shapely.MultiPoint([(9, 9), (1, 1), (5, 5), (9, 9.001)])
    assert shapely.get_coordinates(tidy(points)).tolist() == [[9, 9], [1, 1], [5, 5]]


def test_holes_are_filled_up_to_a_size_and_islands_absorbed() -> None:
    island = shapely.box(45, 45, 55, 55)
    shape = shapely.MultiPolygon([RING, island])
    assert area(fill_holes(shape)) == 10_000
    assert area(fill_holes(shape, largest_px2=399)) == RING.area + 100
    assert area(fill_holes(shape, largest_px2=400)) == 10_000


def test_merging_needs_shapes_of_one_kind_and_leaves_out_others() -> None:
    assert merge([]) is None
    both = merge([SQUARE, shapely.Point(500, 500), shapely.box(100, 0, 200, 100)])
    assert both is not None
    assert both.equals(shapely.box(0, 0, 200, 100))


def test_simplifying_keeps_holes_and_stays_within_the_tolerance() -> None:
    wavy = shapely.Polygon(wavy_ring(2_000), [wavy_ring(500, radius=300)])
    fewer = simplify(wavy, 2)
    assert fewer is not None
    assert shapely.get_num_coordinates(fewer) < 1_250
    assert len(fewer.interiors) == 1
    assert shapely.hausdorff_distance(fewer.exterior, wavy.exterior) <= 2.02


def test_smoothing_takes_spurs_and_gaps_and_does_no_more_the_second_time() -> None:
    spur, gap = shapely.box(100, 50, 150, 54), shapely.box(50, 0, 54, 60)
    once = smooth(SQUARE.union(spur).difference(gap), 5)
    assert once is not None
    twice = smooth(once, 5)
    assert twice is not None
    assert once.bounds == pytest.approx((0, 0, 100, 100), abs=3)
    assert once.area == pytest.approx(10_000, rel=0.01)
    assert area(exclusive(once, twice)) < 0.005 * once.area


def test_smoothing_a_line_keeps_its_ends_and_cuts_its_corners() -> None:
    smoothed = smooth(shapely.LineString([(0, 0), (100, 0), (100, 100)]), 5)
    assert smoothed is not None
    points = shapely.get_coordinates(smoothed)
    assert (points[[0, -1]] == [(0, 0), (100, 100)]).all()
    assert smoothed.length < 200
    turns = [math.atan2(b, a) for a, b in np.diff(points, axis=0)]
    assert max(abs(two - one) for one, two in pairwise(turns)) < math.pi / 4


def test_expanding_counts_in_um_where_pixels_are_not_square() -> None:
    grown = expand(shapely.Point(0, 0), 10, (0.5, 0.25))
    assert grown is not None
    assert grown.bounds == pytest.approx((-20, -40, 20, 40), abs=0.01)


def test_shrinking_undoes_expanding_of_a_convex_shape_but_for_nothing() -> None:
    there = expand(SQUARE, 5, (0.5, 0.5))
    assert there is not None
    back = expand(there, -5, (0.5, 0.5))
    assert area(back) == pytest.approx(10_000, rel=1e-3)
    assert expand(SQUARE, -26, (0.5, 0.5)) is None


def test_the_hull_of_what_lies_on_one_line_is_none() -> None:
    assert convex_hull(shapely.LineString([(0, 0), (5, 5)])) is None
    assert area(convex_hull(shapely.MultiPoint([(0, 0), (10, 0), (0, 10)]))) == 50


def test_a_line_across_cuts_an_area_with_a_hole_in_two() -> None:
    pieces = split_by_line(RING, shapely.LineString([(-10, 50), (110, 50)]))
    assert [piece.area for piece in pieces] == [RING.area / 2] * 2


def test_a_line_that_goes_forth_and_back_cuts_several_pieces() -> None:
    zigzag = shapely.LineString([(-10, 20), (110, 20), (110, 70), (-10, 70)])
    assert sorted(piece.area for piece in split_by_line(SQUARE, zigzag)) == [2000, 3000, 5000]


@pytest.mark.parametrize(
    "line", [[(10, 10), (90, 10)], [(-10, 50), (50, 50)], [(200, 0), (200, 9)]]
)
def test_a_line_that_does_not_go_across_cuts_nothing(line: list[tuple[float, float]]) -> None:
    pieces = split_by_line(SQUARE, shapely.LineString(line))
    assert [shapely.equals_exact(piece, SQUARE) for piece in pieces] == [True]


def test_a_line_is_cut_by_a_line() -> None:
    pieces = split_by_line(
        shapely.LineString([(0, 0), (10, 0)]), shapely.LineString([(4, -5), (4, 5)])
    )
    assert sorted(piece.length for piece in pieces) == [4, 6]


@given(areas(), st.lists(st.tuples(*[st.integers(-50, 550)] * 2), min_size=2, max_size=8))
@settings(deadline=None, max_examples=60)
def test_the_pieces_of_a_cut_make_up_the_shape(
    shape: BaseGeometry, points: list[tuple[int, int]]
) -> None:
    whole = tidy(shape)
    left, top = (0, 0) if whole is None else whole.bounds[:2]
    line = shapely.LineString([(x + left, y + top) for x, y in points])
    pieces = split_by_line(shape, line)
    for piece in pieces:
        check(piece)
    slack = rounding(whole, *pieces)
    assert sum(map(area, pieces)) == pytest.approx(area(whole), abs=slack)
