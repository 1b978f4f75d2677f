"""ASAP's XML: level-0 px, groups as classes; a hole is a polygon of a group of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from shapely.geometry.base import BaseGeometry

from pathoview.annotations.classes import SEPARATOR
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame
from pathoview.annotations.dialects.holes import Holes
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.shapes import (
    Color,
    Maker,
    area,
    class_of,
    dots,
    is_upright_ellipse,
    line,
    plain_number,
    ring_of,
    simple_parts,
)
from pathoview.annotations.dialects.xml_stream import (
    hex_color,
    parse_hex_color,
    tag,
    xml_elements,
)
from pathoview.annotations.feature import Feature
from pathoview.core.translation import _

NAME = "asap"

_NO_GROUP = "None"
_AUTOMATIC_NAME = re.compile(r"Annotation \d+")
_EXCLUSION = "Exclusion"
_EXCLUSION_COLOR = (0, 0, 0)
_DEFAULT_COLOR = (0xF4, 0xFA, 0x58)
"""ASAP's own of what has no group."""


_Parents = dict[str, tuple[str, Color | None]]
"""Groups by name: the group each is in, and its colour."""


def looks_like(opening: Opening) -> bool:
    return opening.xml_root == "ASAP_Annotations"


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield the annotations; polygons of `DialectOptions.exclusion_groups` are cut out of others.

    The file is read twice: groups and holes stand behind what they belong to.
    """
    parents: _Parents = {}
    holes = Holes()
    for one in _annotations(path, parents):
        if one.is_hole(options):
            holes.add(one.geometry)
    groups = _classes(parents)
    maker = Maker(NAME, note)
    for one in _annotations(path):
        if not one.is_hole(options):
            feature = maker.make(one.geometry, **_said(one, groups))
            cut = feature and holes.cut(feature, note)
            if cut is not None:
                yield cut
    if holes:
        yield from _kept(path, options, holes, maker, groups)


def _kept(
    path: Path,
    options: DialectOptions,
    holes: Holes,
    maker: Maker,
    groups: Mapping[str, DetectionClass],
) -> Iterator[Feature]:
    """Yield what was meant as a hole and lies in nothing: it stays an object."""
    holes_again = (one for one in _annotations(path) if one.is_hole(options))
    for number, one in enumerate(holes_again):
        feature = None if holes.is_used(number) else maker.make(one.geometry, **_said(one, groups))
        if feature is not None:
            yield feature


@dataclass(slots=True)
class _Annotation:
    name: str
    kind: str
    group: str
    color: Color | None
    places: list[tuple[float, float, float]] = field(default_factory=list)
    """Order, x, y of each vertex."""

    @property
    def points(self) -> list[tuple[float, float]]:
        return [(x, y) for _order, x, y in sorted(self.places, key=lambda place: place[0])]

    def is_hole(self, options: DialectOptions) -> bool:
        is_area = self.kind not in ("dot", "pointset", "measurement")
        return is_area and self.group in options.exclusion_groups

    def geometry(self) -> BaseGeometry:
        points = self.points
        match self.kind:
            case "dot" | "pointset":
                return dots(points)
            case "measurement":
                return line(points)
        return area(points)


def _annotations(path: Path, parents: _Parents | None = None) -> Iterator[_Annotation]:
    """Yield the annotations; tell ``parents`` of the groups, which follow them."""
    here: _Annotation | None = None
    for is_end, name, element in xml_elements(path):
        said = element.attrib
        if name == "Coordinate":
            if is_end and here is not None:
                place = _number(said.get("Order")), _number(said.get("X")), _number(said.get("Y"))
                here.places.append(place)
        elif name == "Annotation":
            if is_end and here is not None:
                yield here
            here = None if is_end else _annotation(said)
        elif name == "Group" and is_end and parents is not None:
            color = parse_hex_color(said.get("Color"))
            parents[said.get("Name", "")] = said.get("PartOfGroup", _NO_GROUP), color


def _annotation(said: Mapping[str, str]) -> _Annotation:
    return _Annotation(
        said.get("Name", ""),
        said.get("Type", "Polygon").lower(),
        said.get("PartOfGroup", _NO_GROUP),
        parse_hex_color(said.get("Color")),
    )


def _number(text: str | None) -> float:
    """Return a number, with a comma where a German ASAP wrote one; NaN when it is none."""
    try:
        return float((text or "").replace(",", "."))
    except ValueError:
        return float("nan")


def _classes(parents: _Parents) -> Mapping[str, DetectionClass]:
    """Return the class that each group is: groups within groups are nested classes."""
    classes = {}
    for group, (_parent, color) in parents.items():
        levels: list[str] = []
        here = group
        while here in parents and here not in levels and here != _NO_GROUP:
            levels.append(here)
            here = parents[here][0]
        named = class_of(SEPARATOR.join(reversed(levels)), color)
        if named is not None:
            classes[group] = named
    return classes


def _said(one: _Annotation, groups: Mapping[str, DetectionClass]) -> dict[str, object]:
    group = "" if one.group == _NO_GROUP else one.group
    classification = groups.get(group) or class_of(group, one.color)
    is_own = one.color != (classification.color if classification else _DEFAULT_COLOR)
    return {
        "name": "" if _AUTOMATIC_NAME.fullmatch(one.name) else one.name,
        "classification": classification,
        "color": one.color if is_own else None,
        "role": "ruler" if one.kind == "measurement" else "",
    }


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write the objects and return how many; holes become polygons of the group “Exclusion”."""
    writer = _Writer(file, note)
    file.write(b'<?xml version="1.0"?>\n<ASAP_Annotations>\n<Annotations>\n')
    n_written = sum([writer.add(feature) for feature in features])
    file.write(b"</Annotations>\n<AnnotationGroups>\n")
    for group, color in writer.groups.items():
        start = tag("Group", Name=group, PartOfGroup=_NO_GROUP, Color=hex_color(color))
        file.write(f"{start}<Attributes/></Group>\n".encode())
    file.write(b"</AnnotationGroups>\n</ASAP_Annotations>\n")
    return n_written


class _Writer:
    def __init__(self, file: IO[bytes], note: Note) -> None:
        self._file = file
        self._note = note
        self._n_outlines = 0
        self.groups: dict[str, Color] = {}
        """Those that were used: ASAP refuses a file that names one which is not in it."""

    def add(self, feature: Feature) -> bool:
        """Write an object; return whether anything of it was."""
        named = feature.classification
        group = named.name if named else _NO_GROUP
        color = feature.color or (named.color if named else _DEFAULT_COLOR)
        is_written = False
        for part in simple_parts(feature, self._note):
            if part.geom_type == "LineString" and len(part.coords) != 2:
                self._note(_("is a line of several pieces, unknown to ASAP, and was left out"))
                continue
            if is_upright_ellipse(feature, part):
                self._note(_("is an ellipse, written as a polygon"))
            if named:
                self.groups.setdefault(group, named.color)
            is_area = part.geom_type == "Polygon"
            points = ring_of(part.exterior if is_area else part)
            self._outline(feature.name, _kind(part), group, color, points)
            for hole in part.interiors if is_area else ():
                self.groups.setdefault(_EXCLUSION, _EXCLUSION_COLOR)
                self._outline("", "Polygon", _EXCLUSION, _EXCLUSION_COLOR, ring_of(hole))
            is_written = True
        return is_written

    def _outline(
        self, name: str, kind: str, group: str, color: Color, points: list[tuple[float, float]]
    ) -> None:
        name = name or f"Annotation {self._n_outlines}"
        self._n_outlines += 1
        start = tag("Annotation", Name=name, Type=kind, PartOfGroup=group, Color=hex_color(color))
        places = "".join(
            f'<Coordinate Order="{order}" X="{plain_number(x)}" Y="{plain_number(y)}"/>'
            for order, (x, y) in enumerate(points)
        )
        self._file.write(f"{start}<Coordinates>{places}</Coordinates></Annotation>\n".encode())


def _kind(part: BaseGeometry) -> str:
    return {"Point": "Dot", "LineString": "Measurement"}.get(part.geom_type, "Polygon")
