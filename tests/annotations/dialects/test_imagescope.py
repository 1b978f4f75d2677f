"""Aperio ImageScope's XML: the real file, and what descriptions say of holes, types and colours."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from dialect_helpers import (
    CLASSES,
    FEW,
    TEXT,
    apart,
    features_in,
    lines,
    polygons,
    said,
    same_shape,
    there_and_back,
)
from hypothesis import given
from hypothesis import strategies as st

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects.formats import SlideFrame
from pathoview.annotations.dialects.frame import DialectOptions
from pathoview.annotations.feature import Feature


def _file(tmp_path: Path, regions: str, name: str = "Tumor", color: int = 255) -> Path:
    path = tmp_path / "file"
    path.write_text(
        f'<Annotations MicronsPerPixel="0.25"><Annotation Id="1" Name="{name}" ReadOnly="1"'
        f' LineColor="{color}" Visible="0"><Regions>{regions}</Regions></Annotation></Annotations>'
    )
    return path


def _region(points: list[tuple[float, float]], **said: object) -> str:
    members = " ".join(f'{key}="{value}"' for key, value in {"Type": 0, **said}.items())
    places = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in points)
    return f"<Region {members}><Vertices>{places}</Vertices></Region>"


def _square(left: float, top: float, size: float) -> list[tuple[float, float]]:
    return [(left, top), (left + size, top), (left + size, top + size), (left, top + size)]


def test_the_real_file(shared_data: Path) -> None:
    """It belongs to OpenSlide's test slide CMU-1-JP2K-33005.svs (46,000 × 32,893), not at hand."""
    path = shared_data / "annotations" / "imagescope_CMU-1-JP2K-33005.xml"
    frame = SlideFrame(46_000, 32_893, (0.2521, 0.2521))
    found, notes = features_in(path, frame=frame)
    dots, necrosis, fold, oval = found
    assert dots.geometry.geom_type == "MultiPoint"
    assert len(dots.geometry.geoms) == 10
    assert shapely.get_num_coordinates(necrosis.geometry) == 5
    assert [one.classification and one.classification.name for one in found] == [
        *(None, "Necrosis", "Fold", None)
    ]
    assert necrosis.classification == DetectionClass("Necrosis", (0, 255, 0))
    assert oval.is_ellipse
    assert oval.geometry.bounds == pytest.approx((36876.25, 2957.56, 37011.37, 3097.95), abs=0.01)
    assert fold.geometry.geom_type == "Polygon"
    assert len(fold.geometry.interiors) == 1  # the stroke runs around a spot
    assert list(notes.values()) == [1]
    whole = shapely.box(0, 0, frame.width_l0, frame.height_l0)
    assert all(whole.covers(one.geometry) for one in found)


def test_holes_are_cut_out_of_what_holds_them(tmp_path: Path) -> None:
    regions = (
        _region(_square(10, 10, 20), NegativeROA=1)
        + _region(_square(0, 0, 100))
        + _region(_square(200, 0, 50))
        + _region(_square(95, 40, 20), NegativeROA=1)
        + _region(_square(500, 500, 5), NegativeROA=1)
    )
    found, notes = features_in(_file(tmp_path, regions))
    assert [len(one.geometry.interiors) for one in found] == [1, 0]
    assert sum(notes.values()) == 2  # one crosses a border, one lies in nothing


def test_a_hole_that_crosses_the_border_by_a_hair_is_cut_out(tmp_path: Path) -> None:
    regions = _region(_square(0, 0, 100)) + _region(_square(50, 50, 50.001), NegativeROA=1)
    found, notes = features_in(_file(tmp_path, regions))
    assert found[0].geometry.area == pytest.approx(7500)
    assert not notes


def test_types_tell_rectangle_ellipse_arrow_and_ruler(tmp_path: Path) -> None:
    corners = [(0, 0), (10, 20)]
    kinds = "".join(_region(corners, Type=kind, Text=f"no {kind}") for kind in range(5))
    line, box, oval, arrow, ruler = features_in(_file(tmp_path, kinds))[0]
    assert (line.geometry.geom_type, line.role) == ("LineString", "")
    assert box.geometry.equals(shapely.box(0, 0, 10, 20))
    assert oval.is_ellipse
    assert oval.geometry.area == pytest.approx(157, rel=0.01)
    assert (arrow.role, ruler.role, ruler.name) == ("arrow", "ruler", "no 4")
    assert all(one.is_hidden and one.is_locked for one in (line, box, oval, arrow, ruler))


@pytest.mark.parametrize(("order", "expected"), [("bgr", (255, 0, 0)), ("rgb", (0, 0, 255))])
def test_the_order_of_colours_is_a_switch(
    tmp_path: Path, order: str, expected: tuple[int, int, int]
) -> None:
    path = _file(tmp_path, _region(_square(0, 0, 9)), color=255)
    options = DialectOptions(color_order="bgr" if order == "bgr" else "rgb")
    (one,), _notes = features_in(path, options)
    assert one.classification == DetectionClass("Tumor", expected)


def test_strokes_whose_ends_meet_become_one_outline(tmp_path: Path) -> None:
    strokes = _region([(0, 0), (100, 0), (100, 50)]) + _region([(0, 2), (0, 100), (98, 51)])
    path = _file(tmp_path, strokes + _region(_square(500, 500, 9)))
    assert len(features_in(path)[0]) == 3
    found, notes = features_in(path, DialectOptions(join_ends_px=5))
    assert len(found) == 2
    assert found[0].geometry.area == pytest.approx(7500, rel=0.1)
    assert sum(notes.values()) == 1


@FEW
@given(
    apart(
        st.one_of(polygons(holes=True), lines(2, 2)),
        classification=CLASSES,
        name=TEXT.filter(lambda text: text != "null"),
        is_hidden=st.booleans(),
        is_locked=st.booleans(),
    ),
    st.sampled_from(["bgr", "rgb"]),
)
def test_what_imagescope_can_say_comes_back(features: list[Feature], order: str) -> None:
    options = DialectOptions(color_order="bgr" if order == "bgr" else "rgb")
    found, notes = there_and_back("imagescope", features, options)
    assert not notes
    left = list(found)
    for before in features:  # they come layer by layer
        after = next(one for one in left if same_shape(before.geometry, one.geometry))
        left.remove(after)
        members = ("classification", "is_hidden", "is_locked")
        assert said(before, *members) == said(after, *members)
        same_as_class = before.classification and before.name == before.classification.name
        assert after.name == ("" if same_as_class else before.name)
    assert not left


def test_what_lies_in_a_hole_is_not_cut_by_it() -> None:
    named = DetectionClass("Tumor", (1, 2, 3))
    ring = Feature(shapely.box(0, 0, 90, 90) - shapely.box(10, 10, 50, 50), classification=named)
    across = Feature(shapely.box(5, 5, 60, 60), classification=named)
    found, _notes = there_and_back("imagescope", [ring, across])
    assert {one.geometry.area for one in found} == {ring.geometry.area, across.geometry.area}


def test_an_ellipse_stays_one_and_points_are_told() -> None:
    oval = shapely.transform(shapely.Point(0, 0).buffer(1, quad_segs=16), lambda xy: xy * (30, 20))
    moved = shapely.transform(oval, lambda xy: xy + 100)
    dot = Feature(shapely.Point(1, 2))
    found, notes = there_and_back("imagescope", [Feature(moved, is_ellipse=True), dot])
    assert found[0].is_ellipse
    assert found[0].geometry.bounds == pytest.approx(moved.bounds)
    assert sum(notes.values()) == 1
