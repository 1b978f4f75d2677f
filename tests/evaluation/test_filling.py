"""Rings become pixels by their centres, exactly."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pathoview.annotations.detections import SUBPIXEL, Detections
from pathoview.evaluation.filling import filled


def table(*rings: list[tuple[float, float]]) -> Detections:
    points = np.array([point for ring in rings for point in ring]).reshape(-1, 2) * SUBPIXEL
    offsets = np.cumsum([0] + [len(ring) for ring in rings]).astype(np.int64)
    n = len(rings)
    ids, classes = np.zeros((n, 16), np.uint8), np.full(n, -1, np.int16)
    return Detections(np.rint(points).astype(np.int32), offsets, ids, classes, (), {})


def test_a_rectangle_of_whole_pixels_holds_just_these() -> None:
    labels = filled(table([(2, 1), (5, 1), (5, 3), (2, 3)]), 8, 6)
    expected = np.zeros((6, 8), np.int32)
    expected[1:3, 2:5] = 1
    assert np.array_equal(labels, expected)


def test_the_first_ring_keeps_what_two_rings_hold() -> None:
    labels = filled(table([(0, 0), (4, 0), (4, 4), (0, 4)], [(2, 0), (6, 0), (6, 4), (2, 4)]), 8, 4)
    assert labels[0].tolist() == [1, 1, 1, 1, 2, 2, 0, 0]


def test_what_lies_outside_the_picture_is_cut() -> None:
    labels = filled(table([(-3, -3), (2, -3), (2, 20), (-3, 20)]), 4, 5)
    assert labels.tolist() == [[1, 1, 0, 0]] * 5


def test_nothing_fills_nothing() -> None:
    assert not filled(table(), 4, 4).any()


@given(st.integers(0, 10_000))
def test_a_pixel_belongs_to_the_ring_that_holds_its_centre(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
    radius = rng.uniform(2, 9, 12)
    ring = np.stack([10 + radius * np.cos(angles), 10 + radius * np.sin(angles)], axis=1).round(2)
    ring += 0.003  # no centre lies on an edge; the table rounds it away from ties as well
    detections = table([tuple(point) for point in ring])
    polygon = shapely.Polygon(detections.ring_l0(0))
    y, x = np.mgrid[:20, :20] + 0.5
    inside = shapely.contains_xy(polygon, x, y)
    on_edge = shapely.intersects_xy(polygon.exterior, x, y)
    assert np.array_equal((filled(detections, 20, 20) > 0)[~on_edge], inside[~on_edge])
