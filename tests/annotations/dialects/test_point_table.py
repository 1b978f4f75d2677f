"""Tables of points, with the headers that people write."""

from __future__ import annotations

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
    points,
    said,
    same_shape,
    there_and_back,
)
from hypothesis import given
from hypothesis import strategies as st

from pathoview.annotations.dialects.formats import SlideFrame, recognise
from pathoview.annotations.dialects.frame import DialectOptions
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError


def test_the_real_nuclei_of_one_picture(shared_data: Path) -> None:
    path = shared_data / "crchisto" / "nuclei.csv"
    found, notes = features_in(path, frame=SlideFrame(500, 500, name="img1.bmp"))
    lines = path.read_text().splitlines()
    assert len(found) == sum(line.startswith("img1,") for line in lines) == 29
    assert not notes
    assert found[0].classification is not None
    assert found[0].classification.name == "inflammatory"
    assert found[0].geometry.x == pytest.approx(8.524251069900174)
    with pytest.raises(AnnotationFileError, match="several pictures"):
        features_in(path)


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n1,2\n3,4\n",
        "X;Y;Class\n1;2;a\n3;4;b\n",
        "1\t2\n3\t4\n",
        "1 2\n3 4\n",
        "id,x_px,y_px,label\n7,1,2,a\n8,3,4,b\n",
        "Centroid X px,Centroid Y px\n1,2\n3,4\n",
        "row,column\n2,1\n4,3\n",
        '"x [µm]","y [µm]"\n0.25,0.5\n0.75,1\n',
        "Image\tCentroid X µm\tCentroid Y µm\none.svs\t0.25\t0.5\none.svs\t0.75\t1\n",
        "x_um,y_um\n0.25,0.5\n\n0.75,1\nnone,\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_headers_delimiters_and_units(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "file"
    path.write_text(text, encoding)
    found, _notes = features_in(path)
    assert [(one.geometry.x, one.geometry.y) for one in found] == [(1, 2), (3, 4)]


def test_micrometres_without_a_scale_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(AnnotationFileError, match="µm per pixel"):
        features_in(path, DialectOptions(unit="um"), frame=SlideFrame(9, 9))


@pytest.mark.parametrize("text", ["a sentence, and more\n", "name,age\nx,7\n", "", "\0\0\0"])
def test_other_text_is_no_table_of_points(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(text)
    assert recognise(path) is None


def test_western_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("x,y,class\n1,2,Gefäß\n".encode("cp1252"))
    (one,), _notes = features_in(path)
    assert one.classification is not None
    assert one.classification.name == "Gefäß"


@FEW
@given(apart(points(), classification=st.none() | CLASSES, name=TEXT, author=TEXT, created=TEXT))
def test_points_come_back(features: list[Feature]) -> None:
    found, notes = there_and_back("points", features)
    assert not notes
    for before, after in zip(features, found, strict=True):
        assert same_shape(before.geometry, after.geometry)
        members = ("name", "author", "created")
        assert said(before, *members) == said(after, *members)
        names = [one.classification and one.classification.name for one in (before, after)]
        assert names[0] == names[1]


def test_shapes_are_told() -> None:
    drawn = [Feature(shapely.box(0, 0, 1, 1)), Feature(shapely.MultiPoint([(1, 2), (3, 4)]))]
    found, notes = there_and_back("points", drawn)
    assert len(found) == 2
    assert sum(notes.values()) == 1
    assert FRAME.mpp is not None
