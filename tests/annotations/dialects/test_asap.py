"""ASAP's XML. No real file is at hand: these are written from the format's description."""

from __future__ import annotations

from pathlib import Path

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
from pathoview.annotations.dialects.frame import DialectOptions
from pathoview.annotations.feature import Feature

_FILE = """<?xml version="1.0"?>
<ASAP_Annotations><Annotations>
<Annotation Name="Annotation 0" Type="Polygon" PartOfGroup="Tumor" Color="#F4FA58"><Coordinates>
<Coordinate Order="1" X="100" Y="0"/><Coordinate Order="0" X="0" Y="0"/>
<Coordinate Order="2" X="100,5" Y="100"/><Coordinate Order="3" X="0" Y="100"/>
</Coordinates></Annotation>
<Annotation Name="in it" Type="Spline" PartOfGroup="Exclusion" Color="#000000"><Coordinates>
<Coordinate Order="0" X="10" Y="10"/><Coordinate Order="1" X="20" Y="10"/>
<Coordinate Order="2" X="20" Y="20"/></Coordinates></Annotation>
<Annotation Name="far" Type="Rectangle" PartOfGroup="Exclusion" Color="#000000"><Coordinates>
<Coordinate Order="0" X="910" Y="10"/><Coordinate Order="1" X="920" Y="10"/>
<Coordinate Order="2" X="920" Y="20"/><Coordinate Order="3" X="910" Y="20"/>
</Coordinates></Annotation>
<Annotation Name="dots" Type="PointSet" PartOfGroup="Mitosis" Color="#0000ff"><Coordinates>
<Coordinate Order="0" X="1" Y="2"/><Coordinate Order="1" X="3" Y="4"/></Coordinates></Annotation>
<Annotation Name="long" Type="Measurement" PartOfGroup="None" Color="#F4FA58"><Coordinates>
<Coordinate Order="0" X="1" Y="2"/><Coordinate Order="1" X="3" Y="4"/></Coordinates></Annotation>
<Annotation Name="empty" Type="Polygon" PartOfGroup="None" Color="#F4FA58"><Coordinates>
<Coordinate Order="0" X="a" Y="2"/></Coordinates></Annotation>
</Annotations><AnnotationGroups>
<Group Name="Tumor" PartOfGroup="None" Color="#64FE2E"><Attributes/></Group>
<Group Name="Mitosis" PartOfGroup="Tumor" Color="#ff0000"><Attributes/></Group>
</AnnotationGroups></ASAP_Annotations>"""


def test_all_types_groups_and_exclusions(tmp_path: Path) -> None:
    path = tmp_path / "slide.txt"
    path.write_text(_FILE, "utf-8")
    (tumor, dots, ruler, far), notes = features_in(path)
    assert tumor.classification == DetectionClass("Tumor", (0x64, 0xFE, 0x2E))
    assert tumor.color == (0xF4, 0xFA, 0x58)
    assert tumor.name == ""  # automatic names are none
    assert len(tumor.geometry.interiors) == 1
    assert tumor.geometry.exterior.bounds == (0, 0, 100.5, 100)
    assert dots.geometry.geom_type == "MultiPoint"
    assert dots.classification == DetectionClass("Tumor: Mitosis", (255, 0, 0))
    assert (ruler.role, ruler.geometry.geom_type, ruler.color) == ("ruler", "LineString", None)
    assert (far.name, far.classification and far.classification.name) == ("far", "Exclusion")
    assert list(notes.values()) == [1]


def test_exclusions_stay_objects_when_told_so(tmp_path: Path) -> None:
    path = tmp_path / "slide.xml"
    path.write_text(_FILE, "utf-8")
    found, _notes = features_in(path, DialectOptions(exclusion_groups=()))
    assert len(found) == 5
    assert not found[0].geometry.interiors


@FEW
@given(
    apart(
        st.one_of(polygons(holes=True), points(), lines(2, 2)),
        classification=st.none() | CLASSES,
        name=TEXT,
    )
)
def test_what_asap_can_say_comes_back(features: list[Feature]) -> None:
    found, notes = there_and_back("asap", features)
    assert not notes
    for before, after in zip(features, found, strict=True):
        assert same_shape(before.geometry, after.geometry)
        members = ("classification", "name", "color")
        assert said(before, *members) == said(after, *members)


def test_what_fills_a_hole_is_not_cut_by_it() -> None:
    square = shapely.box(10, 10, 20, 20)
    ring = Feature(shapely.box(0, 0, 100, 100).difference(square))
    found, _notes = there_and_back("asap", [ring, Feature(square)])
    assert [one.geometry.area for one in found] == [9900, 100]


def test_what_asap_cannot_say_is_told() -> None:
    two = shapely.MultiPolygon([shapely.box(0, 0, 9, 9), shapely.box(20, 0, 29, 9)])
    bent = shapely.LineString([(0, 0), (5, 5), (9, 0)])
    round_ = Feature(shapely.Point(90, 90).buffer(5), is_ellipse=True)
    found, notes = there_and_back("asap", [Feature(two), Feature(bent), round_])
    assert len(found) == 3
    assert sorted(notes.values()) == [1, 1, 1]
