"""Annotation JSON of large_image. Written from its public schema: no real file is at hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import shapely
from dialect_helpers import (
    CLASSES,
    FEW,
    TEXT,
    apart,
    features_in,
    lines,
    points,
    polygons,
    said,
    same_shape,
    there_and_back,
)
from hypothesis import given
from hypothesis import strategies as st

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError

_SQUARE = [[0, 0, 0], [100, 0, 0], [100, 100, 0], [0, 100, 0]]
_HOLE = [[10, 10, 0], [20, 10, 0], [20, 20, 0]]
_ELEMENTS: list[dict[str, Any]] = [
    {
        "type": "polyline",
        "closed": True,
        "points": _SQUARE,
        "holes": [_HOLE],
        "group": "Tumor",
        "lineColor": "rgb(1, 2, 3)",
        "label": {"value": "first"},
        "user": {"grade": 3},
    },
    {"type": "polyline", "points": _SQUARE, "lineColor": "#0f0"},
    {"type": "point", "center": [5, 6, 0]},
    {
        "type": "rectangle",
        "center": [50, 50, 0],
        "width": 20,
        "height": 10,
        "rotation": math.pi / 2,
    },
    {"type": "ellipse", "center": [50, 50, 0], "width": 20, "height": 10, "rotation": 0.3},
    {"type": "circle", "center": [50, 50, 0], "radius": 7},
    {"type": "arrow", "points": [[0, 0, 0], [9, 9, 0]]},
    {"type": "heatmap", "points": [[0, 0, 0, 1]]},
    {"type": "point"},
]


def _checked(found: list[Feature]) -> None:
    area, line, dot, box, oval, round_, arrow = found
    assert len(area.geometry.interiors) == 1
    assert area.classification == DetectionClass("Tumor", (1, 2, 3))
    assert said(area, "name", "metadata") == ("first", {"grade": "3"})
    assert (line.geometry.geom_type, line.color) == ("LineString", (0, 255, 0))
    assert dot.geometry.equals(shapely.Point(5, 6))
    assert box.geometry.bounds == pytest.approx((45, 40, 55, 60))
    assert not oval.is_ellipse  # it is turned: its bounding box does not tell it
    assert round_.is_ellipse
    assert round_.geometry.bounds == pytest.approx((43, 43, 57, 57))
    assert arrow.role == "arrow"


@pytest.mark.parametrize("kind", ["bare", "stored", "several"])
def test_all_elements_in_all_wrappers(tmp_path: Path, kind: str) -> None:
    bare = {"name": "mine", "elements": _ELEMENTS}
    stored = {
        "_id": "5f",
        "creatorId": "anna",
        "created": "2024-01-02T03:04:05",
        "annotation": bare,
    }
    value = {"bare": bare, "stored": stored, "several": [stored]}[kind]
    path = tmp_path / "file"
    path.write_text(json.dumps(value))
    found, notes = features_in(path)
    _checked(found)
    assert sum(notes.values()) == 2
    expected = ("", "") if kind == "bare" else ("anna", "2024-01-02T03:04:05")
    assert said(found[0], "author", "created") == expected


def test_a_rotation_turns_from_the_x_axis_down(tmp_path: Path) -> None:
    """As large_image turns corners itself: x cos − y sin, x sin + y cos."""
    path = tmp_path / "file"
    element = {"type": "rectangle", "center": [0, 0, 0], "width": 200, "height": 2, "rotation": 0.5}
    path.write_text(json.dumps({"elements": [element]}))
    (box,), _notes = features_in(path)
    assert box.geometry.contains(shapely.Point(99 * math.cos(0.5), 99 * math.sin(0.5)))


def test_a_file_without_elements_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text('{"elements": 7}')
    with pytest.raises(AnnotationFileError):
        features_in(path)


@FEW
@given(
    apart(
        st.one_of(polygons(holes=True), points(), lines()),
        classification=st.none() | CLASSES,
        name=TEXT,
        author=TEXT,
        created=TEXT,
        metadata=st.dictionaries(st.sampled_from("ab"), TEXT.filter(bool)),
    )
)
def test_what_dsa_can_say_comes_back(features: list[Feature]) -> None:
    found, notes = there_and_back("dsa", features)
    assert not notes
    for before, after in zip(features, found, strict=True):
        assert same_shape(before.geometry, after.geometry)
        members = ("classification", "name", "author", "created", "metadata")
        assert said(before, *members) == said(after, *members)


def test_ellipses_and_arrows_stay_what_they_are() -> None:
    oval = shapely.transform(shapely.Point(9, 9).buffer(5, quad_segs=16), lambda xy: xy * (3, 1))
    line = shapely.LineString([(1, 2), (30, 40)])
    found, _notes = there_and_back(
        "dsa", [Feature(oval, is_ellipse=True), Feature(line, role="arrow")]
    )
    assert found[0].is_ellipse
    assert same_shape(found[0].geometry, oval, 0.02)
    assert found[1].role == "arrow"
