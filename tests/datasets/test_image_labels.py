from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
import tifffile
from makers import he_scene

from pathoview.core.errors import InputError
from pathoview.core.geometry import Rect
from pathoview.datasets.image_labels import ClassImage, InstanceImage, point_labels
from pathoview.datasets.label_files import (
    PointTable,
    pairs,
    read_classes,
    read_label_image,
    read_points,
)
from pathoview.datasets.labels import UNKNOWN, TargetClass
from pathoview.study.model import LabelClass

IDS = he_scene(120, 80, seed=1).labels


def test_everything_is_known_of_a_picture_of_ids_but_nothing_beyond_it() -> None:
    labels = InstanceImage(IDS)
    found = labels.instances(Rect(100, 60, 40, 40), 40, 40)
    np.testing.assert_array_equal(found.labels[:20, :20], IDS[60:, 100:])
    assert found.is_known[:20, :20].all()
    assert found.is_known.sum() == 400
    mask = labels.mask(Rect(-5, 0, 120, 80), 120, 80)
    np.testing.assert_array_equal(mask[:, 5:], IDS[:, :115] > 0)
    assert (mask[:, :5] == UNKNOWN).all()
    assert labels.full_l0().tolist() == labels.extents_l0().tolist() == [[0, 0, 120, 80]]


def test_ids_need_not_be_consecutive_and_points_are_the_middles() -> None:
    pixels = np.zeros((20, 30), np.uint16)
    pixels[2:6, 10:20] = 700
    pixels[10:12, 0:2] = 3
    labels = InstanceImage(pixels)
    assert labels.points().xy_l0.tolist() == [[1, 11], [15, 4]]
    assert labels.n_labels == 2
    assert labels.counts() == {1: 2}
    assert InstanceImage(np.zeros((4, 4), np.uint8)).points().xy_l0.shape == (0, 2)


def test_a_coarser_patch_takes_the_label_under_the_centre_of_each_pixel() -> None:
    found = InstanceImage(IDS).instances(Rect(0, 0, 120, 80), 40, 40 * 2 // 3)
    assert found.labels.shape == (26, 40)
    np.testing.assert_array_equal(
        InstanceImage(IDS).instances(Rect(0, 0, 120, 78), 40, 26).labels, IDS[1:78:3, 1::3]
    )


def test_values_of_classes_become_their_places_and_unknown_stays() -> None:
    pixels = np.array([[0, 2, 5, 255], [7, 2, 0, 255]], np.uint8)
    labels = ClassImage(pixels, [5, 2])
    whole = Rect(0, 0, 4, 2)
    assert labels.mask(whole, 4, 2).tolist() == [[0, 2, 1, UNKNOWN], [0, 2, 0, UNKNOWN]]
    assert labels.counts() == {1: 1, 2: 1}
    assert not labels.instances(whole, 4, 2).is_known.any()
    assert len(labels.full_l0()) == 0
    assert len(ClassImage(pixels[:, :3]).full_l0()) == 1


def test_of_a_table_of_points_only_the_points_are_known() -> None:
    classes = [LabelClass(number=9, name="B", color=(1, 2, 3))]
    table = PointTable(np.array([[10.0, 10.0], [20, 20], [900, 5]]), ("B", "", "B"))
    labels = point_labels(table, classes, 0.5, (120, 80))
    assert labels.points().xy_l0.tolist() == [[10, 10], [20, 20]]
    assert labels.points().values.tolist() == [1, 0]
    mask = labels.mask(Rect(0, 0, 120, 80), 120, 80)
    assert mask[10, 10] == 1
    assert 0.9 < (mask == 1).sum() / (np.pi * 36) < 1.1
    assert set(np.unique(mask).tolist()) == {1, UNKNOWN}


def test_fingerprints_of_pictures_tell_them_apart() -> None:
    same, other = IDS.copy(), IDS.copy()
    other[0, 0] += 1
    assert InstanceImage(IDS).fingerprint() == InstanceImage(same).fingerprint()
    assert InstanceImage(IDS).fingerprint() != InstanceImage(other).fingerprint()


def test_images_and_labels_are_paired_by_name(tmp_path: Path) -> None:
    for name in ("images/a.png", "images/b.tif", "images/c.jpg", "labels/b.csv", "labels/a.csv",
                 "labels/a.tif", "labels/z.png"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = pairs(tmp_path / "images", tmp_path / "labels")
    assert [(one.name, other.name) for one, other in found] == [
        ("a.png", "a.tif"), ("b.tif", "b.csv")
    ]  # fmt: skip
    with pytest.raises(InputError, match="same name"):
        pairs(tmp_path / "images", tmp_path)


def test_label_images_of_16_bits_are_read_whole(tmp_path: Path) -> None:
    pixels = (IDS * 300).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    for name in ("a.png", "a.tif"):
        np.testing.assert_array_equal(read_label_image(tmp_path / name, (120, 80)), pixels)
    with pytest.raises(InputError, match="120 × 80"):
        read_label_image(tmp_path / "a.png", (80, 120))


def test_points_are_read_with_and_without_classes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("class,y,x\nTumor , 2,1\n,4,3.5\n", "utf-8")
    table = read_points(path)
    assert table.xy_l0.tolist() == [[1, 2], [3.5, 4]]
    assert table.names == ("Tumor", "")
    path.write_text("x,y\n1,2\n", "utf-8")
    assert read_points(path).names == ("",)
    path.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(InputError, match="no table of points"):
        read_points(path)


def test_classes_of_masks_stand_beside_them_or_one_folder_up(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    assert read_classes(masks) is None
    said = [
        {"number": 0, "name": "background", "color": [0, 0, 0]},
        {"number": 255, "name": "unknown", "color": [0, 0, 0]},
        {"number": 3, "name": "Tumor", "color": [200, 0, 0]},
    ]
    (tmp_path / "classes.json").write_bytes(orjson.dumps(said))
    assert read_classes(masks) == (TargetClass("Tumor", (200, 0, 0), 3),)
    (masks / "classes.json").write_text("[{}]")
    with pytest.raises(InputError, match=r"classes\.json"):
        read_classes(masks)
