"""Aperio ImageScope's XML: level-0 px, layers as classes, holes by ``NegativeROA``."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame
from pathoview.annotations.dialects.holes import Holes
from pathoview.annotations.dialects.opening import Opening
from pathoview.annotations.dialects.shapes import (
    Color,
    Maker,
    area,
    box,
    class_of,
    dots,
    ellipse,
    line,
)
from pathoview.annotations.dialects.stroke_join import joined_strokes
from pathoview.annotations.dialects.xml_stream import xml_elements
from pathoview.annotations.feature import Feature
from pathoview.core.translation import _

NAME = "imagescope"

_KIND_OF_TYPE = {"1": "rectangle", "2": "ellipse", "3": "arrow", "4": "ruler"}
_KIND_OF_SHAPE = {"points": "points", "rectangle": "rectangle", "ellipse": "ellipse"}
_MOST_CORNERS = 5
"""A rectangle or ellipse of more vertices than this is an outline as it was drawn."""
_NO_TEXT = ("", "null")


def looks_like(opening: Opening) -> bool:
    is_ours = "<Region" in opening.text or "MicronsPerPixel" in opening.text
    return opening.xml_root == "Annotations" and (is_ours or "LineColor" in opening.text)


def read(path: Path, frame: SlideFrame, options: DialectOptions, note: Note) -> Iterator[Feature]:
    """Yield the regions, layer by layer, with their holes cut out.

    In a layer without a name the text of a region is its class.
    """
    maker = Maker(NAME, note)
    for layer in _layers(path, options):
        regions = [region for region in layer.regions if not region.is_negative]
        if options.join_ends_px > 0:
            regions = _joined(regions, options.join_ends_px, note)
        holes = Holes()
        negative = [region for region in layer.regions if region.is_negative]
        for region in negative:
            holes.add(region.geometry)
        for region in regions:
            feature = maker.make(region.geometry, **_said(layer, region))
            cut = feature and holes.cut(feature, note)
            if cut is not None:
                yield cut
        for number in range(len(negative)):
            if not holes.is_used(number):
                note(_("is a hole that lies in no region of its layer and was left out"))


@dataclass(slots=True)
class _Region:
    kind: str
    text: str
    is_negative: bool
    numbers: array[float] = field(default_factory=lambda: array("d"))
    """x, y of each vertex."""
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> npt.NDArray[np.float64]:
        return np.array(self.numbers, np.float64).reshape(-1, 2)

    @points.setter
    def points(self, points: npt.NDArray[np.float64]) -> None:
        self.numbers = array("d", points.ravel().tolist())

    @property
    def shape(self) -> str:
        """What it is, by what is said and by how many vertices there are."""
        n_points = len(self.numbers) // 2
        if self.kind == "points" or n_points == 1:
            return "points"
        if self.kind in ("arrow", "ruler") or (n_points == 2 and self.kind == "outline"):
            return "line"
        is_box = self.kind in ("rectangle", "ellipse") and n_points <= _MOST_CORNERS
        return self.kind if is_box else "outline"

    def geometry(self) -> BaseGeometry:
        points = self.points
        match self.shape:
            case "points":
                return dots(points)
            case "line":
                return line(points)
            case "ellipse":
                low, high = points.min(axis=0), points.max(axis=0)
                center, radius = (low + high) / 2, (high - low) / 2
                return ellipse((center[0], center[1]), radius[0], radius[1])
            case "rectangle" if len(points) == 2:
                return box(*points.min(axis=0), *points.max(axis=0))
        return area(points)


@dataclass(slots=True)
class _Layer:
    name: str
    color: Color | None
    is_hidden: bool
    is_locked: bool
    description: str = ""
    regions: list[_Region] = field(default_factory=list)


def _layers(path: Path, options: DialectOptions) -> Iterator[_Layer]:
    layer: _Layer | None = None
    region: _Region | None = None
    for is_end, name, element in xml_elements(path):
        said = element.attrib
        match name:
            case "Annotation":
                if is_end and layer is not None:
                    yield layer
                layer, region = None if is_end else _layer(said, options), None
            case "Region":
                if layer is not None and not is_end:
                    region = _region(said)
                    layer.regions.append(region)
                elif is_end:
                    region = None
            case "Vertex" if is_end and region is not None:
                region.numbers.extend((_number(said.get("X")), _number(said.get("Y"))))
            case "Attribute" if is_end and layer is not None:
                _take_attribute(said, layer, region)


def _layer(said: dict[str, str], options: DialectOptions) -> _Layer:
    return _Layer(
        said.get("Name", ""),
        parse_line_color(said.get("LineColor"), options),
        said.get("Visible") == "0",
        said.get("ReadOnly") == "1",
    )


def _region(said: dict[str, str]) -> _Region:
    shape = said.get("GeoShape", "").lower()
    if shape:  # who writes it means it, whatever Type says
        kind = _KIND_OF_SHAPE.get(shape, "outline")
    else:
        kind = _KIND_OF_TYPE.get(said.get("Type", "0"), "outline")
    text = said.get("Text", "")
    return _Region(kind, "" if text in _NO_TEXT else text, said.get("NegativeROA") == "1")


def _take_attribute(said: dict[str, str], layer: _Layer, region: _Region | None) -> None:
    name, value = said.get("Name", ""), said.get("Value", "")
    if not name or not value:
        return
    if region is not None:
        region.metadata[name] = value
    elif name == "Description":
        layer.description = value


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return float("nan")


def parse_line_color(text: str | None, options: DialectOptions) -> Color | None:
    """Return the colour in a packed number, in the order that the options say."""
    try:
        packed = int(text or "")
    except ValueError:
        return None
    low, middle, high = packed & 255, packed >> 8 & 255, packed >> 16 & 255
    return (low, middle, high) if options.color_order == "bgr" else (high, middle, low)


def _said(layer: _Layer, region: _Region) -> dict[str, object]:
    name = layer.name or layer.description or region.text
    classification = class_of(name, layer.color)
    is_line = region.shape == "line"
    return {
        "classification": classification,
        "color": None if classification else layer.color,
        "name": region.text if region.text != name else "",
        "metadata": region.metadata,
        "is_hidden": layer.is_hidden,
        "is_locked": layer.is_locked,
        "is_ellipse": region.shape == "ellipse",
        "role": region.kind if is_line and region.kind in ("arrow", "ruler") else "",
    }


def _joined(regions: list[_Region], reach_px: float, note: Note) -> list[_Region]:
    """Return the regions with open strokes put together into closed outlines."""
    open_ones = [
        region
        for region in regions
        if region.shape == "outline"
        and np.hypot(*(region.points[0] - region.points[-1])) > reach_px
    ]
    swallowed: set[int] = set()
    for chain, points in joined_strokes([one.points for one in open_ones], reach_px):
        open_ones[chain[0]].points = points
        for number in chain[1:]:
            swallowed.add(id(open_ones[number]))
            note(_("is a stroke that was joined to the one before"))
    return [region for region in regions if id(region) not in swallowed]
