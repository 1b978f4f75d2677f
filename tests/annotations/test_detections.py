from __future__ import annotations

import numpy as np
import pytest
import shapely
from outline_tables import random_table

from pathoview.annotations.detections import (
    DetectionClass,
    Detections,
    concatenate,
    empty_detections,
)
from pathoview.annotations.feature import feature_at
from pathoview.core.geometry import Rect


def _table(*rings: list[tuple[int, int]], classes: tuple[DetectionClass, ...] = ()) -> Detections:
    """Return rings given in whole px; every object is of the first class, if there is one."""
    return Detections(
        np.array([point for ring in rings for point in ring], np.int32) * 100,
        np.cumsum([0, *map(len, rings)]).astype(np.int64),
        np.arange(16 * len(rings), dtype=np.uint8).reshape(-1, 16),
        np.full(len(rings), 0 if classes else -1, np.int16),
        classes,
        {},
    )


SQUARE = [(0, 0), (4, 0), (4, 4), (0, 4)]
FAR = [(90_000, 70_000), (90_003, 70_000), (90_000, 70_003)]


def test_rows_are_left_out_by_their_ids() -> None:
    table = random_table(20)
    stranger = np.full((1, 16), 7, np.uint8)
    left = table.without(np.concatenate([table.ids[3:6], stranger]))
    assert left.ids.tolist() == [*table.ids[:3].tolist(), *table.ids[6:].tolist()]
    assert np.array_equal(left.ring_l0(3), table.ring_l0(6))
    assert table.without(stranger) is table
    assert len(empty_detections().without(stranger)) == 0


def test_boxes_centroids_and_extent_agree_with_shapely() -> None:
    table = random_table(200, n_vertices=11)
    shapes = [shapely.Polygon(table.ring_l0(row)) for row in range(200)]
    assert np.allclose(table.boxes_l0(), [shape.bounds for shape in shapes])
    centroids = [(shape.centroid.x, shape.centroid.y) for shape in shapes]
    assert np.allclose(table.centroids_l0(), centroids, atol=1e-6)
    left, top, right, bottom = shapely.union_all(shapes).bounds
    assert table.extent_l0() == Rect.from_corners(left, top, right, bottom)


def test_a_ring_without_area_has_the_mean_of_its_points() -> None:
    assert _table([(0, 0), (3, 0), (6, 0)], SQUARE).centroids_l0().tolist() == [[3, 0], [2, 2]]


def test_an_empty_table_answers_everything() -> None:
    table = empty_detections()
    assert len(table) == 0
    assert table.boxes_l0().shape == (0, 4)
    assert table.centroids_l0().shape == (0, 2)
    assert table.extent_l0().is_empty
    assert len(table.take(np.empty(0, np.int64))) == len(table.moved(3, 4)) == 0
    assert len(concatenate([])) == len(concatenate([table, table])) == 0


@pytest.mark.parametrize("rows", [[2, 0, 2], [], [1]])
def test_rows_are_taken_in_the_order_given(rows: list[int]) -> None:
    table = random_table(3)
    taken = table.take(np.array(rows, np.int64))
    assert [taken.uuid(i) for i in range(len(rows))] == [table.uuid(row) for row in rows]
    for place, row in enumerate(rows):
        assert np.array_equal(taken.ring_l0(place), table.ring_l0(row))
        assert taken.measurements["Area µm²"][place] == table.measurements["Area µm²"][row]


def test_rows_are_taken_by_a_mask() -> None:
    table = _table(SQUARE, FAR)
    assert table.take(np.array([False, True])).ring_l0(0).tolist() == [list(p) for p in FAR]


def test_joined_tables_share_classes_by_name_and_fill_in_measurements() -> None:
    red, other = DetectionClass("a", (255, 0, 0)), DetectionClass("b", (0, 255, 0))
    first = _table(SQUARE, classes=(red,))
    second = _table(SQUARE, FAR, classes=(other, DetectionClass("a", (0, 0, 9))))
    second.class_index[1] = 1
    third = random_table(2, n_measurements=1)
    joined = concatenate([first, empty_detections(), second, third])
    names = [joined.classes[i].name if i >= 0 else "" for i in joined.class_index]
    assert names[:3] == ["a", "b", "a"]
    assert [entry for entry in joined.classes if entry.name == "a"] == [red]
    assert len(joined) == 5
    assert joined.ring_l0(2).tolist() == [list(point) for point in FAR]
    assert np.isnan(joined.measurements["Area µm²"]).tolist() == [True] * 3 + [False] * 2


def test_a_moved_table_is_elsewhere_and_the_old_one_is_not() -> None:
    table = _table(SQUARE)
    assert table.moved(3, -2).ring_l0(0).tolist() == [[3, -2], [7, -2], [7, 2], [3, 2]]
    assert table.ring_l0(0).tolist() == [list(point) for point in SQUARE]


def test_one_row_as_an_object_of_its_own_says_the_same() -> None:
    table = random_table(20)
    for row in range(20):
        feature = feature_at(table, row)
        assert (feature.id, feature.object_type) == (table.uuid(row), "detection")
        index = int(table.class_index[row])
        assert feature.classification == (table.classes[index] if index >= 0 else None)
        assert np.float32(feature.measurements["Area µm²"]) == table.measurements["Area µm²"][row]
        assert len(str(feature.measurements["Area µm²"])) < 12
        assert shapely.equals(feature.geometry, shapely.Polygon(table.ring_l0(row)))
