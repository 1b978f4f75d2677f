from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers.feature_source import FeatureSource, FeatureStyle

LEVEL_0 = 4
"""Four enlarged levels come first."""


def painted(*features: Feature, fill: float = 0.0) -> np.ndarray:
    source = FeatureSource(512, 512, features)
    source.style = FeatureStyle(fill_opacity=fill)
    tile = source.read_tile(TileKey(LEVEL_0, 0, 0))
    assert tile is not None
    return tile


def test_holes_are_not_filled() -> None:
    ring = Polygon(box(100, 100, 300, 300).exterior, [box(150, 150, 250, 250).exterior])
    tile = painted(Feature(ring, color=(10, 20, 30)), fill=1.0)
    assert tile[120, 120].tolist() == [10, 20, 30, 255]
    assert tile[200, 200, 3] == 0


def test_lines_points_and_several_shapes_in_one_are_drawn() -> None:
    tile = painted(
        Feature(LineString([(10, 10), (200, 10)])),
        Feature(Point(300, 300)),
        Feature(MultiPolygon([box(400, 400, 420, 420), box(450, 450, 470, 470)])),
    )
    drawn = [tile[y, x, 3] for x, y in ((100, 10), (300, 300), (410, 400), (460, 450))]
    assert min(drawn) > 120
    assert tile[100, 100, 3] == 0


def test_a_feature_has_its_own_colour_else_that_of_its_class() -> None:
    tumor = DetectionClass("Tumor", (200, 0, 0))
    tile = painted(
        Feature(box(0, 0, 50, 50), classification=tumor),
        Feature(box(100, 0, 150, 50), classification=tumor, color=(0, 0, 255)),
        fill=1.0,
    )
    assert tile[25, 25, :3].tolist() == [200, 0, 0]
    assert tile[25, 125, :3].tolist() == [0, 0, 255]


def test_features_that_come_later_are_drawn_too() -> None:
    source = FeatureSource(512, 512)
    assert source.read_tile(TileKey(LEVEL_0, 0, 0)) is None
    told: list[object] = []
    source.changed.connect(told.append)
    source.append([Feature(box(10, 10, 90, 90))])
    assert isinstance(told[0], Rect)
    assert told[0].contains(50, 50)
    assert source.read_tile(TileKey(LEVEL_0, 0, 0)) is not None


def test_a_cell_is_drawn_with_its_nucleus() -> None:
    cell = Feature(box(10, 10, 90, 90), object_type="cell", nucleus=box(40, 40, 60, 60))
    assert painted(cell)[40, 50, 3] > 120


TUMOR, STROMA = DetectionClass("Tumor", (200, 0, 0)), DetectionClass("Stroma", (0, 160, 80))


def test_hidden_classes_are_neither_drawn_nor_picked() -> None:
    source = FeatureSource(512, 512, [Feature(box(10, 10, 90, 90), classification=TUMOR)])
    source.append([Feature(box(110, 10, 190, 90), classification=STROMA)])
    source.append([Feature(box(210, 10, 290, 90))])
    source.style = FeatureStyle(color=(1, 2, 3), fill_opacity=1.0)
    assert [entry.name for entry in source.classes] == ["Tumor", "Stroma"]
    assert source.class_counts() == {0: 1, 1: 1, -1: 1}
    version = source.style_version
    for hidden, left in (({"Tumor", ""}, [1]), ({"Stroma"}, [0, 2]), (set(), [0, 1, 2])):
        source.hidden_classes = frozenset(hidden)
        tile = source.read_tile(TileKey(LEVEL_0, 0, 0))
        assert tile is not None
        assert [i for i in range(3) if tile[50, 100 * i + 50, 3]] == left
        assert [i for i in range(3) if source.pick(100 * i + 50, 50) is not None] == left
    assert source.style_version == version + 3
    assert tile[50, 250].tolist() == [1, 2, 3, 255]
    source.hidden_classes = frozenset({"Tumor", "Stroma", ""})
    assert source.read_tile(TileKey(LEVEL_0, 0, 0)) is None


def test_the_smallest_feature_at_a_place_is_picked_lines_and_points_within_reach() -> None:
    ring = Polygon(box(0, 0, 300, 300).exterior, [box(100, 100, 200, 200).exterior])
    source = FeatureSource(1024, 1024, [Feature(ring), Feature(box(10, 10, 40, 40))])
    source.append([Feature(LineString([(400, 0), (400, 500)])), Feature(Point(600, 600))])
    assert source.pick(20, 20) == 1
    assert source.pick(60, 60) == 0
    assert source.pick(150, 150) is None
    assert source.pick(403, 250) is None
    assert source.pick(403, 250, reach_l0=5) == 2
    assert source.pick(604, 604, reach_l0=5) is None
    assert source.pick(604, 604, reach_l0=6) == 3
    assert source.feature(3).geometry == Point(600, 600)


def test_lines_are_as_wide_as_asked() -> None:
    source = FeatureSource(512, 512, [Feature(LineString([(100, 0), (100, 500)]))])
    widths = []
    for width in (1, 3, 7):
        source.style = FeatureStyle(line_width_px=width)
        tile = source.read_tile(TileKey(LEVEL_0, 0, 0))
        assert tile is not None
        widths.append(float(tile[250, :, 3].sum()) / 255)
    assert widths == [pytest.approx(width, abs=2.5) for width in (1, 3, 7)]
    assert widths[0] + 2 < widths[1] < widths[2] - 2


def test_what_comes_later_lies_on_top_and_outlines_on_what_is_filled() -> None:
    tile = painted(
        Feature(box(0, 0, 200, 200), color=(200, 0, 0)),
        Feature(box(100, 100, 300, 300), color=(0, 200, 0)),
        fill=1.0,
    )
    assert tile[150, 150, :3].tolist() == [0, 200, 0]
    assert tile[200, 150, :3].tolist() == [200, 0, 0]
