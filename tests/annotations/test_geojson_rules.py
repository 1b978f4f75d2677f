"""One test or more for each rule of QuPath's dialect, in the order of the guide's list."""

from __future__ import annotations

import gzip
import io
import json
import math
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from geojson_helpers import SQUARE, feature_json, read, read_json, write
from outline_tables import random_table
from qupath_checker import features, violations

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_writer import ExportOptions
from pathoview.core.errors import GeoJSONError, UsageError
from pathoview.core.pyramid import Plane

ID = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
BOX = shapely.box(1, 2, 30, 40)


def _written(tmp_path: Path, *given: Feature, **more: Any) -> list[dict[str, Any]]:
    path = tmp_path / "out.geojson"
    write(path, features=given, **more)
    assert violations(path) == []
    return features(path)


# 1 ids


def test_every_object_is_written_with_its_uuid(tmp_path: Path) -> None:
    table = random_table(5)
    path = tmp_path / "out.geojson"
    write(path, [table])
    assert violations(path) == []
    assert [one["id"] for one in features(path)] == [str(table.uuid(row)) for row in range(5)]


def test_ids_that_are_no_uuid_are_replaced_by_ids_that_stay_the_same(tmp_path: Path) -> None:
    document = [feature_json(id="17"), feature_json(id=17), feature_json(), feature_json(id=ID)]
    first, again = (read_json(tmp_path, document)[0] for _ in range(2))
    assert first.uuid(3) == uuid.UUID(ID)
    assert len({first.uuid(row) for row in range(4)}) == 4
    assert np.array_equal(first.ids, again.ids)


@pytest.mark.parametrize("text", [ID.upper(), ID.replace("-", ""), "{" + ID + "}"])
def test_other_spellings_of_a_uuid_are_understood(tmp_path: Path, text: str) -> None:
    assert read_json(tmp_path, [feature_json(id=text)])[0].uuid(0) == uuid.UUID(ID)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("PathAnnotationObject", "annotation"),
        ("PathCellObject", "cell"),
        ("PathTileObject", "tile"),
        ("TMACoreObject", "tmaCore"),
    ],
)
def test_the_oldest_files_keep_the_type_in_the_id(tmp_path: Path, said: str, meant: str) -> None:
    _table, given, _warnings = read_json(tmp_path, [feature_json({}, id=said)])
    assert [one.object_type for one in given] == [meant]


def test_detections_of_the_oldest_files_become_columns(tmp_path: Path) -> None:
    old = feature_json(
        {"isLocked": False, "measurements": [{"name": "Area", "value": 2.5}]},
        id="PathDetectionObject",
    )
    table, given, _warnings = read_json(tmp_path, [old])
    assert (len(table), given, table.measurements["Area"][0]) == (1, [], 2.5)


# 2 object types


@pytest.mark.parametrize("key", ["objectType", "object_type", "type"])
def test_the_object_type_has_three_names(tmp_path: Path, key: str) -> None:
    assert len(read_json(tmp_path, [feature_json({key: "detection"})])[0]) == 1


@pytest.mark.parametrize("properties", [{}, {"objectType": "nucleus"}, None])
def test_an_unknown_or_missing_object_type_means_annotation(
    tmp_path: Path, properties: Any
) -> None:
    document = [{"type": "Feature", "geometry": SQUARE, "properties": properties}]
    _table, given, _warnings = read_json(tmp_path, document)
    assert [one.object_type for one in given] == ["annotation"]


# 3 planes


def test_a_plane_is_written_only_when_it_is_not_the_default(tmp_path: Path) -> None:
    plain, deep = _written(
        tmp_path, Feature(BOX), Feature(shapely.box(0, 0, 5, 5), plane=Plane(z=3, t=1, c=2))
    )
    assert "plane" not in plain["geometry"]
    assert deep["geometry"]["plane"] == {"c": 2, "z": 3, "t": 1}


@pytest.mark.parametrize(
    ("said", "meant"), [({}, Plane()), ({"z": 2}, Plane(z=2)), ({"t": 1, "c": 0}, Plane(t=1, c=0))]
)
def test_members_of_a_plane_may_be_missing(tmp_path: Path, said: Any, meant: Plane) -> None:
    document = [{"type": "Feature", "geometry": {**SQUARE, "plane": said}, "properties": {}}]
    assert read_json(tmp_path, document)[1][0].plane == meant


def test_a_detection_on_another_plane_does_not_lose_it_in_columns(tmp_path: Path) -> None:
    document = [feature_json(geometry={**SQUARE, "plane": {"z": 4}})]
    table, given, _warnings = read_json(tmp_path, document)
    assert (len(table), given[0].plane, given[0].object_type) == (0, Plane(z=4), "detection")


# 4 ellipses


def test_an_ellipse_is_rebuilt_from_its_bounding_box(tmp_path: Path) -> None:
    diamond = {
        "type": "Polygon",
        "coordinates": [[[0, 10], [20, 0], [40, 10], [20, 20], [0, 10]]],
        "isEllipse": True,
    }
    _table, (ellipse,), _warnings = read_json(tmp_path, [feature_json({}, geometry=diamond)])
    assert ellipse.is_ellipse
    assert ellipse.geometry.bounds == (0, 0, 40, 20)
    assert ellipse.geometry.area == pytest.approx(math.pi * 20 * 10, rel=0.01)
    (again,) = _written(tmp_path, ellipse)
    assert again["geometry"]["isEllipse"] is True


def test_only_polygons_can_be_ellipses(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [1, 2], "isEllipse": True}
    _table, (given,), _warnings = read_json(tmp_path, [feature_json({}, geometry=point)])
    assert given.geometry.geom_type == "Point"
    (written,) = _written(tmp_path, given)
    assert "isEllipse" not in written["geometry"]


# 5 nuclei of cells


def test_the_nucleus_of_a_cell_stands_beside_its_geometry(tmp_path: Path) -> None:
    cell = Feature(BOX, object_type="cell", nucleus=shapely.box(5, 5, 9, 9))
    (written,) = _written(tmp_path, cell)
    assert written["nucleusGeometry"]["type"] == "Polygon"
    _table, (again,), _warnings = read(tmp_path / "out.geojson")
    assert shapely.equals(again.nucleus, cell.nucleus)


def test_a_nucleus_is_used_for_cells_only(tmp_path: Path) -> None:
    document = [feature_json({"objectType": "annotation"}, nucleusGeometry=SQUARE)]
    assert read_json(tmp_path, document)[1][0].nucleus is None


# 6 classes


@pytest.mark.parametrize(
    ("said", "name", "color"),
    [
        ("Tumor", "Tumor", (200, 0, 0)),
        ({"name": "X", "color": [1, 2, 3]}, "X", (1, 2, 3)),
        ({"name": "X", "color": [1, 2, 3, 128]}, "X", (1, 2, 3)),
        ({"names": ["Tumor", "Positive"], "color": [1, 2, 3]}, "Tumor: Positive", (1, 2, 3)),
        ({"name": "Tumor", "colorRGB": -3670016}, "Tumor", (200, 0, 0)),
        (
            {"name": "Positive", "colorRGB": -1, "parentClass": {"name": "Tumor", "colorRGB": -2}},
            "Tumor: Positive",
            (255, 255, 255),
        ),
        ({"name": "Stroma"}, "Stroma", (150, 200, 150)),
    ],
)
def test_every_form_of_a_class_is_read(
    tmp_path: Path, said: Any, name: str, color: tuple[int, int, int]
) -> None:
    properties = {"objectType": "detection", "classification": said}
    table, _given, _warnings = read_json(tmp_path, [feature_json(properties)])
    assert table.classes == (DetectionClass(name, color),)
    assert table.class_index.tolist() == [0]


@pytest.mark.parametrize("said", [None, {}, ""])
def test_no_class_has_several_forms(tmp_path: Path, said: Any) -> None:
    properties = {"objectType": "detection", "classification": said}
    table, _given, _warnings = read_json(tmp_path, [feature_json(properties)])
    assert table.class_index.tolist() == [-1]


def test_a_class_is_never_written_without_its_colour(tmp_path: Path) -> None:
    path = tmp_path / "out.geojson"
    write(path, [random_table(50)], [Feature(BOX, classification=DetectionClass("a", (1, 2, 3)))])
    assert violations(path) == []
    classes = [one["properties"].get("classification") for one in features(path)]
    assert all(one is None or len(one["color"]) == 3 for one in classes)
    assert {"name": "a", "color": [1, 2, 3]} in classes
    assert {"names": ["Tumor", "Positive"], "color": [200, 0, 0]} in classes


@pytest.mark.parametrize("name", ["A: ", ": A", "A:  : B"])
def test_odd_names_of_classes_stay_sound(tmp_path: Path, name: str) -> None:
    _written(tmp_path, Feature(BOX, classification=DetectionClass(name, (1, 2, 3))))


# 7 colours of objects


@pytest.mark.parametrize("said", [[200, 0, 0], -3670016, [200, 0, 0, 255]])
def test_the_colour_of_an_object_is_three_integers_or_a_packed_one(
    tmp_path: Path, said: Any
) -> None:
    _table, (given,), _warnings = read_json(tmp_path, [feature_json({"color": said})])
    assert given.color == (200, 0, 0)
    (written,) = _written(tmp_path, given)
    assert written["properties"]["color"] == [200, 0, 0]


# 8 flags


def test_flags_are_written_only_when_they_are_true(tmp_path: Path) -> None:
    free, locked, core = _written(
        tmp_path,
        Feature(BOX),
        Feature(BOX, is_locked=True),
        Feature(BOX, object_type="tmaCore", is_missing=True),
    )
    assert free["properties"].keys() == {"objectType"}
    assert locked["properties"]["isLocked"] is True
    assert core["properties"]["isMissing"] is True
    _table, given, _warnings = read(tmp_path / "out.geojson")
    assert [(one.is_locked, one.is_missing) for one in given] == [
        (False, False),
        (True, False),
        (False, True),
    ]


# 9 measurements


def test_numbers_that_are_not_finite_are_written_as_texts(tmp_path: Path) -> None:
    values = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1.5}
    table = random_table(3, n_measurements=1)
    table.measurements["Area µm²"][:] = [math.nan, math.inf, -math.inf]  # type: ignore[index]
    path = tmp_path / "out.geojson"
    write(path, [table], [Feature(BOX, measurements=values)])
    assert violations(path) == []
    said = [one["properties"]["measurements"] for one in features(path)]
    assert [one["Area µm²"] for one in said[:3]] == ["NaN", "Infinity", "-Infinity"]
    assert said[3] == {"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": 1.5}
    again, (feature,), _warnings = read(path)
    assert np.array_equal(again.measurements["Area µm²"], [np.nan, np.inf, -np.inf], equal_nan=True)
    assert feature.measurements["c"] == -math.inf


@pytest.mark.parametrize("text", ["NaN", "nan", "Infinity", "-inf", "1.5", "-INF"])
@pytest.mark.parametrize("object_type", ["detection", "annotation"])
def test_numbers_written_as_texts_are_read(tmp_path: Path, text: str, object_type: str) -> None:
    properties = {"objectType": object_type, "measurements": {"m": text}}
    table, given, _warnings = read_json(tmp_path, [feature_json(properties)])
    value = table.measurements["m"][0] if len(table) else given[0].measurements["m"]
    assert np.array_equal(value, float(text), equal_nan=True)


@pytest.mark.parametrize("object_type", ["detection", "annotation"])
def test_the_older_list_of_measurements_is_read(tmp_path: Path, object_type: str) -> None:
    said = [{"name": "a", "value": 1.5}, {"name": "b", "value": "NaN"}]
    properties = {"objectType": object_type, "measurements": said}
    table, given, _warnings = read_json(tmp_path, [feature_json(properties)])
    value = table.measurements["a"][0] if len(table) else given[0].measurements["a"]
    assert value == 1.5


def test_a_measurement_without_a_number_is_left_out_with_a_warning(tmp_path: Path) -> None:
    properties = {"measurements": {"a": None, "b": "much", "c": 2}}
    _table, (given,), warnings = read_json(tmp_path, [feature_json(properties)])
    assert given.measurements == {"c": 2.0}
    assert sum(warnings.values()) == 2


def test_measurements_can_be_left_out_of_an_export(tmp_path: Path) -> None:
    path = tmp_path / "out.geojson"
    options = ExportOptions(measurements=False)
    write(path, [random_table(3)], [Feature(BOX, measurements={"a": 1.0})], options=options)
    assert violations(path) == []
    assert not any("measurements" in one["properties"] for one in features(path))


def test_bare_nan_and_infinity_are_read_too(tmp_path: Path) -> None:
    text = json.dumps([feature_json({"objectType": "detection", "measurements": {"a": 1}})])
    table, _given, _warnings = read_json(
        tmp_path, text.replace('"a": 1', '"a": NaN, "b": -Infinity')
    )
    assert np.isnan(table.measurements["a"][0])
    assert table.measurements["b"][0] == -np.inf


# 10 metadata


def test_metadata_become_texts(tmp_path: Path) -> None:
    said = {"a": "x", "b": 2, "c": True, "d": None}
    _table, (given,), _warnings = read_json(tmp_path, [feature_json({"metadata": said})])
    assert given.metadata == {"a": "x", "b": "2", "c": "true"}
    (written,) = _written(tmp_path, given)
    assert written["properties"]["metadata"] == given.metadata


def test_a_key_that_comes_twice_is_tolerated(tmp_path: Path) -> None:
    text = json.dumps([feature_json({"metadata": {"a": "x"}})])
    twice = text.replace('"metadata": {"a": "x"}', '"metadata": {"a": "x"}, "metadata": {"a": "x"}')
    assert twice != text
    assert read_json(tmp_path, twice)[1][0].metadata == {"a": "x"}


# 11 hierarchies


@pytest.mark.parametrize("key", ["childObjects", "children"])
def test_children_are_read_and_know_their_parent(tmp_path: Path, key: str) -> None:
    leaf = feature_json(id="5d0b8f3c-58f4-4c1e-9a34-3d1b7a7c5d10")
    inner = feature_json({"objectType": "annotation", key: [leaf]})
    outer = feature_json({"objectType": "annotation", key: [inner]}, id=ID)
    table, (parent, child, grandchild), _warnings = read_json(tmp_path, outer)
    assert (parent.id, parent.parent_id) == (uuid.UUID(ID), None)
    assert child.parent_id == parent.id
    assert grandchild.parent_id == child.id
    assert grandchild.object_type == "detection"
    assert len(table) == 0


def test_an_export_is_flat_and_keeps_who_holds_whom(tmp_path: Path) -> None:
    parent = Feature(BOX)
    child = Feature(shapely.box(2, 3, 4, 5), parent_id=parent.id)
    assert len(_written(tmp_path, parent, child)) == 2
    assert read(tmp_path / "out.geojson")[1][1].parent_id == parent.id


def test_a_hierarchy_hundreds_of_generations_deep_is_refused_with_a_sentence(
    tmp_path: Path,
) -> None:
    nested: dict[str, Any] = feature_json({})
    for _generation in range(150):
        nested = feature_json({"childObjects": [nested]})
    with pytest.raises(GeoJSONError, match="deep"):
        read_json(tmp_path, nested)


# 12 what stands at the top


def test_an_export_is_a_collection_or_a_bare_array(tmp_path: Path) -> None:
    for collection, start in ((True, b'{"type":"FeatureCollection"'), (False, b"[")):
        path = tmp_path / "out.geojson"
        write(path, [random_table(3)], options=ExportOptions(collection=collection))
        assert path.read_bytes().startswith(start)
        assert violations(path) == []
        assert len(read(path)[0]) == 3


def test_an_empty_export_is_sound(tmp_path: Path) -> None:
    for collection in (True, False):
        path = tmp_path / "out.geojson"
        write(path, options=ExportOptions(collection=collection))
        assert violations(path) == []
        assert len(read(path)[0]) == 0


def test_a_collection_says_where_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "out.geojson"
    write(path)
    assert json.loads(path.read_bytes())["provenance"] == {"software": "PathoView"}


_ONE = json.dumps(feature_json())


@pytest.mark.parametrize(
    ("text", "n"),
    [
        (_ONE, 1),
        (f"[{_ONE}]", 1),
        (f"[{_ONE},{_ONE}]", 2),
        (f'{{"type":"FeatureCollection","features":[{_ONE},{_ONE}],"bbox":[0,0,1,1]}}', 2),
        (f'{{"features":[{_ONE}],"type":"FeatureCollection"}}', 1),
        (f'[{{"type":"FeatureCollection","features":[{_ONE}]}},{_ONE},[[{_ONE}]]]', 3),
        (f"{_ONE}\n{_ONE}\n", 2),
        (f"[{_ONE}][{_ONE}]", 2),
        ('{"type":"FeatureCollection","features":[]}', 0),
        ("[]", 0),
    ],
)
def test_every_wrapping_is_opened(tmp_path: Path, text: str, n: int) -> None:
    assert len(read_json(tmp_path, text)[0]) == n


def test_a_bare_geometry_is_an_annotation_with_a_warning(tmp_path: Path) -> None:
    _table, (given,), warnings = read_json(tmp_path, SQUARE)
    assert given.object_type == "annotation"
    assert list(warnings.values()) == [1]


# 13 files


@pytest.mark.parametrize("name", ["a.geojson", "a.json", "a.geojson.gz", "a.json.gz"])
def test_a_file_is_packed_as_its_name_says(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path, [random_table(3)])
    assert violations(path) == []
    assert len(read(path)[0]) == 3


@pytest.mark.parametrize("name", ["a.txt", "a.zip", "a.qpdata", "a"])
def test_a_name_that_qupath_would_not_take_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="geojson"):
        write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_gzip_zip_and_byte_order_marks_are_read_whatever_the_name(tmp_path: Path) -> None:
    plain = json.dumps([feature_json()]).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.geojson", plain)
    for data in (gzip.compress(plain), archive.getvalue(), b"\xef\xbb\xbf" + plain):
        assert len(read_json(tmp_path, data)[0]) == 1


def test_names_in_all_alphabets_come_back(tmp_path: Path) -> None:
    given = Feature(BOX, name='Ω "核" \\ \n', classification=DetectionClass("浸潤", (1, 2, 3)))
    _written(tmp_path, given)
    (again,) = read(tmp_path / "out.geojson")[1]
    assert (again.name, again.classification) == (given.name, given.classification)


# 14 coordinates


def test_coordinates_have_two_decimals_at_most_and_lose_nothing(tmp_path: Path) -> None:
    table = random_table(500, side_px=200_000)
    path = tmp_path / "out.geojson"
    write(path, [table], [Feature(shapely.Point(0.1 + 0.2, 12.3456789))])
    assert violations(path) == []
    again = read(path)[0]
    assert np.array_equal(again.points, table.points)
    assert features(path)[-1]["geometry"]["coordinates"] == [0.3, 12.35]


def test_the_offset_of_the_bounds_is_subtracted(tmp_path: Path) -> None:
    table = random_table(5)
    path = tmp_path / "out.geojson"
    write(path, [table], [Feature(shapely.Point(10, 20))], offset_l0=(100, -50))
    again, (point,), _warnings = read(path)
    assert np.array_equal(again.points, table.points - [10_000, -5_000])
    assert (point.geometry.x, point.geometry.y) == (-90, 70)


def test_a_third_coordinate_is_dropped(tmp_path: Path) -> None:
    ring = [[0, 0, 7], [10, 0, 7], [10, 10, 7], [0, 0, 7]]
    for given in (ring, [*ring[:2], [10, 10], ring[3]]):
        document = [feature_json(geometry={"type": "Polygon", "coordinates": [given]})]
        table = read_json(tmp_path, document)[0]
        assert table.ring_l0(0).tolist() == [[0, 0], [10, 0], [10, 10]]


# 15 geometries


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(1.5, 2),
        shapely.MultiPoint([(1, 2), (3, 4)]),
        shapely.LineString([(1, 2), (3, 4), (5, 0)]),
        shapely.MultiLineString([[(1, 2), (3, 4)], [(5, 6), (7, 8)]]),
        shapely.box(0, 0, 9, 9).difference(shapely.box(2, 2, 4, 4)),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)]),
    ],
)
def test_all_types_of_geometry_come_back(tmp_path: Path, shape: Any) -> None:
    _written(tmp_path, Feature(shape))
    (again,) = read(tmp_path / "out.geojson")[1]
    assert again.geometry.geom_type == shape.geom_type
    assert shapely.equals(again.geometry, shape)


@pytest.mark.parametrize(
    "shape",
    [
        shapely.GeometryCollection([shapely.Point(1, 1), BOX]),
        shapely.Polygon(),
        shapely.box(0, 0, 0.001, 0.001),  # nothing is left of it on a grid of 0.01 px
        shapely.LineString([(1, 1), (1.001, 1)]),
    ],
)
def test_what_qupath_cannot_read_is_left_out_and_counted(tmp_path: Path, shape: Any) -> None:
    path = tmp_path / "out.geojson"
    written = write(path, features=[Feature(shape), Feature(BOX)])
    assert (written.n_objects, written.n_left_out) == (1, 1)
    assert violations(path) == []


def test_geometries_that_cannot_be_read_are_left_out_and_counted(tmp_path: Path) -> None:
    bad = [
        feature_json(geometry={"type": "GeometryCollection", "geometries": [SQUARE]}),
        feature_json(geometry=None),
        feature_json(geometry={"type": "Circle", "coordinates": [1, 1], "radius": 3}),
        feature_json(geometry={"type": "Polygon", "coordinates": [1, 2]}),
        feature_json(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}),
        feature_json(geometry={"type": "Polygon", "coordinates": [[[0, 0], [5, 5], [9, 1e30]]]}),
        feature_json(geometry={"type": "Polygon", "coordinates": []}),
        feature_json(geometry={"type": "Point", "coordinates": ["a", "b"]}),
    ]
    table, given, warnings = read_json(tmp_path, [*bad, feature_json()])
    assert (len(table), given) == (1, [])
    assert sum(warnings.values()) == len(bad)


def test_one_bad_ring_among_many_costs_only_itself(tmp_path: Path) -> None:
    good = [feature_json(id=str(uuid.uuid4())) for _ in range(64)]
    bad = feature_json(geometry={"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})
    table, _given, warnings = read_json(tmp_path, [*good[:40], bad, *good[40:]])
    assert {str(table.uuid(row)) for row in range(64)} == {one["id"] for one in good}
    assert sum(warnings.values()) == 1


# 16 what other exporters break


def test_outlines_that_cross_themselves_are_repaired_with_their_id(tmp_path: Path) -> None:
    bow_tie = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]
    spike = [[0, 0], [10, 0], [10, 10], [30, 10], [10, 10], [0, 10], [0, 0]]
    document = [
        feature_json(geometry={"type": "Polygon", "coordinates": [ring]}, id=str(uuid.uuid4()))
        for ring in (bow_tie, spike)
    ]
    table = read_json(tmp_path, document)[0]
    path = tmp_path / "out.geojson"
    write(path, [table])
    assert violations(path) == []
    assert [(one["id"], one["geometry"]["type"]) for one in features(path)] == [
        (document[0]["id"], "MultiPolygon"),
        (document[1]["id"], "Polygon"),
    ]


def test_several_parts_of_which_there_is_one_are_written_as_one(tmp_path: Path) -> None:
    given = [Feature(shapely.MultiPolygon([BOX])), Feature(shapely.MultiPoint([(1, 2)]))]
    kinds = [one["geometry"]["type"] for one in _written(tmp_path, *given)]
    assert kinds == ["Polygon", "Point"]


def test_rings_that_are_not_closed_are_closed(tmp_path: Path) -> None:
    ring = [[0, 0], [10, 0], [10, 10], [0, 10]]
    document = [
        feature_json(geometry={"type": "Polygon", "coordinates": [ring]}),
        feature_json({}, geometry={"type": "Polygon", "coordinates": [ring]}),
    ]
    table, (given,), _warnings = read_json(tmp_path, document)
    assert table.ring_l0(0).tolist() == ring
    assert given.geometry.area == 100
    path = tmp_path / "out.geojson"
    write(path, [table], [given])
    assert violations(path) == []


# 18, 19 what objects are called


def test_outlines_of_a_method_are_detections_and_other_objects_stay_what_they_are(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.geojson"
    write(path, [random_table(2)], [Feature(BOX), Feature(BOX, object_type="cell")])
    kinds = [one["properties"]["objectType"] for one in features(path)]
    assert kinds == ["detection", "detection", "annotation", "cell"]


@pytest.mark.parametrize(
    "more",
    [
        {"name": "mine"},
        {"color": [1, 2, 3]},
        {"isLocked": True},
        {"metadata": {"a": "b"}},
        {"parentId": ID},
    ],
)
def test_a_detection_that_says_more_does_not_lose_it_in_columns(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    document = [feature_json({"objectType": "detection", **more}), feature_json()]
    table, (given,), _warnings = read_json(tmp_path, document)
    assert (len(table), given.object_type) == (1, "detection")
    (written,) = _written(tmp_path, given)
    assert written["properties"] == {"objectType": "detection", **more}


def test_a_detection_that_says_nothing_more_becomes_a_row(tmp_path: Path) -> None:
    empty = {"name": None, "isLocked": False, "metadata": {}, "childObjects": []}
    document = [feature_json({"objectType": "detection", **empty})]
    assert len(read_json(tmp_path, document)[0]) == 1


def test_ignored_classes_keep_their_star(tmp_path: Path) -> None:
    properties = {"objectType": "detection", "classification": "Region*"}
    assert read_json(tmp_path, [feature_json(properties)])[0].classes[0].name == "Region*"


# 20 QuPath's own files


def test_a_data_file_of_qupath_is_refused_with_the_way_on(tmp_path: Path) -> None:
    with pytest.raises(GeoJSONError, match="QuPath") as caught:
        read_json(tmp_path, b"\xac\xed\x00\x05sr\x00")
    assert "GeoJSON" in caught.value.hint
