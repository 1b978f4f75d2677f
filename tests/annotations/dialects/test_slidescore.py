"""Slide Score's table of answers: the real file, and the way there and back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import shapely
from dialect_helpers import (
    CLASSES,
    FEW,
    TEXT,
    apart,
    features_in,
    points,
    polygons,
    said,
    same_shape,
    there_and_back,
)
from hypothesis import given
from hypothesis import strategies as st

from pathoview.annotations.dialects.frame import DialectOptions
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError

_HEADER = "ImageID\tImage Name\tBy\tQuestion\tAnswer\n"


def test_the_real_file(shared_data: Path) -> None:
    found, notes = features_in(shared_data / "annotations" / "slidescore.txt")
    names = Counter(one.classification.name for one in found if one.classification)
    assert names == {"Point Annotations": 4, "Polygon Annotations": 6, "Ellipse Annotations": 2}
    assert not notes
    assert {one.author for one in found} == {"j.doe@example.com"}
    assert sum(one.is_ellipse for one in found) == 2
    brush = found[9]
    assert len(brush.geometry.interiors) == 1
    oval = found[10].geometry
    # the size of an ellipse is its radii, as Slide Score's own program has it
    assert oval.bounds == pytest.approx((30684 - 6176, 10018 - 9955, 30684 + 6176, 10018 + 9955))


def test_rectangles_labels_and_other_answers(tmp_path: Path) -> None:
    path = tmp_path / "file"
    rect = '[{"type":"rect","corner":{"x":1,"y":2},"size":{"x":3,"y":4},"label":{"label":"hi"}}]'
    rows = [f"1\ta.svs\tme\tTumor\t{rect}", "1\ta.svs\tme\tGrade\tIII", "1\ta.svs\tme\tCut\t[{"]
    rows += ['1\ta.svs\tme\tHeat\t[{"type":"heatmap","x":0,"y":0}]']
    path.write_text(_HEADER + "\n".join(rows))
    (box,), notes = features_in(path)
    assert box.geometry.equals(shapely.box(1, 2, 4, 6))
    assert box.name == "hi"
    assert sum(notes.values()) == 1


def test_of_several_pictures_one_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    rows = [f'{n}\t{name}\tme\tDot\t[{{"x":{n},"y":0}}]' for n, name in enumerate(("a", "b.tif"))]
    path.write_text(_HEADER + "\n".join(rows))
    (one,), _notes = features_in(path, DialectOptions(image_name="/some/where/b.tif"))
    assert one.geometry.x == 1
    with pytest.raises(AnnotationFileError, match="several pictures"):
        features_in(path)


@FEW
@given(
    apart(
        st.one_of(polygons(holes=True), points()),
        classification=st.none() | CLASSES,
        author=TEXT,
    )
)
def test_what_slide_score_can_say_comes_back(features: list[Feature]) -> None:
    found, notes = there_and_back("slidescore", features)
    assert not notes
    left = list(found)
    for before in features:  # they come question by question
        after = next(one for one in left if same_shape(before.geometry, one.geometry))
        left.remove(after)
        assert before.author == after.author
        names = [one.classification and one.classification.name for one in (before, after)]
        assert names[0] == names[1]
    assert not left


def test_ellipses_stay_and_lines_are_told() -> None:
    oval = shapely.transform(shapely.Point(9, 9).buffer(5, quad_segs=16), lambda xy: xy * (3, 1))
    line = Feature(shapely.LineString([(1, 2), (30, 40)]))
    found, notes = there_and_back("slidescore", [Feature(oval, is_ellipse=True), line])
    assert said(found[0], "is_ellipse") == (True,)
    assert same_shape(found[0].geometry, oval, 0.02)
    assert sum(notes.values()) == 1
