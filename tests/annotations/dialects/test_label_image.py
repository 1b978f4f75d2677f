"""Label images and masks: real nuclei, and pixels that come back as they were."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import shapely
import tifffile
from dialect_helpers import FEW, features_in
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects.formats import SlideFrame, dialect_named, write
from pathoview.annotations.dialects.frame import DialectOptions
from pathoview.annotations.dialects.rasters import mask_of, outline_of
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError, UsageError

_FRAME = SlideFrame(64, 48)
_LABELS = dialect_named("labels")


def test_real_nuclei_are_as_many_and_as_large_as_in_the_picture(shared_data: Path) -> None:
    path = next((shared_data / "nuclei" / "MoNuSeg30" / "val" / "labels").glob("*.png"))
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    found, _notes = features_in(path, frame=SlideFrame(labels.shape[1], labels.shape[0]))
    values, n_pixels = np.unique(labels[labels > 0], return_counts=True)
    assert len(found) == len(values) > 100
    assert [one.geometry.area for one in found] == n_pixels.tolist()


@FEW
@given(st.integers(1, 8), st.integers(1, 8), st.data())
def test_pixels_to_outlines_and_back(height: int, width: int, data: st.DataObject) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(bits).reshape(height, width)
    if not mask.any():
        return
    area = outline_of(mask, 3, 5)
    assert area.is_valid
    assert area.area == mask.sum()
    again, left, top = mask_of(area)
    whole = np.zeros_like(mask)
    whole[top - 5 : top - 5 + again.shape[0], left - 3 : left - 3 + again.shape[1]] = again
    assert (whole == mask).all()


@FEW
@given(st.lists(st.integers(0, 4), min_size=12, max_size=12), st.sampled_from([1.0, 4.0]))
def test_labels_come_back_with_offset_and_scale(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], scale: float
) -> None:
    path = tmp_path_factory.mktemp("labels") / "file"
    labels = np.array(values, np.uint16).reshape(3, 4)
    options = DialectOptions(offset_l0=(8, 12), scale=scale)
    names = ["", "a", "b", "", "c"]
    drawn = [
        Feature(
            shapely.transform(outline_of(labels == value), lambda xy: xy * scale + (8, 12)),
            classification=DetectionClass(names[value], (1, 2, value)) if names[value] else None,
        )
        for value in np.unique(labels).tolist()
        if value
    ]
    if len(drawn) < 2:  # the parts of a plain mask are objects of their own
        return
    assert write(path, _LABELS, drawn, _FRAME, options=options) == len(drawn)
    found, _notes = features_in(path, frame=_FRAME)
    assert len(found) == len(drawn)
    for before, after in zip(drawn, found, strict=True):
        assert before.geometry.equals(after.geometry)
        assert before.classification == after.classification


def test_a_plain_mask_gives_its_connected_parts(tmp_path: Path) -> None:
    path = tmp_path / "mask"
    mask = np.zeros((24, 32), np.uint8)
    mask[2:8, 2:8] = 255
    mask[4, 4] = 0
    mask[10:20, 20:30] = 255
    Image.fromarray(np.stack([mask] * 3, axis=2)).save(path, "png")
    found, _notes = features_in(path, frame=_FRAME)
    # the picture has the proportions of the slide: it covers it
    assert [one.geometry.area for one in found] == [35 * 4, 100 * 4]
    assert len(found[0].geometry.interiors) == 1
    assert found[0].classification is None


def test_classes_have_names_and_parts(tmp_path: Path) -> None:
    path = tmp_path / "file"
    labels = np.zeros((48, 64), np.uint8)
    labels[0:4, 0:4] = labels[10:14, 0:4] = 1
    labels[0:4, 20:24] = 3
    tifffile.imwrite(path, labels)
    options = DialectOptions(label_meaning="classes", class_names=("Tumor", "Stroma"))
    found, _notes = features_in(path, options, frame=_FRAME)
    names = [one.classification.name for one in found if one.classification]
    assert names == ["Tumor", "Tumor", "3"]


@pytest.mark.parametrize(
    "labels", [np.float32([[0, 70_000], [1e7, 0]]), np.int64([[0, 9], [8, 0]])]
)
def test_large_and_floating_numbers_are_labels_too(
    tmp_path: Path, labels: npt.NDArray[np.float32]
) -> None:
    path = tmp_path / "file"
    tifffile.imwrite(path, labels)
    assert len(features_in(path, frame=SlideFrame(2, 2))[0]) == 2


def test_what_is_no_label_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    tifffile.imwrite(path, np.random.default_rng(0).random((4, 4)))
    with pytest.raises(AnnotationFileError, match="no label image"):
        features_in(path, frame=SlideFrame(4, 4))
    tifffile.imwrite(path, np.ones((4, 4), np.uint8))
    with pytest.raises(AnnotationFileError, match="where it lies"):
        features_in(path, frame=SlideFrame(40, 20))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(AnnotationFileError, match="damaged"):
        features_in(path, frame=SlideFrame(4, 4))


def test_what_a_label_image_cannot_say_is_told(tmp_path: Path) -> None:
    notes: list[str] = []
    drawn = [
        Feature(shapely.box(0, 0, 9, 9)),
        Feature(shapely.box(5, 5, 12, 12)),
        Feature(shapely.Point(1, 1)),
        Feature(shapely.box(900, 900, 910, 910)),
        Feature(shapely.box(0.1, 0.1, 0.2, 0.2)),
    ]
    assert write(tmp_path / "file", _LABELS, drawn, _FRAME, note=notes.append) == 2
    assert len(notes) == 4
    with pytest.raises(UsageError, match="too large"):
        write(tmp_path / "file", _LABELS, drawn, SlideFrame(10**6, 10**6))
