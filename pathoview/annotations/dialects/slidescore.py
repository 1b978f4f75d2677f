"""Slide Score's table of answers: level-0 px, questions as classes, who answered as author."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import orjson
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame, chosen_image
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.shapes import (
    Maker,
    Points,
    area,
    box,
    class_of,
    dots,
    ellipse,
    is_upright_ellipse,
    joined,
    ring_of,
    simple_parts,
    valid_area,
)
from pathoview.annotations.dialects.text_table import text_lines
from pathoview.annotations.feature import Feature
from pathoview.core.translation import _

NAME = "slidescore"

_COLUMNS = ("ImageID", "Image Name", "By", "Question", "Answer")
_NO_QUESTION = "Annotations"
_LARGEST_ANSWER = min(sys.maxsize, 1 << 28)


def looks_like(opening: Opening) -> bool:
    first = opening.text.partition("\n")[0].strip().split("\t")
    return {"Question", "Answer"} <= set(first)


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield what was drawn in answer to each question; answers in words are passed over.

    Raises `AnnotationFileError` when the file tells of several pictures and none is chosen.
    """
    names = [row.get("Image Name") or "" for row in _rows(path) if row.get("Image Name")]
    image = chosen_image(list(dict.fromkeys(names)), path, frame, options)
    maker = Maker(NAME, note)
    for row in _rows(path):
        if image is not None and (row.get("Image Name") or image) != image:
            continue
        question = row.get("Question") or ""
        for drawn in _answer(row.get("Answer") or ""):
            if str(drawn.get("type")) == "heatmap":
                note(_("is a heatmap and was left out"))
                continue
            feature = maker.make(
                partial(_geometry, drawn),
                classification=None if question == _NO_QUESTION else class_of(question),
                author=row.get("By") or "",
                changed=row.get("lastModifiedOn") or "",
                name=_label(drawn),
                is_ellipse=drawn.get("type") == "ellipse",
            )
            if feature is not None:
                yield feature


def _rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_LARGEST_ANSWER)
    yield from csv.DictReader(text_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)


def _answer(text: str) -> list[Mapping[str, Any]]:
    if not text.startswith("["):
        return []
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    if not isinstance(value, list):
        return []
    return [one for one in value if isinstance(one, Mapping)]


def _geometry(drawn: Mapping[str, Any]) -> BaseGeometry:
    match str(drawn.get("type", "")).lower():
        case "polygon":
            return area(_points(drawn["points"]))
        case "brush":
            painted = joined([area(_points(one)) for one in drawn["positivePolygons"]])
            for one in drawn.get("negativePolygons") or ():
                painted = painted.difference(valid_area(area(_points(one))))
            return valid_area(painted)
        case "ellipse":  # its size is its radii
            return ellipse(_point(drawn["center"]), drawn["size"]["x"], drawn["size"]["y"])
        case "rect":
            (x, y), (width, height) = _point(drawn["corner"]), _point(drawn["size"])
            return box(x, y, x + width, y + height)
    return dots([_point(drawn)])


def _point(place: Mapping[str, Any]) -> tuple[float, float]:
    return float(place["x"]), float(place["y"])


def _points(places: Iterable[Mapping[str, Any]]) -> Points:
    return [_point(place) for place in places]


def _label(drawn: Mapping[str, Any]) -> str:
    label = drawn.get("label")
    text = label.get("label") if isinstance(label, Mapping) else label
    return text if isinstance(text, str) else ""


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write the objects, a row for each question and author, and return how many.

    Slide Score has points and shapes in questions of their own: so has each class.
    """
    rows: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    n_written = 0
    for feature in features:
        is_written = False
        for part in simple_parts(feature, note):
            if part.geom_type == "LineString":
                note(_("is a line, which Slide Score does not know, and was left out"))
                continue
            named = feature.classification
            question = named.name if named else _NO_QUESTION
            key = (question, feature.author, part.geom_type == "Point")
            rows.setdefault(key, []).append(_drawn(feature, part))
            is_written = True
        n_written += is_written
    file.write(("\t".join(_COLUMNS) + "\n").encode())
    for (question, author, _is_points), drawn in rows.items():
        cells = ["0", frame.name, author, question]
        answer = orjson.dumps(drawn).decode()
        file.write(("\t".join([*map(_one_line, cells), answer]) + "\n").encode())
    return n_written


def _drawn(feature: Feature, part: BaseGeometry) -> dict[str, Any]:
    if part.geom_type == "Point":
        return {"x": part.x, "y": part.y}
    if is_upright_ellipse(feature, part):
        left, top, right, bottom = part.bounds
        center = {"x": (left + right) / 2, "y": (top + bottom) / 2}
        size = {"x": (right - left) / 2, "y": (bottom - top) / 2}
        return {"type": "ellipse", "center": center, "size": size}
    if not part.interiors:
        return {"type": "polygon", "points": _places(part.exterior)}
    holes = [_places(hole) for hole in part.interiors]
    return {
        "type": "brush",
        "positivePolygons": [_places(part.exterior)],
        "negativePolygons": holes,
    }


def _places(ring: BaseGeometry) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in ring_of(ring)]


def _one_line(text: str) -> str:
    return " ".join(text.split())
