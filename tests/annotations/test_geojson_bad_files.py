"""Files that are broken, cut off or hostile: one sentence each, and never a crash."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from geojson_helpers import feature_json, read, read_json, write
from outline_tables import random_table

from pathoview.annotations import geojson_elements
from pathoview.annotations.geojson_reader import read_geojson, warning_sentences
from pathoview.core.errors import GeoJSONError

ONE = json.dumps(feature_json())


def _zip(*names: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name in names:
            packed.writestr(name, ONE)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("hello", "is not GeoJSON"),
        ("]", "is not GeoJSON"),
        ("<Annotations/>", "is not GeoJSON"),
        (ONE.encode("utf-16"), "UTF-16"),
        ("[" * 100_000, "more than 300 deep"),
        ("[" * 100_000 + "]" * 100_000, "more than 300 deep"),
        ('{"type":"FeatureCollection","features":' + "[" * 100_000, "more than 300 deep"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "more than 300 deep"),
        (f"[{ONE},{ONE}", "cut off after 2 complete"),
        (f"[{ONE},{ONE[:70]}", "cut off after 1 complete"),
        (f'{{"type":"FeatureCollection","features":[{ONE},{ONE[:-9]}', "cut off after 1 complete"),
        (f'{{"type":"FeatureCollection","features":[{ONE}]', "cut off after 1 complete"),
        (f"[{ONE},{{]", "not valid JSON near object 1:"),
        (f"[{ONE} {ONE}]", "not valid JSON near object 1:"),
        (f"[{ONE},{ONE},{ONE[:-1]},]", "not valid JSON near object 3:"),
        (f"{ONE} and so on", "not valid JSON"),
        (f"{ONE}]", "not valid JSON"),
        (f"{ONE}, x, {ONE}", "not valid JSON"),
        ("[1, 2]", "no object that can be used"),
        ('["features"]', "no object that can be used"),
        ('{"a": 1}', "no object that can be used"),
        ('{"type": "FeatureCollection", "features": 5}', "no object that can be used"),
        ('{"type": "GeometryCollection", "geometries": []}', "no object that can be used"),
        (ONE.replace("Polygon", "Circle"), "no object that can be used"),
        (ONE.replace("[10, 0]", "[10, , 0]"), "no object that can be used"),
        (ONE.replace("[10, 0]", "[1 0, 0]"), "no object that can be used"),
        (ONE.replace("[10, 0]", "[1e999, 0]"), "no object that can be used"),
        (gzip.compress(ONE.encode())[:-12], "packed file .* damaged or cut off"),
        (b"\x1f\x8b" + b"rubbish" * 9, "packed file .* damaged or cut off"),
        (b"PK\x03\x04rubbish", "packed file .* damaged or cut off"),
        (_zip("a.txt"), "holds 0 GeoJSON files"),
        (_zip("a.geojson", "b.json"), "holds 2 GeoJSON files"),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence(
    tmp_path: Path, document: str | bytes, says: str
) -> None:
    with pytest.raises(GeoJSONError, match=says) as caught:
        read_json(tmp_path, document)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.geojson", tmp_path):
        with pytest.raises(GeoJSONError):
            list(read_geojson(path))


def test_the_sentence_of_a_file_of_wrong_geometries_says_which(tmp_path: Path) -> None:
    with pytest.raises(GeoJSONError) as caught:
        read_json(tmp_path, ONE.replace("Polygon", "Circle"))
    assert "“Circle”" in caught.value.hint


def test_warnings_count_objects() -> None:
    assert warning_sentences({"has too few points and was left out": 1}) == [
        "1 object has too few points and was left out."
    ]
    assert warning_sentences({"has no geometry": 3}) == ["3 objects: each has no geometry."]


@pytest.mark.parametrize(
    "name",
    [
        '"},{"type":"Feature"',
        '\\"features\\":[',
        "[[[[{{{{",
        'one quote " [{',
        'a backslash and a quote \\" ]}',
        "]]]}}}",
        "\\\\",
        '\\"coordinates\\":[[[1,2]]]',
        "\\u007b\\u0022",
        "\t\n",
    ],
)
def test_texts_that_look_like_structure_are_texts(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson_elements, "CHUNK_BYTES", 1000)
    properties = {"objectType": "annotation", "name": name}
    feature = feature_json(properties)
    turned = dict(reversed(feature.items()))  # nothing that looks like the start of a feature
    for one in (feature, turned):
        document = {"type": "FeatureCollection", "features": [one] * 20}
        _table, given, warnings = read_json(tmp_path, document)
        assert [each.name for each in given] == [name] * 20
        assert not warnings


def test_control_characters_and_broken_utf8_do_not_stop_an_import(tmp_path: Path) -> None:
    text = json.dumps([feature_json({"name": "NAME"}), feature_json({"name": "x"})])
    for said, name in ((b"a\tb", "a\tb"), (b"a\xffb", "a�b"), (b"a\\ud800b", "a?b")):
        _table, given, _warnings = read_json(tmp_path, text.encode().replace(b"NAME", said))
        assert [one.name for one in given] == [name, "x"]


@pytest.mark.parametrize("chunk_bytes", [64, 700, 5000, 1 << 20])
@pytest.mark.parametrize(
    "wrapping",
    [
        '{"type":"FeatureCollection","features":[%s],"more":{"a":[1,2]}}',
        '{"more":{"features":[]},"type":"FeatureCollection","features":[%s]}',
        "[%s]",
        "[[[%s]]]",
        "%s",
    ],
)
def test_it_does_not_matter_where_the_chunks_of_a_file_end(
    tmp_path: Path, chunk_bytes: int, wrapping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson_elements, "CHUNK_BYTES", chunk_bytes)
    path = tmp_path / "out.geojson"
    table = random_table(60)
    write(path, [table])
    objects = json.dumps(json.loads(path.read_bytes())["features"])[1:-1]
    again = read_json(tmp_path, wrapping % objects)[0]
    assert np.array_equal(again.points, table.points)
    assert np.array_equal(again.ids, table.ids)


def test_a_hierarchy_is_read_in_pieces_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson_elements, "CHUNK_BYTES", 2000)
    parent = feature_json({"objectType": "annotation", "childObjects": [feature_json()] * 3})
    document = {"type": "FeatureCollection", "features": [parent] * 30}
    given = read_json(tmp_path, document)[1]
    assert len(given) == 120


def test_an_object_without_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson_elements, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(geojson_elements, "LARGEST_BYTES", 20_000)
    with pytest.raises(GeoJSONError, match=r"Object 2 of “given.geojson” is too large"):
        read_json(tmp_path, f"[{ONE}," + '{"a":"' + "x" * 100_000 + '"}]')


def test_a_file_of_nothing_but_bad_rings_is_read(tmp_path: Path) -> None:
    bad = feature_json(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})
    _table, given, warnings = read_json(tmp_path, [*[bad] * 2000, feature_json({})])
    assert (len(given), sum(warnings.values())) == (1, 2000)


def test_a_batch_says_how_much_has_been_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson_elements, "CHUNK_BYTES", 100_000)
    path = tmp_path / "out.geojson"
    write(path, [random_table(3000)])
    fractions = [batch.fraction for batch in read_geojson(path)]
    assert len(fractions) > 5
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert read(path)[0].points.shape == (48_000, 2)
