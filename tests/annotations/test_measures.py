from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from outline_tables import random_table
from shape_makers import any_shapes, areas
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.detections import empty_detections
from pathoview.annotations.measures import (
    MEASURES,
    ShapeOutlines,
    TableOutlines,
    measure_names,
    measure_shapes,
    measure_table,
    measured,
)
from pathoview.annotations.shapes import tidy

LINE = shapely.LineString([(0, 0), (30, 40)])
BOX = shapely.box(100, 200, 130, 240)


def one(name: str, shape: BaseGeometry, mpp: tuple[float, float] | None = None) -> float:
    return float(measure_shapes(name, np.array([shape], object), mpp)[0])


def test_names_say_the_unit() -> None:
    with_scale, without = measure_names((0.5, 0.5)), measure_names(None)
    assert {"Area µm²", "Perimeter µm", "Length µm", "Circularity", "Centroid X µm"} <= {
        *with_scale
    }
    assert {"Area px²", "Perimeter px", "Length px", "Solidity", "Centroid Y px"} <= {*without}
    assert len(set(with_scale)) == len(MEASURES)
    with pytest.raises(KeyError):
        measure_shapes("Area px²", np.array([BOX], object), (0.5, 0.5))


def test_a_rectangle_is_measured_in_px_and_in_um() -> None:
    assert one("Area px²", BOX) == 1_200
    assert one("Area µm²", BOX, (0.5, 0.25)) == 150
    assert one("Perimeter µm", BOX, (0.5, 0.25)) == 50
    assert one("Solidity", BOX) == 1
    assert one("Circularity", BOX) == pytest.approx(4 * math.pi * 1_200 / 140**2)
    assert one("Max Feret diameter px", BOX) == 50
    assert one("Min Feret diameter px", BOX) == 30
    assert one("Rectangle angle °", BOX) == 90
    assert one("Vertices", BOX) == 4
    assert (one("Centroid X µm", BOX, (0.5, 0.25)), one("Centroid Y px", BOX)) == (57.5, 220)


def test_a_line_has_a_length_and_a_point_a_place_only() -> None:
    assert one("Length px", LINE) == one("Max Feret diameter px", LINE) == 50
    assert one("Min Feret diameter px", LINE) == pytest.approx(0, abs=1e-9)
    assert one("Length µm", LINE, (1, 0.5)) == pytest.approx(math.hypot(30, 20))
    assert all(math.isnan(one(name, LINE)) for name in ("Area px²", "Perimeter px", "Solidity"))
    points = shapely.MultiPoint([(0, 0), (4, 2)])
    known = [name for name in measure_names(None) if not math.isnan(one(name, points))]
    assert known == ["Vertices", "Centroid X px", "Centroid Y px"]


def test_angles_run_counter_clockwise_on_the_screen() -> None:
    upwards = shapely.LineString([(0, 0), (50, -50)])  # y runs down
    assert one("Max Feret angle °", upwards) == pytest.approx(45)
    tilted = affinity.rotate(shapely.box(0, 0, 100, 10), -30)  # counter-clockwise where y runs down
    assert one("Rectangle angle °", tilted) == pytest.approx(30)


def test_a_circle_is_round_and_a_ring_as_round_as_its_outline() -> None:
    circle = shapely.Point(0, 0).buffer(50, quad_segs=64)
    ring = circle.difference(shapely.Point(0, 0).buffer(30))
    assert one("Circularity", circle) == pytest.approx(1, abs=1e-3)
    assert one("Circularity", ring) == pytest.approx(one("Circularity", circle))
    assert one("Perimeter px", ring) > one("Perimeter px", circle)
    assert one("Solidity", ring) == pytest.approx(1 - 0.36, abs=0.01)


def test_many_of_all_kinds_are_measured_at_once_and_empty_ones_not() -> None:
    shapes = np.array([BOX, shapely.Point(), LINE, shapely.MultiPolygon([BOX]), None], object)
    columns = measured(ShapeOutlines(shapes, None), measure_names(None), None)
    assert np.isnan([column[1] for column in columns.values()]).all()
    assert np.isnan([column[4] for column in columns.values()]).all()
    assert columns["Area px²"][[0, 3]].tolist() == [1_200, 1_200]
    assert columns["Vertices"][[0, 2, 3]].tolist() == [4, 2, 4]


def test_nothing_is_measured_of_nothing() -> None:
    for name in measure_names(None):
        assert len(measure_shapes(name, np.array([], object), None)) == 0
        assert len(measure_table(name, empty_detections(), None)) == 0


@pytest.mark.parametrize("mpp", [None, (0.25, 0.25), (0.5, 0.2)])
def test_detections_are_measured_as_the_polygons_that_they_are(
    mpp: tuple[float, float] | None,
) -> None:
    table = random_table(300, n_vertices=9)
    shapes = np.array([shapely.Polygon(table.ring_l0(row)) for row in range(300)], object)
    names = measure_names(mpp)
    ours = measured(TableOutlines(table, mpp), names, mpp)
    theirs = measured(ShapeOutlines(shapes, mpp), names, mpp)
    for name in names:
        assert np.allclose(ours[name], theirs[name], atol=1e-6, equal_nan=True), name


def rectangle_area(points: np.ndarray, angle: float) -> float:  # type: ignore[type-arg]
    cos, sin = math.cos(angle), math.sin(angle)
    turned = points @ np.array([[cos, -sin], [sin, cos]])
    return float(np.prod(np.ptp(turned, axis=0)))


def check_calipers(shape: BaseGeometry, mpp: tuple[float, float] | None = None) -> None:
    unit = "px" if mpp is None else "µm"
    hull = shapely.get_coordinates(shape.convex_hull) * (mpp or (1, 1))
    longest = one(f"Max Feret diameter {unit}", shape, mpp)
    assert longest == pytest.approx(np.hypot(*(hull[:, None] - hull[None]).T).max(), abs=1e-6)
    angle = math.radians(one("Max Feret angle °", shape, mpp))
    along = hull @ np.array([math.cos(angle), -math.sin(angle)])
    assert np.ptp(along) == pytest.approx(longest, abs=1e-4)
    if shape.convex_hull.geom_type != "Polygon":
        return
    angles = [math.atan2(-dy, dx) for dx, dy in np.diff(hull, axis=0)]
    boxes = np.array([sides(hull, angle) for angle in angles])
    thinnest = one(f"Min Feret diameter {unit}", shape, mpp)
    assert thinnest == pytest.approx(boxes[:, 1].min(), abs=1e-4)
    long, short = sides(hull, math.radians(one("Rectangle angle °", shape, mpp)))
    assert long * short == pytest.approx(boxes.prod(axis=1).min(), rel=1e-4, abs=1e-3)
    assert long >= short - 1e-6


def sides(points: np.ndarray, angle: float) -> tuple[float, float]:  # type: ignore[type-arg]
    """Return the extents of points along and across a direction on the screen."""
    cos, sin = math.cos(angle), -math.sin(angle)
    return float(np.ptp(points @ (cos, sin))), float(np.ptp(points @ (-sin, cos)))


@given(any_shapes())
@settings(deadline=None, max_examples=100)
def test_calipers_find_what_trying_everything_finds(shape: BaseGeometry) -> None:
    tidied = tidy(shape)
    if tidied is not None and shapely.get_dimensions(tidied) > 0:
        check_calipers(tidied)


@given(
    st.lists(st.tuples(*[st.integers(0, 40)] * 2), min_size=3, max_size=6, unique=True),
    st.sampled_from([(0.37, 0.37), (0.2527, 0.2498), (0.1, 0.3)]),
    st.sampled_from([0, 1_234]),
)
@settings(deadline=None, max_examples=200)
def test_calipers_are_not_led_astray_by_points_that_are_nearly_on_one_line(
    corners: list[tuple[int, int]], mpp: tuple[float, float], away: int
) -> None:
    ends = np.array(corners, float) + away
    shares = [ends * (1 - share) + np.roll(ends, -1, axis=0) * share for share in (0.5, 0.25, 0)]
    shape = shapely.LineString(np.stack(shares, axis=1).reshape(-1, 2))
    check_calipers(shape, mpp)


@given(st.lists(areas(), min_size=2, max_size=8))
@settings(deadline=None, max_examples=40)
def test_neighbours_in_the_column_do_not_matter(shapes: list[BaseGeometry]) -> None:
    kept = [tidied for shape in shapes if (tidied := tidy(shape)) is not None]
    for name in measure_names(None):
        together = measure_shapes(name, np.array(kept, object), None)
        apart = [one(name, shape) for shape in kept]
        assert np.allclose(together, apart, atol=1e-6, equal_nan=True), name
