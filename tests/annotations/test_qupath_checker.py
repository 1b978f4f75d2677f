"""The stand-in for QuPath must refuse what QuPath refuses, or the other tests prove nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from qupath_checker import text_violations

GOOD: dict[str, Any] = {
    "type": "Feature",
    "id": "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
    "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [9.25, 0], [9, 9], [0, 0]]]},
    "properties": {
        "objectType": "detection",
        "classification": {"name": "Tumor", "color": [200, 0, 0]},
        "measurements": {"Area µm²": 1.25, "x": "NaN"},
    },
}


def _changed(path: str, value: Any) -> bytes:
    feature = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place = feature
    for key in parents:
        place = place[key]
    place[last] = value
    return json.dumps([feature]).encode()


def test_a_good_file_is_taken() -> None:
    assert text_violations(json.dumps([GOOD]).encode()) == []
    collection = {"type": "FeatureCollection", "provenance": {}, "features": [GOOD]}
    assert text_violations(json.dumps(collection).encode()) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", "17"),
        ("id", "PathDetectionObject"),
        ("properties.objectType", "nucleus"),
        ("properties.classification", "Tumor"),
        ("properties.classification", {"name": "Tumor"}),
        ("properties.classification", {"name": "A: B", "color": [1, 2, 3]}),
        ("properties.classification", {"names": ["A"], "color": [1, 2, 3]}),
        ("properties.color", [1, 2, 3, 4]),
        ("properties.isLocked", False),
        ("properties.isMissing", True),
        ("properties.measurements", [{"name": "a", "value": 1}]),
        ("properties.measurements", {"a": None}),
        ("properties.measurements", {"a": "much"}),
        ("properties.metadata", {"a": 1}),
        ("properties.childObjects", []),
        ("geometry", None),
        ("geometry", {"type": "GeometryCollection", "geometries": []}),
        ("geometry", {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [1, 1]]]}),
        (
            "geometry",
            {"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]]},
        ),
        ("geometry", {"type": "Polygon", "coordinates": [[[0, 0], [9, 0.125], [9, 9], [0, 0]]]}),
        ("geometry", {"type": "Polygon", "coordinates": [[0, 0], [9, 0], [9, 9], [0, 0]]}),
        ("geometry", {"type": "MultiPolygon", "coordinates": [GOOD["geometry"]["coordinates"]]}),
        ("geometry", {"type": "MultiPoint", "coordinates": [[1, 1]]}),
        ("geometry.plane", {"c": -1, "z": 0, "t": 0}),
        ("geometry.isEllipse", False),
        ("nucleusGeometry", GOOD["geometry"]),
    ],
)
def test_what_qupath_refuses_is_refused(path: str, value: Any) -> None:
    assert text_violations(_changed(path, value))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),  # neither a collection nor an array: not what we promise to write
        json.dumps([GOOD, GOOD]),  # one id twice
        json.dumps([GOOD]).replace("1.25", "NaN"),
        json.dumps([GOOD])[:-4],
        "\ufeff" + json.dumps([GOOD]),
        json.dumps([GOOD]).replace('"properties": {', '"properties": {"name": "a", "name": "b", '),
        json.dumps({"type": "FeatureCollection", "crs": {}, "features": [GOOD]}),
    ],
)
def test_documents_that_are_not_sound_are_refused(text: str) -> None:
    assert text_violations(text.encode())
