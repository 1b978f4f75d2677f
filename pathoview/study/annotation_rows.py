"""Annotations as rows of the study file and back.

A row is one version of one annotation and is never altered: an edit adds a row. The shape is WKB
(OGC 06-103r4), level-0 px; everything that is seldom said is JSON.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import shapely

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.pyramid import Plane

COLUMNS = "id, class, wkb, more"

_NAMES = ("name", "role", "author", "created", "changed", "origin", "object_type")
_SWITCHES = ("is_locked", "is_ellipse", "is_missing", "is_hidden", "is_uncertain", "is_disputed")
_PLAIN = {name: getattr(Feature(shapely.Point(0, 0)), name) for name in (*_NAMES, *_SWITCHES)}

Row = tuple[bytes, int | None, bytes, bytes | None]
"""id, number of the class (None: unclassified, or one that is not in the study), shape, more."""


def to_rows(features: Sequence[Feature], class_numbers: Mapping[str, int]) -> list[Row]:
    """Return one row a feature; ``class_numbers`` by name."""
    shapes = shapely.to_wkb([feature.geometry for feature in features])
    return [
        _row(feature, shape, class_numbers) for feature, shape in zip(features, shapes, strict=True)
    ]


def _row(feature: Feature, shape: bytes, class_numbers: Mapping[str, int]) -> Row:
    said = feature.classification
    number = None if said is None else class_numbers.get(said.name)
    more = {name: value for name in _PLAIN if (value := getattr(feature, name)) != _PLAIN[name]}
    if said is not None and number is None:
        more["class"] = [said.name, list(said.color)]
    if feature.color is not None:
        more["color"] = list(feature.color)
    if feature.plane != Plane():
        more["plane"] = list(feature.plane)
    if feature.nucleus is not None:
        more["nucleus"] = feature.nucleus.wkb_hex
    if feature.metadata:
        more["metadata"] = dict(feature.metadata)
    if feature.measurements:  # as text where it is no number that JSON has
        more["measurements"] = {
            name: value if math.isfinite(value) else str(value)
            for name, value in feature.measurements.items()
        }
    if feature.parent_id is not None:
        more["parent"] = feature.parent_id.hex
    return feature.id.bytes, number, shape, orjson.dumps(more) if more else None


def to_features(
    rows: Iterable[Sequence[Any]], classes: Mapping[int, DetectionClass]
) -> list[Feature]:
    """Return one feature a row (its columns as in `COLUMNS`); ``classes`` by number."""
    rows = list(rows)
    shapes = shapely.from_wkb([row[2] for row in rows])
    return [
        Feature(
            geometry=shape,
            id=uuid.UUID(bytes=identifier),
            **{"classification": classes.get(number), **(_said(more) if more else {})},
        )
        for (identifier, number, _wkb, more), shape in zip(rows, shapes, strict=True)
    ]


def to_readable_features(
    rows: Sequence[Sequence[Any]], classes: Mapping[int, DetectionClass]
) -> list[Feature | None]:
    """Return one feature a row, or None where it is damaged."""
    try:
        return list(to_features(rows, classes))
    except (ValueError, TypeError, KeyError, AttributeError, shapely.errors.ShapelyError):
        if len(rows) == 1:
            return [None]
    middle = len(rows) // 2
    return [
        *to_readable_features(rows[:middle], classes),
        *to_readable_features(rows[middle:], classes),
    ]


def _said(more: bytes) -> dict[str, Any]:
    said: dict[str, Any] = orjson.loads(more)
    if "class" in said:
        name, color = said.pop("class")
        said["classification"] = DetectionClass(name, tuple(color))
    if "color" in said:
        said["color"] = tuple(said["color"])
    if "plane" in said:
        said["plane"] = Plane(*said["plane"])
    if "measurements" in said:
        said["measurements"] = {name: float(value) for name, value in said["measurements"].items()}
    if "nucleus" in said:
        said["nucleus"] = shapely.from_wkb(said["nucleus"])
    if "parent" in said:
        said["parent_id"] = uuid.UUID(said.pop("parent"))
    return said
