"""Hamamatsu's NDPA. No real file is at hand: these are written from the format's description."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from dialect_helpers import (
    CLASSES,
    FEW,
    FRAME,
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
from pathoview.annotations.dialects.formats import SlideFrame
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError

_VIEW = """<ndpviewstate id="1" owner="Anna"><title>{title}</title><details>why</details>
<coordformat>nanometers</coordformat><lens>5</lens><x>7</x><y>7</y><z>0</z>
<annotation type="{kind}" displayname="{kind}" color="#ff0000">{inner}</annotation>
</ndpviewstate>"""
_FRAME = SlideFrame(1000, 600, (0.5, 0.25), slide_offset_nm=(10_000, -20_000))
"""The origin of the file is at (500 − 20, 300 + 80) px."""


def _file(tmp_path: Path, *views: tuple[str, str, str]) -> Path:
    path = tmp_path / "file"
    texts = (_VIEW.format(title=title, kind=kind, inner=inner) for title, kind, inner in views)
    path.write_text(f"<?xml version='1.0'?><annotations>{''.join(texts)}</annotations>")
    return path


def _points(*places: tuple[int, int]) -> str:
    inner = "".join(f"<point><x>{x}</x><y>{y}</y></point>" for x, y in places)
    return f"<pointlist>{inner}</pointlist>"


def test_every_type_is_placed_from_the_centre_of_the_glass(tmp_path: Path) -> None:
    square = _points((0, 0), (5000, 0), (5000, 2500), (0, 2500))
    path = _file(
        tmp_path,
        ("Tumor", "freehand", f"<measuretype>0</measuretype><closed>1</closed>{square}"),
        ("Edge", "freehand", f"<closed>0</closed>{square}"),
        ("Box", "freehand", f"<closed>0</closed><specialtype>rectangle</specialtype>{square}"),
        ("Round", "circle", "<x>0</x><y>0</y><radius>5000</radius>"),
        ("Pin", "pin", "<x>500</x><y>-250</y><icon>pinblue</icon>"),
        ("Long", "linearmeasure", "<x1>0</x1><y1>0</y1><x2>500</x2><y2>250</y2>"),
        ("There", "pointer", "<x1>0</x1><y1>0</y1><x2>500</x2><y2>250</y2>"),
        ("Broken", "pin", "<x>a</x>"),
    )
    found, notes = features_in(path, frame=_FRAME)
    tumor, edge, box, round_, pin, ruler, arrow = found
    assert tumor.geometry.equals(shapely.box(480, 380, 490, 390))
    assert tumor.classification == DetectionClass("Tumor", (255, 0, 0))
    assert said(tumor, "name", "author") == ("why", "Anna")
    assert edge.geometry.geom_type == "LineString"
    assert box.geometry.equals(tumor.geometry)
    assert round_.geometry.bounds == pytest.approx((470, 360, 490, 400))
    assert round_.is_ellipse
    assert pin.geometry.equals(shapely.Point(481, 379))
    assert (ruler.role, arrow.role) == ("ruler", "arrow")
    assert ruler.geometry.equals(shapely.LineString([(480, 380), (481, 381)]))
    assert sum(notes.values()) == 1


@pytest.mark.parametrize("missing", ["mpp", "slide_offset_nm"])
def test_a_slide_that_says_too_little_is_refused(tmp_path: Path, missing: str) -> None:
    frame = replace(_FRAME, **{missing: None})
    with pytest.raises(AnnotationFileError) as refusal:
        features_in(_file(tmp_path, ("A", "pin", "<x>0</x><y>0</y>")), frame=frame)
    assert refusal.value.hint


@FEW
@given(
    apart(
        st.one_of(polygons(holes=False), points(), lines(3)),
        classification=st.none() | CLASSES,
        name=TEXT,
        author=TEXT,
    )
)
def test_what_ndpa_can_say_comes_back(features: list[Feature]) -> None:
    found, notes = there_and_back("ndpa", features)
    assert not notes
    for before, after in zip(features, found, strict=True):
        assert same_shape(before.geometry, after.geometry, 0.005)  # whole nanometres
        members = ("classification", "name", "author")
        assert said(before, *members) == said(after, *members)


def test_circle_ruler_and_arrow_come_back_and_holes_are_told() -> None:
    round_ = Feature(shapely.Point(900, 900).buffer(50), is_ellipse=True)
    line = shapely.LineString([(1, 2), (30, 40)])
    ring = Feature(shapely.box(0, 0, 90, 90) - shapely.box(10, 10, 50, 50))
    drawn = [round_, Feature(line, role="ruler"), Feature(line, role="arrow"), ring]
    found, notes = there_and_back("ndpa", drawn)
    assert found[0].is_ellipse
    assert found[0].geometry.bounds == pytest.approx(round_.geometry.bounds, abs=0.01)
    assert [one.role for one in found] == ["", "ruler", "arrow", ""]
    assert found[3].geometry.area == pytest.approx(8100, abs=1)
    assert sum(notes.values()) == 1
    assert FRAME.slide_offset_nm is not None
