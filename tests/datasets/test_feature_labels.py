from __future__ import annotations

import numpy as np
import shapely

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.labels import BACKGROUND, UNKNOWN, Mask
from pathoview.study.model import LabelClass

CLASSES = [
    LabelClass(number=1, name="Tumor", color=(200, 0, 0)),
    LabelClass(number=2, name="Stroma", color=(0, 200, 0)),
    LabelClass(number=6, name="Region*", color=(0, 0, 200), meaning="region"),
    LabelClass(number=7, name="Ignore*", color=(9, 9, 9), meaning="ignore"),
]


def drawn(shape: shapely.Geometry, name: str = "", **members: object) -> Feature:
    said = next((one.drawn for one in CLASSES if one.name == name), None)
    return Feature(shape, classification=said, **members)  # type: ignore[arg-type]


def labels_of(*features: Feature, wanted: frozenset[str] | None = None) -> FeatureLabels:
    values = {one.name: one.number for one in CLASSES if wanted is None or one.name in wanted}
    return FeatureLabels(features, CLASSES, values, mpp=1, stroke_um=4, point_um=3)


def paint(*features: Feature, wanted: frozenset[str] | None = None, scale: float = 1) -> Mask:
    return labels_of(*features, wanted=wanted).mask(Rect(0, 0, 100 / scale, 100 / scale), 100, 100)


def test_what_is_not_drawn_is_unknown_and_never_background() -> None:
    mask = paint(drawn(shapely.box(10, 20, 30, 60), "Tumor"))
    assert (mask[20:60, 10:30] == 1).all()
    assert (mask == 1).sum() == 20 * 40
    assert set(np.unique(mask).tolist()) == {1, UNKNOWN}


def test_inside_of_fully_labelled_regions_the_rest_is_background() -> None:
    whole = drawn(shapely.box(0, 0, 50, 50), "Stroma", role="full")
    mask = paint(drawn(shapely.box(10, 10, 60, 60), "Tumor"), whole)
    assert (mask[:10, :50] == BACKGROUND).all()
    assert (mask[10:60, 10:60] == 1).all()
    assert mask[80, 80] == UNKNOWN
    assert 2 not in mask


def test_the_smaller_shape_lies_over_the_larger_one_in_whatever_order() -> None:
    small, large = (
        drawn(shapely.box(40, 40, 50, 50), "Stroma"),
        drawn(shapely.box(0, 0, 90, 90), "Tumor"),
    )
    for mask in (paint(small, large), paint(large, small)):
        assert mask[45, 45] == 2
        assert mask[5, 5] == 1


def test_holes_stay_unknown() -> None:
    ring = shapely.box(0, 0, 50, 50) - shapely.box(20, 20, 30, 30)
    mask = paint(drawn(ring, "Tumor"))
    assert mask[25, 25] == UNKNOWN
    assert (mask == 1).sum() == 2500 - 100


def test_strokes_and_points_are_as_large_as_is_said_and_lie_over_areas() -> None:
    mask = paint(
        drawn(shapely.Point(50.5, 50.5), "Stroma"),
        drawn(shapely.LineString([(0, 80), (100, 80)]), "Stroma", role="scribble"),
        drawn(shapely.box(0, 0, 100, 100), "Tumor"),
    )
    disc = mask[40:60, 40:60] == 2
    assert abs(disc.sum() - np.pi * 9) < 3
    assert (mask[:, 10] == 2).sum() == 4


def test_what_is_to_be_ignored_or_doubtful_or_has_no_class_is_unknown() -> None:
    full = drawn(shapely.box(0, 0, 100, 100), role="full")
    mask = paint(
        full,
        drawn(shapely.box(0, 0, 10, 10), "Ignore*"),
        drawn(shapely.box(20, 0, 30, 10), "Tumor", is_uncertain=True),
        drawn(shapely.box(40, 0, 50, 10)),
        drawn(shapely.box(5, 5, 8, 8), "Tumor"),
        drawn(shapely.LineString([(60, 0), (60, 50)]), "Tumor", role="ruler"),
    )
    for x in (5, 6, 25, 45):
        assert mask[6, x] == UNKNOWN
    assert mask[6, 60] == mask[50, 50] == BACKGROUND


def test_a_region_without_a_class_around_a_full_one_takes_nothing_from_it() -> None:
    mask = paint(
        drawn(shapely.box(20, 20, 80, 80), role="full"), drawn(shapely.box(0, 0, 100, 100))
    )
    assert mask[50, 50] == BACKGROUND
    assert mask[5, 5] == UNKNOWN


def test_outside_of_regions_of_interest_nothing_is_known() -> None:
    features = [
        drawn(shapely.box(0, 0, 100, 100), "Tumor"),
        drawn(shapely.box(0, 0, 30, 30), "Region*"),
    ]
    mask = paint(*features)
    assert (mask[:30, :30] == 1).all()
    assert (mask == 1).sum() == 900
    beyond = labels_of(*features).mask(Rect(200, 200, 100, 100), 100, 100)
    assert (beyond == UNKNOWN).all()


def test_classes_that_are_not_wanted_are_known_to_be_none_of_those_that_are() -> None:
    features = [
        drawn(shapely.box(0, 0, 10, 10), "Tumor"),
        drawn(shapely.box(50, 0, 60, 10), "Stroma"),
    ]
    mask = paint(*features, wanted=frozenset({"Tumor"}))
    assert (mask[5, 5], mask[5, 55], mask[90, 90]) == (1, BACKGROUND, UNKNOWN)


def test_another_resolution_gives_the_same_picture_of_the_labels() -> None:
    mask = paint(drawn(shapely.box(5, 10, 15, 30), "Tumor"), scale=2)
    assert (mask[20:60, 10:30] == 1).all()
    assert (mask == 1).sum() == 800


def test_an_unknown_class_is_no_label() -> None:
    said = DetectionClass("Elsewhere", (1, 2, 3))
    mask = paint(Feature(shapely.box(0, 0, 10, 10), classification=said))
    assert (mask == UNKNOWN).all()
