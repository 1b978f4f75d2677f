"""COCO's JSON. No real file is at hand: these are written from the format's description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from dialect_helpers import (
    CLASSES,
    FEW,
    TEXT,
    apart,
    features_in,
    polygons,
    same_shape,
    there_and_back,
)
from hypothesis import given
from hypothesis import strategies as st

from pathoview.annotations.dialects.formats import SlideFrame
from pathoview.annotations.dialects.frame import DialectOptions
from pathoview.annotations.dialects.run_lengths import counts_of, mask_box, unpacked_counts
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError


def _file(tmp_path: Path, *annotations: dict[str, Any], images: int = 1) -> Path:
    path = tmp_path / "file"
    names = [
        {"id": n, "file_name": f"folder/{n}.png", "width": 9, "height": 9} for n in range(images)
    ]
    said = [{"id": n, "image_id": 0, "category_id": 1, **one} for n, one in enumerate(annotations)]
    categories = [{"id": 1, "name": "gland"}]
    path.write_text(json.dumps({"images": names, "categories": categories, "annotations": said}))
    return path


def test_polygons_runs_and_boxes(tmp_path: Path) -> None:
    flat = [0, 0, 10, 0, 10, 10, 0, 10]
    path = _file(
        tmp_path,
        {"segmentation": [flat, [20, 0, 30, 0, 30, 10]], "score": 0.5},
        {"segmentation": {"size": [3, 4], "counts": [4, 1, 2, 1, 4]}},
        {"segmentation": {"size": [3, 4], "counts": "4121N"}},
        {"bbox": [1, 2, 3, 4], "attributes": {"name": "b", "sure": True}},
        {"segmentation": {"size": [3, 4], "counts": [400]}},
        {"keypoints": [1, 2, 2]},
    )
    found, notes = features_in(path)
    two, runs, packed, box = found
    assert two.geometry.geom_type == "MultiPolygon"
    assert two.geometry.area == 150
    assert two.measurements == {"score": 0.5}
    assert runs.geometry.equals(shapely.union_all([shapely.box(1, 1, 3, 2)]))
    assert packed.geometry.area > 0
    assert box.geometry.equals(shapely.box(1, 2, 4, 6))
    assert (box.name, box.metadata) == ("b", {"sure": "true"})
    assert all(one.classification and one.classification.name == "gland" for one in found)
    assert sum(notes.values()) == 2


def test_compressed_counts_are_differences_to_the_one_two_before() -> None:
    # 3, 40, 5 as they are; then 40 + 2, 5 − 1
    text = "3" + chr(48 + (8 | 32)) + chr(48 + 1) + "5" + "2" + chr(48 + 31)
    assert unpacked_counts(text) == [3, 40, 5, 42, 4]
    with pytest.raises(ValueError, match="cut off"):
        unpacked_counts(chr(48 + 40))


@FEW
@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_runs_of_a_mask_and_back(height: int, width: int, data: st.DataObject) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(bits).reshape(height, width)
    counts = counts_of(mask, 2, 1, height + 3, width + 2)
    assert sum(counts) == (height + 3) * (width + 2)
    assert 0 not in counts[1:]
    again, left, top = mask_box(counts, height + 3, width + 2)
    whole = np.zeros((height + 3, width + 2), bool)
    whole[top : top + again.shape[0], left : left + again.shape[1]] = again
    expected = np.zeros_like(whole)
    expected[1 : 1 + height, 2 : 2 + width] = mask
    assert (whole == expected).all()


def test_a_run_goes_on_at_the_top_of_the_next_column() -> None:
    assert counts_of(np.ones((2, 3), bool), 0, 0, 2, 3) == [0, 6]
    mask, left, top = mask_box([1, 4, 1], 2, 3)
    assert (left, top, mask.tolist()) == (0, 0, [[False, True, True], [True, True, False]])


def test_of_several_pictures_one_is_chosen(tmp_path: Path) -> None:
    path = _file(tmp_path, {"bbox": [1, 2, 3, 4]}, {"image_id": 1, "bbox": [5, 5, 1, 1]}, images=2)
    (one,), _notes = features_in(path, frame=SlideFrame(9, 9, name="1.png"))
    assert one.geometry.bounds == (5, 5, 6, 6)
    (one,), _notes = features_in(path, DialectOptions(image_name="0.svs"))
    assert one.geometry.bounds == (1, 2, 4, 6)
    with pytest.raises(AnnotationFileError, match="several pictures"):
        features_in(path)


@FEW
@given(apart(polygons(holes=False), classification=st.none() | CLASSES, name=TEXT, author=TEXT))
def test_what_coco_can_say_comes_back(features: list[Feature]) -> None:
    found, notes = there_and_back("coco", features)
    assert not notes
    for before, after in zip(features, found, strict=True):
        assert same_shape(before.geometry, after.geometry)
        assert (before.name, before.author) == (after.name, after.author)
        names = [one.classification and one.classification.name for one in (before, after)]
        assert names[0] == names[1]


def test_holes_become_pixels_and_points_are_told() -> None:
    ring = shapely.box(30_000, 20_000, 30_090, 20_090) - shapely.box(30_010, 20_010, 30_050, 20_050)
    found, notes = there_and_back("coco", [Feature(ring), Feature(shapely.Point(1, 2))])
    assert found[0].geometry.equals(ring)
    assert sum(notes.values()) == 2
