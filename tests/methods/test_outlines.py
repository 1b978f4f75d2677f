"""Labels become valid rings that enclose as much as the pixels did, with true measurements."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import he_scene

from pathoview.annotations.detections import DetectionClass, Detections
from pathoview.core.geometry import Rect
from pathoview.methods.outlines import SHAPE_MEASUREMENTS, outlines
from pathoview.methods.rings import ring_areas, trace
from pathoview.slides.stains import H_DAB, H_E, separate

Labels = npt.NDArray[np.int32]


def outlined(labels: Labels, **changes: Any) -> Detections:
    height, width = labels.shape
    settings: dict[str, Any] = {
        "patch": np.full((height, width, 3), 200, np.uint8),
        "mpp": 0.5,
        "scale_l0": 1.0,
        "origin_l0": (0, 0),
        "core_lv": Rect(0, 0, width, height),
        "stains": H_E,
        **changes,
    }
    return outlines(labels, settings.pop("patch"), **settings)


def disk(radius: float, size: int = 64) -> Labels:
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    return (x * x + y * y <= radius**2).astype(np.int32)


def polygons(table: Detections) -> list[shapely.Polygon]:
    return [shapely.Polygon(table.ring_l0(index)) for index in range(len(table))]


@pytest.mark.parametrize("radius", [2, 5, 9, 20])
def test_a_disk_keeps_its_area_and_its_place(radius: float) -> None:
    labels = disk(radius)
    table = outlined(labels, scale_l0=2.0, origin_l0=(100.0, 40.0))
    (polygon,) = polygons(table)
    assert polygon.area == pytest.approx(labels.sum() * 4, rel=0.01)
    assert polygon.centroid.coords[0] == pytest.approx((164, 104), abs=0.2)
    assert polygon.hausdorff_distance(shapely.Point(164, 104).buffer(radius * 2)) < 2.5


def test_measurements_of_a_disk() -> None:
    table = outlined(disk(20), mpp=0.25)
    found = {name: float(column[0]) for name, column in table.measurements.items()}
    assert found["Area µm²"] == pytest.approx(np.pi * 25, rel=0.01)
    assert found["Perimeter µm"] == pytest.approx(2 * np.pi * 5, rel=0.02)
    assert found["Circularity"] > 0.95
    assert found["Solidity"] > 0.97
    assert found["Major axis µm"] == pytest.approx(10, rel=0.02)
    assert found["Minor axis µm"] == pytest.approx(10, rel=0.02)


def test_measurements_of_a_slanted_ellipse() -> None:
    labels = np.zeros((100, 100), np.int32)
    cv2.ellipse(labels, (50, 50), (30, 12), 35, 0, 360, 1, -1)
    found = outlined(labels, mpp=1.0).measurements
    assert found["Major axis µm"][0] == pytest.approx(61, rel=0.03)
    assert found["Minor axis µm"][0] == pytest.approx(25, rel=0.03)
    assert found["Circularity"][0] < 0.8


def test_stain_means_are_those_of_the_object_s_pixels() -> None:
    scene = he_scene(128, 96)
    for stains in (H_E, H_DAB):
        found = outlined(scene.labels, patch=scene.rgb, stains=stains)
        amounts = separate(scene.rgb, stains)
        labels = np.unique(scene.labels)[1:]
        for position, name in enumerate(stains.stains):
            expected = [amounts[scene.labels == label][:, position].mean() for label in labels]
            assert found.measurements[f"{name} mean"] == pytest.approx(expected, abs=1e-3)


def test_every_object_has_every_measurement_even_when_there_is_none() -> None:
    table = outlined(np.zeros((20, 30), np.int32))
    assert len(table) == 0
    assert tuple(table.measurements) == (*SHAPE_MEASUREMENTS, "Hematoxylin mean", "Eosin mean")
    assert table.points.shape == (0, 2)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.25, 0.6, 2.0]))
def test_rings_of_any_labels_are_valid_and_wind_around_their_pixels(
    seed: int, tolerance_um: float
) -> None:
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal((48, 56)), (0, 0), rng.uniform(0.3, 2))
    labels = (np.digitize(noise, np.quantile(noise, [0.3, 0.5, 0.7])) * 7).astype(np.int32)
    table = outlined(labels, tolerance_um=tolerance_um)
    for index, polygon in enumerate(polygons(table)):
        assert polygon.is_valid
        assert polygon.exterior.is_ccw  # in a frame whose y runs up; clockwise on the screen
        assert len(table.ring_l0(index)) >= 4


def test_the_exact_ring_encloses_the_pixel_count_less_one_half() -> None:
    scene = he_scene(256, 256)
    rings = trace(scene.labels)
    counts = np.bincount(scene.labels.ravel())[rings.labels]
    assert np.array_equal(ring_areas(rings.points / 2, rings.offsets), counts - 0.5)


def test_of_an_object_in_pieces_the_largest_is_outlined_and_holes_are_filled() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[2:12, 2:12] = 3
    labels[5:8, 5:8] = 0
    labels[12:14, 12:14] = 3  # touches at a corner only
    ring = outlined(labels, tolerance_um=0.01).ring_l0(0)
    assert ring.max() == pytest.approx(12.0, abs=0.05)
    assert shapely.Polygon(ring).area == pytest.approx(100, abs=0.1)


def test_touching_objects_share_their_border() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[5:15, 4:10], labels[5:15, 10:16] = 1, 2
    left, right = polygons(outlined(labels))
    assert left.intersection(right).area < 1
    assert left.distance(right) < 0.2


def test_objects_belong_to_the_core_that_holds_their_centroid() -> None:
    labels = np.zeros((40, 40), np.int32)
    for number, x in enumerate((6, 12, 26, 30), start=1):
        labels[18:22, x : x + 4] = number  # centres at 8, 14, 28 and 32
    table = outlined(labels, core_lv=Rect(8, 8, 20, 24))
    assert table.centroids_l0()[:, 0] == pytest.approx([8, 14])  # left edge in, right edge out


def test_what_the_patch_cuts_is_left_out_but_not_at_the_picture_s_edge() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[10:14, 0:20] = 1
    assert len(outlined(labels, core_lv=Rect(4, 4, 32, 32))) == 0
    assert len(outlined(labels, core_lv=Rect(0, 0, 36, 36))) == 1


def test_single_pixels_and_lines_are_outlined_too() -> None:
    labels = np.zeros((9, 9), np.int32)
    labels[1, 1], labels[4, 1:8] = 1, 2
    assert [polygon.is_valid for polygon in polygons(outlined(labels))] == [True, True]


def test_a_class_is_given_to_all_objects() -> None:
    nucleus = DetectionClass("Nucleus", (0, 200, 0))
    table = outlined(disk(5), classes=(nucleus,))
    assert table.classes == (nucleus,)
    assert table.class_index.tolist() == [0]
    assert outlined(disk(5)).class_index.tolist() == [-1]
