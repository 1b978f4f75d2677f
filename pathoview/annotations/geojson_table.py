"""Parsed GeoJSON of plain detections to a table, without an object for each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import shapely

from pathoview.annotations.classes import parse_class
from pathoview.annotations.detections import (
    SUBPIXEL,
    DetectionClass,
    Detections,
    Floats,
    concatenate,
    empty_detections,
)
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_object import derived_id, parse_id, parse_object_type
from pathoview.annotations.geojson_rings import open_rings, ring_index, ring_points
from pathoview.annotations.geojson_said import said_metadata
from pathoview.core.pyramid import Plane

Numbered = tuple[int, dict[str, Any]]
"""An object and its place in the file, from 1."""

_GEOMETRY_KEYS = {"type", "coordinates"}
_OWN_KEYS = {"type", "id", "geometry", "properties", "bbox"}
_MORE_THAN_PLAIN = {
    *("name", "color", "isLocked", "isMissing", "metadata", "childObjects", "children", "parentId")
}
_REFUSED = (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError)
_HYPHENS = [8, 13, 18, 23]
_ID_LETTERS = 36


def is_plain(value: Any) -> bool:
    """Say whether columns can hold all that an object says: one ring, class, measurements."""
    try:
        geometry, properties = value["geometry"], value["properties"]
        return (
            geometry["type"] == "Polygon"
            and type(geometry["coordinates"]) is str  # a mark: see `geojson_rings`
            and _GEOMETRY_KEYS.issuperset(geometry)
            and _OWN_KEYS.issuperset(value)
            and (
                _MORE_THAN_PLAIN.isdisjoint(properties)
                or not any(map(properties.get, properties.keys() & _MORE_THAN_PLAIN))
            )
            and (
                properties.get("objectType") == "detection"
                or parse_object_type(properties, value.get("id")) == "detection"
            )
        )
    except _REFUSED:
        return False


def parse_table(
    items: Sequence[Numbered], rings: Sequence[bytes]
) -> tuple[Detections, list[Numbered]]:
    """Return the table of plain objects, and those that need a closer look.

    One bad object spoils a whole conversion: the halves are then tried on their own.
    """
    if not items:
        return empty_detections(), []
    try:
        return _table(items, rings), []
    except _REFUSED:
        if len(items) == 1:
            return empty_detections(), list(items)
    middle = len(items) // 2
    first, refused_first = parse_table(items[:middle], rings)
    second, refused_second = parse_table(items[middle:], rings)
    return concatenate([first, second]), refused_first + refused_second


def table_of(features: Sequence[Feature]) -> tuple[Detections, list[Feature]]:
    """Return a table of the features that columns can hold, and the others."""
    fitting = [feature for feature in features if _fits(feature)]
    others = [feature for feature in features if not _fits(feature)]
    if not fitting:
        return empty_detections(), others
    rings = [shapely.get_coordinates(feature.geometry) for feature in fitting]
    points, offsets = open_rings(
        np.rint(np.concatenate(rings) * SUBPIXEL).astype(np.int32),
        np.fromiter(map(len, rings), np.int64, len(rings)),
    )
    classes = tuple(dict.fromkeys(one.classification for one in fitting if one.classification))
    index = {entry: position for position, entry in enumerate(classes)}
    class_index = [index[one.classification] if one.classification else -1 for one in fitting]
    table = Detections(
        points,
        offsets,
        np.frombuffer(b"".join(one.id.bytes for one in fitting), np.uint8).reshape(-1, 16),
        np.array(class_index, np.int16),
        classes,
        _columns([one.measurements for one in fitting]),
    )
    return table, others


def _fits(feature: Feature) -> bool:
    return (
        feature.object_type == "detection"
        and feature.geometry.geom_type == "Polygon"
        and not len(feature.geometry.interiors)
        and feature.plane == Plane()
        and not any((feature.is_locked, feature.is_ellipse, feature.is_missing))
        and not any((feature.name, feature.color, feature.metadata, feature.parent_id))
        and not said_metadata(feature)
    )


def _table(items: Sequence[Numbered], rings: Sequence[bytes]) -> Detections:
    values = [value for _number, value in items]
    texts = [rings[ring_index(value["geometry"]["coordinates"])] for value in values]
    points, offsets = ring_points(texts)
    properties = [value["properties"] for value in values]
    class_index, classes = _classes([said.get("classification") for said in properties])
    return Detections(
        points,
        offsets,
        _ids(items, texts),
        class_index,
        classes,
        _columns([_measurements(said.get("measurements")) for said in properties]),
    )


def _ids(items: Sequence[Numbered], texts: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    said: list[Any] = [value.get("id") for _number, value in items]
    if set(map(type, said)) == {str} and set(map(len, said)) == {_ID_LETTERS}:
        text = "".join(said)
        letters = np.frombuffer(text.encode(), np.uint8)
        if (
            len(letters) == len(text)
            and (letters.reshape(-1, _ID_LETTERS)[:, _HYPHENS] == ord("-")).all()
        ):
            return np.frombuffer(bytes.fromhex(text.replace("-", "")), np.uint8).reshape(-1, 16)
    ids = [
        parse_id(own) or derived_id(f"{number}.1", own, text)
        for (number, _value), own, text in zip(items, said, texts, strict=True)
    ]
    return np.frombuffer(b"".join(one.bytes for one in ids), np.uint8).reshape(-1, 16)


def _classes(
    said: Sequence[Any],
) -> tuple[npt.NDArray[np.int16], tuple[DetectionClass, ...]]:
    texts = list(map(orjson.dumps, said))
    known = {text: parse_class(orjson.loads(text)) for text in set(texts)}
    classes = tuple(sorted({one for one in known.values() if one}, key=lambda one: one.name))
    index = {entry: position for position, entry in enumerate(classes)}
    position = {text: index[one] if one else -1 for text, one in known.items()}
    return np.array([position[text] for text in texts], np.int16), classes


def _measurements(said: Any) -> Mapping[str, Any]:
    if isinstance(said, list):
        return {one["name"]: one["value"] for one in said}
    return said or {}


def _columns(said: Sequence[Mapping[str, Any]]) -> dict[str, Floats]:
    """Return one column a name; text such as ``NaN`` is a number, what is not said is NaN."""
    with np.errstate(over="ignore"):
        return {
            str(name): np.array([one.get(name, math.nan) for one in said], np.float32)
            for name in dict.fromkeys(chain.from_iterable(said))
        }
