"""The annotation JSON of the Digital Slide Archive and large_image: level-0 px."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import orjson
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame, damaged
from pathoview.annotations.dialects.json_file import load_json, metadata_of, objects_in, text_in
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.shapes import (
    Color,
    Maker,
    area,
    class_of,
    dots,
    ellipse,
    is_upright_ellipse,
    line,
    rectangle,
    ring_of,
    simple_parts,
)
from pathoview.annotations.dialects.xml_stream import hex_color, parse_hex_color
from pathoview.annotations.feature import Feature
from pathoview.core.translation import _

NAME = "dsa"

_RGB = re.compile(r"rgba?\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)")
_SHAPES = ("polyline", "point", "rectangle", "ellipse", "circle", "arrow")
_OURS = ("author", "created")


def looks_like(opening: Opening) -> bool:
    is_list = opening.has_keys("elements") or opening.has_keys("annotationId")
    return opening.is_json and is_list and not opening.has_keys("features")


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield the elements of all annotations in the file: their group is their class."""
    value = load_json(path)
    maker = Maker(NAME, note)
    documents = value if isinstance(value, list) else [value]
    if not any(_elements(document) is not None for document in documents):
        raise damaged(path, _("no “elements” in it"))
    for document in documents:
        author, created = text_in(document, "creatorId"), text_in(document, "created")
        for element in _elements(document) or ():
            kind = text_in(element, "type")
            if kind not in _SHAPES:
                note(_("is of the type “{kind}” and was left out").format(kind=kind[:40]))
                continue
            said = _said(element, kind)
            said = {"author": author, "created": created} | said
            feature = maker.make(partial(_geometry, element, kind), **said)
            if feature is not None:
                yield feature


def _elements(document: object) -> list[Mapping[str, Any]] | None:
    if isinstance(document, Mapping) and isinstance(document.get("annotation"), Mapping):
        document = document["annotation"]
    if isinstance(document, Mapping) and isinstance(document.get("elements"), list):
        return objects_in(document, "elements")
    return None


def _geometry(element: Mapping[str, Any], kind: str) -> BaseGeometry:
    if kind == "point":
        return dots([element["center"]])
    if kind in ("polyline", "arrow"):
        points = element["points"]
        if kind == "polyline" and element.get("closed") is True:
            return area(points, element.get("holes") or ())
        return line(points)
    x, y = (float(number) for number in element["center"][:2])
    if kind == "circle":
        return ellipse((x, y), element["radius"], element["radius"])
    width, height = float(element["width"]), float(element["height"])
    turn = float(element.get("rotation") or 0)
    if kind == "ellipse":
        return ellipse((x, y), width / 2, height / 2, turn)
    return rectangle((x, y), width, height, turn)


def _said(element: Mapping[str, Any], kind: str) -> dict[str, Any]:
    color = _parse_color(element.get("lineColor")) or _parse_color(element.get("fillColor"))
    classification = class_of(text_in(element, "group"), color)
    metadata = metadata_of(element.get("user"))
    ours = {key: metadata.pop(key) for key in _OURS if key in metadata}
    return {
        "classification": classification,
        "color": None if classification else color,
        "name": text_in(element.get("label"), "value"),
        "metadata": metadata,
        "is_ellipse": kind == "circle" or (kind == "ellipse" and not element.get("rotation")),
        "role": "arrow" if kind == "arrow" else "",
        **ours,
    }


def _parse_color(value: object) -> Color | None:
    if not isinstance(value, str):
        return None
    match = _RGB.match(value)
    if match:
        red, green, blue = (min(int(number), 255) for number in match.groups())
        return red, green, blue
    return parse_hex_color(value)


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write the objects as one annotation, and return how many."""
    file.write(b'{"name":"PathoView","description":"","attributes":{},"elements":[\n')
    separator = b""
    n_written = 0
    for feature in features:
        parts = list(simple_parts(feature, note))
        for part in parts:
            element = _shape(feature, part) | _described(feature)
            file.write(separator + orjson.dumps(element))
            separator = b",\n"
        n_written += bool(parts)
    file.write(b"\n]}\n")
    return n_written


def _shape(feature: Feature, part: BaseGeometry) -> dict[str, Any]:
    if part.geom_type == "Point":
        return {"type": "point", "center": [part.x, part.y, 0]}
    if part.geom_type == "LineString":
        points = _places(part)
        if feature.role == "arrow" and len(points) == 2:
            return {"type": "arrow", "points": points}
        return {"type": "polyline", "points": points, "closed": False}
    if is_upright_ellipse(feature, part):
        left, top, right, bottom = part.bounds
        center = [(left + right) / 2, (top + bottom) / 2, 0]
        size = {"width": right - left, "height": bottom - top, "rotation": 0}
        return {"type": "ellipse", "center": center, **size}
    shape = {"type": "polyline", "points": _places(part.exterior), "closed": True}
    holes = [_places(hole) for hole in part.interiors]
    return shape | {"holes": holes} if holes else shape


def _places(ring: BaseGeometry) -> list[list[float]]:
    return [[x, y, 0] for x, y in ring_of(ring)]


def _described(feature: Feature) -> dict[str, Any]:
    said: dict[str, Any] = {}
    named = feature.classification
    color = named.color if named else feature.color
    if color:
        said["lineColor"] = hex_color(color)
    if named:
        said["group"] = named.name
    if feature.name:
        said["label"] = {"value": feature.name}
    user = {**feature.metadata} | {key: getattr(feature, key) for key in _OURS}
    user = {key: text for key, text in user.items() if text}
    return said | {"user": user} if user else said
