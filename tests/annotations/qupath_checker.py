"""What QuPath's GeoJSON reader accepts, as a strict checker that shares no code with PathoView.

QuPath itself cannot be run in the tests. This stands in for it: the rules were read from the source
of QuPath 0.8 (``QuPathTypeAdapters``, ``ROITypeAdapters``, ``GsonTools``). Only the standard
library and shapely are used. `violations` returns every breach it finds, as text.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import shapely
import shapely.geometry

_OBJECT_TYPES = {"annotation", "detection", "cell", "tile", "tmaCore", "root"}
_GEOMETRY_TYPES = {
    *("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
}
_FEATURE_KEYS = {"type", "id", "geometry", "nucleusGeometry", "properties"}
_NON_FINITE = {"NaN", "Infinity", "-Infinity"}


class _Duplicate(dict[str, Any]):
    """An object in which a key came twice."""


def violations(path: Path) -> list[str]:
    """Return every breach of the rules in a file; nothing when QuPath would take it."""
    data = path.read_bytes()
    is_packed = data[:2] == b"\x1f\x8b"
    if is_packed != path.name.endswith(".gz"):
        return ["the name's ending does not say how the file is packed"]
    return text_violations(gzip.decompress(data) if is_packed else data)


def text_violations(data: bytes) -> list[str]:
    """Return every breach of the rules in the bytes of a GeoJSON document."""
    if data.startswith(b"\xef\xbb\xbf"):
        return ["byte order mark"]
    try:
        document = json.loads(
            data.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_pairs,
        )
    except (ValueError, RecursionError) as error:
        return [f"not strict JSON: {error}"]
    return list(_document(document))


def features(path: Path) -> list[dict[str, Any]]:
    """Return the features of a file as plain JSON."""
    data = path.read_bytes()
    document = json.loads(gzip.decompress(data) if path.name.endswith(".gz") else data)
    return list(document["features"] if isinstance(document, dict) else document)


def _refuse_constant(text: str) -> float:
    raise ValueError(f"the literal {text}")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    return whole if len(whole) == len(pairs) else _Duplicate(pairs)


def _document(document: Any) -> Iterator[str]:
    if isinstance(document, _Duplicate):
        yield "duplicate key in the collection"
    if isinstance(document, dict):
        if document.get("type") != "FeatureCollection":
            yield "the top level is neither a FeatureCollection nor an array"
        if "crs" in document:
            yield "a coordinate reference system"
        document = document.get("features")
    if not isinstance(document, list):
        yield "no list of features"
        return
    seen: set[str] = set()
    for number, feature in enumerate(document, 1):
        for text in _feature(feature, seen):
            yield f"feature {number}: {text}"


def _feature(feature: Any, seen: set[str]) -> Iterator[str]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        yield "not a Feature"
        return
    if any(isinstance(part, _Duplicate) for part in _objects(feature)):
        yield "duplicate key"
    if unknown := feature.keys() - _FEATURE_KEYS:
        yield f"unknown members {sorted(unknown)}"
    yield from _identifier(feature.get("id"), seen)
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        yield "no properties"
        properties = {}
    yield from _geometry(feature.get("geometry"))
    if "nucleusGeometry" in feature:
        if properties.get("objectType") != "cell":
            yield "a nucleus outside of a cell"
        yield from _geometry(feature["nucleusGeometry"])
    yield from _properties(properties)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from _objects(part)


def _identifier(value: Any, seen: set[str]) -> Iterator[str]:
    try:
        is_canonical = str(uuid.UUID(value)) == value
    except (ValueError, TypeError, AttributeError):
        is_canonical = False
    if not is_canonical:
        yield f"the id {value!r} is not a UUID"
    elif value in seen:
        yield f"the id {value} came before"
    seen.add(str(value))


def _properties(properties: dict[str, Any]) -> Iterator[str]:
    if properties.get("objectType") not in _OBJECT_TYPES:
        yield f"unknown objectType {properties.get('objectType')!r}"
    if "classification" in properties:
        yield from _classification(properties["classification"])
    if "color" in properties and not _is_color(properties["color"], (3,)):
        yield f"the colour {properties['color']!r} is not three integers"
    if "name" in properties and not isinstance(properties["name"], str):
        yield "the name is not text"
    if properties.get("isLocked", True) is not True:
        yield "isLocked is written although it is not true"
    if "isMissing" in properties and properties.get("objectType") != "tmaCore":
        yield "isMissing outside of a TMA core"
    for key in ("childObjects", "children"):
        if key in properties:
            yield "a hierarchy in a flat file"
    yield from _measurements(properties.get("measurements", {}))
    metadata = properties.get("metadata", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        yield "metadata are not texts by name"


def _classification(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield "the classification is not an object"
        return
    if ("name" in value) == ("names" in value):
        yield "a class needs either name or names"
    if "name" in value and (not isinstance(value["name"], str) or ": " in value["name"]):
        yield "a nested class must be written as names"
    if "names" in value and (
        not isinstance(value["names"], list)
        or len(value["names"]) < 2
        or not all(isinstance(part, str) and part for part in value["names"])
    ):
        yield "names are not two or more texts"
    if not _is_color(value.get("color"), (3, 4)):
        yield "a class without a colour stops the whole import"


def _is_color(value: Any, lengths: tuple[int, ...]) -> bool:
    return (
        isinstance(value, list)
        and len(value) in lengths
        and all(type(part) is int and 0 <= part <= 255 for part in value)
    )


def _measurements(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield "measurements are not an object"
        return
    for name, number in value.items():
        is_number = isinstance(number, int | Decimal) and not isinstance(number, bool)
        if not is_number and number not in _NON_FINITE:
            yield f"the measurement {name!r} is {number!r}"


def _geometry(geometry: Any) -> Iterator[str]:
    if not isinstance(geometry, dict):
        yield "no geometry"
        return
    kind = geometry.get("type")
    if kind not in _GEOMETRY_TYPES:
        yield f"the geometry {kind!r} cannot be read"
        return
    yield from _plane(geometry)
    if "isEllipse" in geometry and (geometry["isEllipse"] is not True or kind != "Polygon"):
        yield "isEllipse is for polygons that are ellipses"
    coordinates = geometry.get("coordinates")
    if not _is_nested(coordinates, _DEPTH[kind]):
        yield "coordinates do not fit the type"
        return
    numbers = list(_numbers(coordinates))
    if any(isinstance(n, Decimal) and int(n.as_tuple().exponent) < -2 for n in numbers):
        yield "more than two decimals"
    if kind.startswith("Multi") and len(coordinates) < 2:
        yield f"a {kind} of one part"
    polygons = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(kind, [])
    for ring in (ring for polygon in polygons for ring in polygon):
        if len(ring) < 4 or ring[0] != ring[-1]:
            yield "a ring that is not closed"
            return
    shape = shapely.geometry.shape({"type": kind, "coordinates": _floats(coordinates)})
    if shape.is_empty or not shape.is_valid:
        yield f"an invalid geometry: {shapely.is_valid_reason(shape)}"


_DEPTH = {
    **{"Point": 0, "MultiPoint": 1, "LineString": 1},
    **{"MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3},
}


def _plane(geometry: dict[str, Any]) -> Iterator[str]:
    if "plane" not in geometry:
        return
    plane = geometry["plane"]
    if not isinstance(plane, dict) or not all(type(n) is int for n in plane.values()):
        yield "the plane is not an object of integers"
    elif (plane.get("c", -1), plane.get("z", 0), plane.get("t", 0)) == (-1, 0, 0):
        yield "the default plane is written"


def _is_nested(value: Any, depth: int) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if depth:
        return all(_is_nested(part, depth - 1) for part in value)
    return len(value) == 2 and all(
        isinstance(n, int | Decimal) and not isinstance(n, bool) for n in value
    )


def _numbers(value: Any) -> Iterator[int | Decimal]:
    for part in value:
        if isinstance(part, list):
            yield from _numbers(part)
        else:
            yield part


def _floats(value: Any) -> Any:
    return [_floats(part) for part in value] if isinstance(value, list) else float(value)
