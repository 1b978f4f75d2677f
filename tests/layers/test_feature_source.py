from __future__ import annotations

import numpy as np
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.pyramid import TileKey
from pathoview.layers.feature_source import FeatureSource

LEVEL_0 = 4
"""Four enlarged levels come first."""


def painted(*features: Feature, fill: float = 0.0) -> np.ndarray:
    source = FeatureSource(512, 512, features)
    source.fill_opacity = fill
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
    assert told == [None]
    assert source.read_tile(TileKey(LEVEL_0, 0, 0)) is not None


def test_a_cell_is_drawn_with_its_nucleus() -> None:
    cell = Feature(box(10, 10, 90, 90), object_type="cell", nucleus=box(40, 40, 60, 60))
    assert painted(cell)[40, 50, 3] > 120
