"""Hamamatsu's NDPA: nanometres from the centre of the glass slide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.shapes import (
    Maker,
    area,
    class_of,
    dots,
    ellipse,
    is_upright_ellipse,
    line,
    ring_of,
    simple_parts,
)
from pathoview.annotations.dialects.xml_stream import (
    escaped,
    hex_color,
    parse_hex_color,
    tag,
    xml_elements,
)
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError
from pathoview.core.translation import _

NAME = "ndpa"

_BLACK = (0, 0, 0)
_LINES = {"linearmeasure": "ruler", "pointer": "arrow"}
_DISPLAY_NAMES = {
    "linearmeasure": "AnnotateRuler",
    "pointer": "AnnotatePointer",
    "circle": "AnnotateCircle",
    "pin": "AnnotatePin",
}
_ROUND_PX = 0.02
"""Widths and heights of a circle may differ by this."""

Positions = npt.NDArray[np.float64]


def looks_like(opening: Opening) -> bool:
    return opening.xml_root == "annotations" and (
        "<ndpviewstate" in opening.text or opening.path.suffix.lower() == ".ndpa"
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the origin of the file lies on the slide, and how large a pixel is."""

    nm_per_px: Positions
    origin_nm: Positions

    @classmethod
    def of(cls, frame: SlideFrame) -> _Place:
        """Raise `AnnotationFileError` when the slide says too little to place anything."""
        if frame.mpp is None:
            raise AnnotationFileError(
                _("NDPA files count in nanometres, and this slide has no µm per pixel."),
                _("Give the scale of the slide first."),
            )
        if frame.slide_offset_nm is None:
            raise AnnotationFileError(
                _("NDPA files count from the centre of a Hamamatsu slide; this is none."),
                _("Open the NDPI or VMS file that the annotations belong to."),
            )
        nm_per_px = np.array(frame.mpp) * 1000
        size = np.array([frame.width_l0, frame.height_l0])
        return cls(nm_per_px, np.array(frame.slide_offset_nm) - size / 2 * nm_per_px)

    def to_px(self, nm: Positions) -> Positions:
        return (nm - self.origin_nm) / self.nm_per_px

    def to_nm(self, px: Positions) -> Positions:
        return np.asarray(px) * self.nm_per_px + self.origin_nm


@dataclass(slots=True)
class _View:
    """One ``ndpviewstate``, taken up tag by tag: a place to look at, with an annotation."""

    owner: str
    kind: str = ""
    """Of its annotation; empty while there is none."""
    color: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    """Of the view by name, of the annotation after a slash, of its points after two."""
    points: list[tuple[float, float]] = field(default_factory=list)
    prefix: str = ""

    def begin(self, name: str, element: Element) -> None:
        if name == "annotation":
            self.kind = element.get("type", "freehand").lower()
            self.color = element.get("color", "")
        if name in ("annotation", "point"):
            self.prefix += "/"

    def end(self, name: str, element: Element) -> None:
        if name in ("annotation", "point"):
            if name == "point":
                self.points.append((self.number("/x"), self.number("/y")))
            self.prefix = self.prefix[1:]
        else:
            self.texts[self.prefix + name] = (element.text or "").strip()

    def number(self, name: str) -> float:
        """Return a number of the annotation; NaN when it is none."""
        try:
            return float(self.texts.get(f"/{name}", ""))
        except ValueError:
            return float("nan")

    @property
    def is_closed(self) -> bool:
        is_box = self.texts.get("/specialtype", "").startswith("rectangle")
        return is_box or self.texts.get("/closed", "1") not in ("0", "false")


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield the annotations: their title is their class, their details their name.

    Raises `AnnotationFileError` when the slide says too little to place them.
    """
    place = _Place.of(frame)
    maker = Maker(NAME, note)
    for view in _views(path):
        if not view.kind:
            continue  # a view without an annotation
        if view.texts.get("coordformat", "nanometers").lower() not in ("nanometers", ""):
            note(_("is not given in nanometres and was left out"))
            continue
        color = parse_hex_color(view.color)
        classification = class_of(view.texts.get("title", ""), color)
        feature = maker.make(
            partial(_geometry, view, place),
            classification=classification,
            color=None if classification or color == _BLACK else color,
            name=view.texts.get("details", "").strip(),
            author=view.owner,
            is_ellipse=view.kind == "circle",
            role=_LINES.get(view.kind, ""),
        )
        if feature is not None:
            yield feature


def _views(path: Path) -> Iterator[_View]:
    view: _View | None = None
    for is_end, name, element in xml_elements(path):
        if name == "ndpviewstate":
            if is_end and view is not None:
                yield view
            view = None if is_end else _View(element.get("owner", ""))
        elif view is not None:
            (view.end if is_end else view.begin)(name, element)


def _geometry(view: _View, place: _Place) -> BaseGeometry:
    if view.kind in ("pin", "circle"):
        x, y = place.to_px(np.array([view.number("x"), view.number("y")]))
        if view.kind == "pin":
            return dots([(x, y)])
        radius_x, radius_y = view.number("radius") / place.nm_per_px
        return ellipse((x, y), radius_x, radius_y)
    if view.kind in _LINES:
        ends = [(view.number(f"x{end}"), view.number(f"y{end}")) for end in (1, 2)]
        return line(place.to_px(np.array(ends)))
    points = place.to_px(np.array(view.points, np.float64).reshape(-1, 2))
    return area(points) if view.is_closed and len(points) > 2 else line(points)


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write the objects and return how many; raise `AnnotationFileError` without a place."""
    place = _Place.of(frame)
    file.write(b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<annotations>\n')
    n_views = 0
    n_written = 0
    for feature in features:
        parts = list(simple_parts(feature, note))
        for part in parts:
            n_views += 1
            if part.geom_type == "Polygon" and part.interiors:
                note(_("has holes, which NDPA does not know: it was written without them"))
            file.write(_view_text(n_views, feature, part, place).encode())
        n_written += bool(parts)
    file.write(b"</annotations>\n")
    return n_written


def _view_text(number: int, feature: Feature, part: BaseGeometry, place: _Place) -> str:
    named = feature.classification
    color = (named.color if named else feature.color) or _BLACK
    x, y = place.to_nm(np.array(part.centroid.coords[0]))
    view = {
        "title": named.name if named else "",
        "details": feature.name,
        "coordformat": "nanometers",
        "lens": "5",
        "x": _nm(x),
        "y": _nm(y),
        "z": "0",
        "showtitle": "0",
        "showhistogram": "0",
        "showlineprofile": "0",
    }
    kind, texts, points = _shape(feature, part, place)
    name = _DISPLAY_NAMES.get(kind, "AnnotateFreehand")
    owner = {"owner": feature.author} if feature.author else {}
    places = "".join(f"<point><x>{_nm(x)}</x><y>{_nm(y)}</y></point>" for x, y in points)
    start = tag("annotation", type=kind, displayname=name, color=hex_color(color))
    pointlist = f"<pointlist>{places}</pointlist>" if points else ""
    return (
        f"{tag('ndpviewstate', id=number, **owner)}{_elements(view)}"
        f"{start}{_elements(texts)}{pointlist}</annotation></ndpviewstate>\n"
    )


def _shape(
    feature: Feature, part: BaseGeometry, place: _Place
) -> tuple[str, dict[str, str], list[tuple[float, float]]]:
    """Return type, texts and vertices (nm) of an annotation."""
    is_area = part.geom_type == "Polygon"
    points = place.to_nm(np.array(ring_of(part.exterior if is_area else part)))
    if part.geom_type == "Point":
        return "pin", {"x": _nm(points[0, 0]), "y": _nm(points[0, 1]), "icon": "pinblue"}, []
    if is_upright_ellipse(feature, part) and _is_circle(part):
        low, high = (place.to_nm(np.array(corner)) for corner in np.reshape(part.bounds, (2, 2)))
        (x, y), radius = (low + high) / 2, (high - low).mean() / 2
        return "circle", {"x": _nm(x), "y": _nm(y), "radius": _nm(radius)}, []
    kinds = {role: kind for kind, role in _LINES.items()}
    if feature.role in kinds and not is_area and len(points) == 2:
        (x1, y1), (x2, y2) = points
        ends = {"x1": _nm(x1), "y1": _nm(y1), "x2": _nm(x2), "y2": _nm(y2)}
        return kinds[feature.role], ends, []
    texts = {"measuretype": "0", "closed": str(int(is_area))}
    return "freehand", texts, [(float(x), float(y)) for x, y in points]


def _is_circle(part: BaseGeometry) -> bool:
    left, top, right, bottom = part.bounds
    return bool(abs((right - left) - (bottom - top)) <= _ROUND_PX)


def _nm(value: float) -> str:
    return str(round(value))


def _elements(texts: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escaped(text)}</{name}>" for name, text in texts.items())
