"""One face for all files: known by content, refused with a sentence, written whole."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import shapely
from dialect_helpers import (
    FEW,
    FRAME,
    apart,
    features_in,
    lines,
    points,
    polygons,
    same_shape,
    there_and_back,
)
from hypothesis import given
from hypothesis import strategies as st

from pathoview.annotations.dialects import xml_stream
from pathoview.annotations.dialects.formats import (
    DIALECTS,
    DialectOptions,
    SlideFrame,
    dialect_named,
    read,
    recognise,
    write,
)
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError, InputError, StorageError, UsageError

_DRAWN = [
    Feature(shapely.box(0, 0, 10, 10)),
    Feature(shapely.Point(5, 5)),
    Feature(shapely.LineString([(0, 0), (9, 9)])),
]
_WRITERS = [one for one in DIALECTS if one.can_write]


def test_the_real_files_are_known(shared_data: Path) -> None:
    expected = {
        "cryonuseg_imagej_TCGA-DE-A4MA.zip": "imagej",
        "imagescope_CMU-1-JP2K-33005.xml": "imagescope",
        "napari_wsi_annotations.json": "napari-wsi",
        "qupath_multipolygon.geojson": "geojson",
        "slidescore.txt": "slidescore",
    }
    found = {path.name: recognise(path) for path in (shared_data / "annotations").iterdir()}
    assert {name: one and one.name for name, one in found.items()} == expected


def test_the_real_geojson_and_napari_files(shared_data: Path) -> None:
    """The shapes of napari-wsi belong to the DICOM series of CMU-1-Small-Region."""
    (area,), _notes = features_in(shared_data / "annotations" / "qupath_multipolygon.geojson")
    assert area.geometry.geom_type == "MultiPolygon"
    assert area.origin == "geojson"
    found, notes = features_in(shared_data / "annotations" / "napari_wsi_annotations.json")
    assert [one.geometry.geom_type for one in found] == ["Point", "LineString", "Polygon"]
    assert found[0].geometry.equals(shapely.Point(0, 1))
    assert not notes


@pytest.mark.parametrize("dialect", _WRITERS, ids=lambda one: one.name)
def test_what_is_written_is_known_again_with_an_honest_count(
    tmp_path: Path, dialect: object
) -> None:
    assert dialect in DIALECTS
    one = next(known for known in DIALECTS if known is dialect)
    frame = SlideFrame(64, 64, (0.5, 0.5), slide_offset_nm=(0, 0), name="a.svs")
    notes: list[str] = []
    path = tmp_path / "file"
    n_written = write(path, one, _DRAWN, frame, note=notes.append)
    assert n_written + len(notes) == len(_DRAWN)
    assert recognise(path) is one
    found, _notes = features_in(path, frame=frame)
    assert len(found) == n_written
    assert {found_one.origin for found_one in found} == {one.name}


@pytest.mark.parametrize("dialect", _WRITERS, ids=lambda one: one.name)
def test_nothing_to_write_makes_a_file_of_nothing(tmp_path: Path, dialect: object) -> None:
    one = next(known for known in DIALECTS if known is dialect)
    path = tmp_path / "file"
    frame = SlideFrame(64, 64, (0.5, 0.5), slide_offset_nm=(0, 0))
    assert write(path, one, [], frame) == 0
    assert list(read(path, frame, dialect=one)) == []


def test_an_error_on_the_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(AnnotationFileError):
        write(path, dialect_named("ndpa"), _DRAWN, SlideFrame(9, 9))
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"
    with pytest.raises(StorageError):
        write(tmp_path / "none" / "file", dialect_named("asap"), _DRAWN, FRAME)


def test_names_that_there_are_not() -> None:
    with pytest.raises(UsageError, match="no annotation format"):
        dialect_named("word")
    with pytest.raises(UsageError, match="does not write"):
        write(Path("x"), dialect_named("qupath-project"), [], FRAME)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"   \n", "is empty"),
        (b"\x7fELF\0\0", "is no annotation file that PathoView knows"),
        (b"<html><body/></html>", "is no annotation file that PathoView knows"),
        (b'{"hello": 1}', "is no annotation file that PathoView knows"),
        (b"<ASAP_Annotations><Annotations>", "damaged"),
        (b"<annotations><ndpviewstate id='1'>", "damaged"),
        (b'<Annotations MicronsPerPixel="1"><Annotation><Regions><Region', "damaged"),
        (b'{"elements": [', "damaged"),
        (b'{"images": [{"id": 1}], "annotations": [', "damaged"),
        (b"<?xml version='1.0' encoding='klingon'?><ASAP_Annotations/>", "damaged"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "file.xml"
    path.write_bytes(data)
    with pytest.raises(AnnotationFileError, match=sentence) as refusal:
        list(read(path, FRAME))
    assert refusal.value.hint


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(AnnotationFileError, match="There is no file"):
        recognise(Path("nowhere.xml"))


_BOMB = """<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">{entities}]>
<ASAP_Annotations>&z;</ASAP_Annotations>"""


def test_entities_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.xml"
    names = "abcdefghijz"
    steps = pairwise(names)
    entities = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in steps)
    path.write_text(_BOMB.format(entities=entities))
    with pytest.raises(AnnotationFileError, match="defines entities"):
        list(read(path, FRAME))
    path.write_text(
        '<!DOCTYPE a [<!ENTITY z SYSTEM "file:///etc/passwd">]>'
        "<ASAP_Annotations>&z;</ASAP_Annotations>"
    )
    with pytest.raises(AnnotationFileError, match="defines entities"):
        list(read(path, FRAME))


def test_depth_and_endless_tags_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.xml"
    path.write_text("<ASAP_Annotations>" + "<a>" * 100)
    with pytest.raises(AnnotationFileError, match="too many elements"):
        list(read(path, FRAME))
    monkeypatch.setattr(xml_stream, "LARGEST_BYTES", 100_000)
    path.write_text('<ASAP_Annotations><Annotation Name="' + "n" * 300_000)
    with pytest.raises(AnnotationFileError, match="without an end"):
        list(read(path, FRAME))


def test_xml_is_not_kept_while_it_is_read(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "file.xml"
    vertex = '<Coordinate Order="{}" X="1" Y="{}"/>'
    one = "<Annotation><Coordinates>" + vertex.format(0, 0) + "</Coordinates></Annotation>"
    path.write_text(
        f"<ASAP_Annotations><Annotations>{one * 20_000}</Annotations></ASAP_Annotations>"
    )
    tracemalloc.start()
    for _event in xml_stream.xml_elements(path):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@FEW
@given(apart(st.one_of(polygons(holes=True), points(), lines())))
def test_napari_takes_nothing_but_shapes(features: list[Feature]) -> None:
    found, notes = there_and_back("napari-wsi", features)
    assert not notes
    for before, after in zip(features, found, strict=True):
        assert same_shape(before.geometry, after.geometry)


@FEW
@given(apart(st.one_of(polygons(holes=True), points(), lines())))
def test_geojson_counts_from_the_bounds_when_told_so(features: list[Feature]) -> None:
    found, _notes = there_and_back("geojson", features)
    for before, after in zip(features, found, strict=True):
        assert same_shape(before.geometry, after.geometry)
        assert before.id == after.id


def test_bounds_are_added_in_and_subtracted_out(tmp_path: Path) -> None:
    frame = SlideFrame(900, 900, bounds_offset_l0=(100, 200))
    path = tmp_path / "file"
    write(path, dialect_named("geojson"), _DRAWN[1:2], frame)
    (same,), _notes = features_in(path, frame=frame)
    assert same.geometry.equals(shapely.Point(5, 5))
    (raw,), _notes = features_in(path, DialectOptions(crop_to_bounds=False), frame)
    assert raw.geometry.equals(shapely.Point(-95, -195))


def test_every_error_is_an_input_error() -> None:
    assert issubclass(AnnotationFileError, InputError)
