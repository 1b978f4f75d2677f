"""One GeoJSON object to a `Feature` and back, in QuPath's dialect and its older forms."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from pathoview.annotations.classes import class_object, parse_class, parse_color
from pathoview.annotations.feature import OBJECT_TYPES, Feature
from pathoview.annotations.geojson_geometry import (
    GeometryError,
    geometry_object,
    parse_geometry,
    parse_plane,
)
from pathoview.annotations.geojson_said import said_in, said_metadata
from pathoview.core.translation import _

Note = Callable[[str], None]
"""Told why an object was left out or changed, as the end of a sentence: “an object that …”."""

_NAMESPACE = uuid.UUID("5b6f8a52-58f4-4c1e-9a34-3d1b7a7c5d10")
_TYPE_BY_KEY = {name.lower(): name for name in OBJECT_TYPES} | {
    "pathannotationobject": "annotation",
    "pathdetectionobject": "detection",
    "pathcellobject": "cell",
    "pathtileobject": "tile",
    "tmacoreobject": "tmaCore",
    "pathrootobject": "root",
}


def feature_object(feature: Feature, *, measurements: bool = True) -> dict[str, Any] | None:
    """Return the object to write; None when nothing is left of its geometry."""
    geometry = geometry_object(feature.geometry, feature.plane)
    if geometry is None:
        return None
    if feature.is_ellipse and geometry["type"] == "Polygon":
        geometry["isEllipse"] = True
    written: dict[str, Any] = {"type": "Feature", "id": str(feature.id), "geometry": geometry}
    if feature.nucleus is not None:
        nucleus = geometry_object(feature.nucleus, feature.plane)
        if nucleus is not None:
            written["nucleusGeometry"] = nucleus
    written["properties"] = _properties(feature, measurements)
    return written


def _properties(feature: Feature, measurements: bool) -> dict[str, Any]:
    candidates: dict[str, Any] = {
        "name": feature.name,
        "color": list(feature.color or ()),
        "classification": class_object(feature.classification) if feature.classification else None,
        "isLocked": feature.is_locked,
        "isMissing": feature.is_missing,
        "measurements": _written_numbers(feature.measurements) if measurements else None,
        "metadata": {**feature.metadata, **said_metadata(feature)},
        "parentId": str(feature.parent_id) if feature.parent_id else None,
    }
    return {
        "objectType": feature.object_type,
        **{key: value for key, value in candidates.items() if value},
    }


def _written_numbers(values: Mapping[str, float]) -> dict[str, float | str]:
    return {
        name: value if math.isfinite(value) else non_finite_text(value)
        for name, value in values.items()
    }


def non_finite_text(value: float) -> str:
    """Return ``NaN``, ``Infinity`` or ``-Infinity``: JSON has no numbers for them."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def parse_objects(value: object, number: int, note: Note) -> Iterator[Feature]:
    """Yield the features in a JSON value: itself, its parts and its children, parents first.

    ``number`` is the value's place in the file; ids are derived from it where there are none.
    """
    waiting: list[tuple[object, uuid.UUID | None]] = [(value, None)]
    place = 0
    while waiting:
        item, parent_id = waiting.pop()
        inner: list[object] = []
        if isinstance(item, list):
            inner = item
        elif not isinstance(item, Mapping):
            note(_("is no GeoJSON object"))
        elif isinstance(item.get("features"), list) and "geometry" not in item:
            inner = item["features"]
        elif "geometry" not in item and item.keys() & {"coordinates", "geometries"}:
            note(_("is a bare geometry, taken as an annotation"))
            inner = [{"type": "Feature", "geometry": item}]
        else:
            place += 1
            feature = _feature(item, f"{number}.{place}", parent_id, note)
            parent_id = feature.id if feature else parent_id
            if feature:
                yield feature
            inner = _children(item)
        waiting += [(part, parent_id) for part in reversed(inner)]


def _children(item: Mapping[str, Any]) -> list[object]:
    properties = item.get("properties")
    for holder in (properties, item):
        if isinstance(holder, Mapping):
            for key in ("childObjects", "children"):
                if isinstance(children := holder.get(key), list):
                    return children
    return []


def _feature(
    item: Mapping[str, Any], place: str, parent_id: uuid.UUID | None, note: Note
) -> Feature | None:
    properties = item.get("properties")
    if not isinstance(properties, Mapping):
        properties = {}
    object_type = parse_object_type(properties, item.get("id"))
    try:
        geometry = parse_geometry(item.get("geometry"))
    except GeometryError as error:
        if object_type != "root":
            note(_("{why} and was left out").format(why=error))
        return None
    nucleus = None
    if object_type == "cell" and item.get("nucleusGeometry") is not None:
        try:
            nucleus = parse_geometry(item["nucleusGeometry"])
        except GeometryError as error:
            note(_("{why} (of its nucleus, which was left out)").format(why=error))
    name = properties.get("name")
    said, metadata = said_in(_metadata(properties.get("metadata")))
    return Feature(
        geometry=geometry,
        id=parse_id(item.get("id")) or derived_id(place, item.get("id"), geometry.wkb),
        object_type=object_type,
        classification=parse_class(properties.get("classification")),
        name="" if name is None else str(name),
        color=parse_color(properties.get("color")),
        is_locked=properties.get("isLocked") is True,
        is_ellipse=item["geometry"].get("isEllipse") is True,
        is_missing=properties.get("isMissing") is True,
        plane=parse_plane(item["geometry"]),
        nucleus=nucleus,
        measurements=parse_measurements(properties.get("measurements"), note),
        metadata=metadata,
        parent_id=parent_id or parse_id(properties.get("parentId")),
        **said,
    )


def parse_id(value: object) -> uuid.UUID | None:
    """Return the UUID; None when it is something else (older files keep the type there)."""
    if not isinstance(value, str):
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def derived_id(place: str, said: object, shape: bytes) -> uuid.UUID:
    """Return an id for an object that has none, the same whenever the file is read."""
    text = f"{place} {said} ".encode("utf-8", "replace")
    return uuid.UUID(bytes=hashlib.sha1(_NAMESPACE.bytes + text + shape).digest()[:16], version=5)


def parse_object_type(properties: Mapping[str, Any], identifier: object) -> str:
    """Return one of `OBJECT_TYPES`; an annotation when nothing known is said."""
    for said in (*map(properties.get, ("objectType", "object_type", "type")), identifier):
        if isinstance(said, str):
            key = said.lower().replace("_", "").replace(" ", "")
            if key in _TYPE_BY_KEY:
                return _TYPE_BY_KEY[key]
    return "annotation"


def parse_measurements(value: object, note: Note) -> dict[str, float]:
    """Return measurements by name from the map of today or the list of older files."""
    pairs: list[tuple[object, object]] = []
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [(one.get("name"), one.get("value")) for one in value if isinstance(one, Mapping)]
    numbers = {}
    for name, said in pairs:
        try:
            numbers[str(name)] = parse_number(said)
        except (TypeError, ValueError, OverflowError):
            note(_("has a measurement without a number, which was left out"))
    return numbers


def parse_number(value: Any) -> float:
    """Return a number written as one, or as text such as ``NaN`` or ``-Infinity``."""
    return float(value)  # takes “NaN”, “inf”, “-Infinity” in any case


def _metadata(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(key): said if isinstance(said, str) else orjson.dumps(said).decode()
        for key, said in value.items()
        if said is not None
    }
