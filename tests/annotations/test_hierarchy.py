from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.hierarchy import (
    Places,
    counts_inside,
    parents_of_points,
    parents_of_regions,
)
from pathoview.annotations.shapes import intersect

SLIDE = shapely.box(0, 0, 1_000, 1_000)
TUMOR = shapely.box(100, 100, 500, 500)
GLAND = shapely.box(200, 200, 300, 300)
LUMEN = TUMOR.difference(GLAND)


def shapes(*some: BaseGeometry) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([*some, None], object)[:-1]


def test_a_point_belongs_to_the_smallest_region_around_it() -> None:
    regions = shapes(GLAND, SLIDE, TUMOR)
    points = [(250, 250), (150, 150), (900, 900), (2_000, 0), (200, 250)]
    assert parents_of_points(regions, points).tolist() == [0, 2, 1, -1, 0]


def test_a_point_in_a_hole_belongs_to_what_lies_around() -> None:
    assert parents_of_points(shapes(LUMEN, SLIDE), [(250, 250), (150, 150)]).tolist() == [1, 0]


def test_regions_nest_by_cover_and_lines_and_points_are_held() -> None:
    line = shapely.LineString([(210, 210), (290, 290)])
    dot, across = shapely.Point(150, 150), shapely.box(450, 450, 600, 600)
    regions = shapes(line, GLAND, across, SLIDE, dot, TUMOR)
    assert parents_of_regions(regions).tolist() == [1, 5, 3, -1, 5, 3]


def test_equal_regions_make_a_chain_and_no_circle() -> None:
    assert parents_of_regions(shapes(GLAND, GLAND, TUMOR, GLAND)).tolist() == [2, 0, -1, 1]
    assert parents_of_points(shapes(GLAND, GLAND), [(250, 250)]).tolist() == [1]


def test_what_was_cut_along_a_border_lies_inside() -> None:
    parent = shapely.Polygon([(0, 0), (333.37, 71.13), (271.93, 401.01), (-50.77, 211.11)])
    for angle in range(0, 90, 7):
        stroke = shapely.Point(260 - angle, 60 + 3 * angle).buffer(140)
        child = intersect(stroke, parent)
        assert child is not None
        assert parents_of_regions(shapes(parent, child)).tolist() == [-1, 0]


def test_nothing_lies_in_nothing() -> None:
    assert parents_of_regions(shapes()).tolist() == []
    assert parents_of_points(shapes(), [(1, 1)]).tolist() == [-1]
    assert parents_of_points(shapes(TUMOR), np.empty((0, 2))).tolist() == []
    assert parents_of_regions(shapes(shapely.Point(), TUMOR)).tolist() == [-1, -1]
    assert counts_inside(shapes(TUMOR), [], np.empty(0, np.int64), 2).tolist() == [[0, 0]]
    assert counts_inside(shapes(), [(1, 1)], np.array([0]), 2).shape == (0, 2)


def test_objects_are_counted_by_class_in_every_region_that_holds_them() -> None:
    points = [(250, 250), (150, 150), (160, 160), (900, 900), (-5, 0)]
    classes = np.array([1, 0, -1, 1, 1])
    counts = counts_inside(shapes(SLIDE, TUMOR, LUMEN), Places(points), classes, 2)
    assert counts.tolist() == [[1, 2], [1, 1], [1, 0]]


@given(
    st.lists(st.tuples(*[st.integers(0, 60)] * 4), max_size=12),
    st.lists(st.tuples(*[st.integers(0, 60)] * 2), max_size=30),
)
@settings(deadline=None)
def test_parents_are_what_trying_every_pair_finds(
    boxes: list[tuple[int, int, int, int]], points: list[tuple[int, int]]
) -> None:
    regions = shapes(*(shapely.box(x, y, x + w + 1, y + h + 1) for x, y, w, h in boxes))
    smaller_last = sorted(range(len(boxes)), key=lambda row: -regions[row].area)
    expected = [
        next((row for row in reversed(smaller_last) if regions[row].covers(place)), -1)
        for place in map(shapely.Point, points)
    ]
    found = parents_of_points(regions, np.array(points).reshape(-1, 2))
    assert [
        found[row] if found[row] < 0 else regions[found[row]].area for row in range(len(found))
    ] == [row if row < 0 else regions[row].area for row in expected]
    parents = parents_of_regions(regions)
    for row, parent in enumerate(parents.tolist()):
        before = smaller_last[: smaller_last.index(row)]
        around = [other for other in before if regions[other].covers(regions[row])]
        assert parent == (around[-1] if around else -1)


@pytest.mark.parametrize("n", [1, 5_000])
def test_places_find_what_a_plain_test_finds(n: int) -> None:
    points = np.random.default_rng(0).uniform(0, 600, (n, 2))
    inside = np.flatnonzero(shapely.intersects_xy(LUMEN, *points.T))
    assert np.sort(Places(points).inside(LUMEN)).tolist() == inside.tolist()
