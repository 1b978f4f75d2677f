"""Layers and regions as Aperio ImageScope reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.dialects.frame import DialectOptions, Note, SlideFrame
from pathoview.annotations.dialects.shapes import (
    Color,
    is_upright_ellipse,
    plain_number,
    ring_of,
    simple_parts,
)
from pathoview.annotations.dialects.xml_stream import empty_tag, tag
from pathoview.annotations.feature import Feature
from pathoview.core.translation import _

_OUTLINE, _ELLIPSE, _ARROW, _RULER = 0, 2, 3, 4
_GREEN = (0, 255, 0)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A region and its holes."""

    kind: int
    text: str
    part: BaseGeometry

    @property
    def holes(self) -> Sequence[BaseGeometry]:
        return self.part.interiors if self.kind == _OUTLINE else ()


_Key = tuple[str, Color, bool, bool]
"""Name, colour, is hidden, is locked: what a layer says of all that is in it."""


def write(
    file: IO[bytes],
    features: Iterable[Feature],
    frame: SlideFrame,
    options: DialectOptions,
    note: Note,
) -> int:
    """Write the objects, a layer for each class, and return how many."""
    layers: dict[_Key, list[_Drawn]] = {}
    n_written = 0
    for feature in features:
        drawn = list(_drawn(feature, note))
        named = feature.classification
        color = (named.color if named else feature.color) or _GREEN
        key = (named.name if named else "", color, feature.is_hidden, feature.is_locked)
        if drawn:
            layers.setdefault(key, []).extend(drawn)
            n_written += 1
    scale = {"MicronsPerPixel": f"{frame.mpp[0]:.6f}"} if frame.mpp else {}
    file.write((tag("Annotations", **scale) + "\n").encode())
    number = 0
    for key, regions in layers.items():
        for apart in _apart(regions):
            number += 1
            file.write(_layer_text(number, key, apart, options).encode())
    file.write(b"</Annotations>\n")
    return n_written


def _drawn(feature: Feature, note: Note) -> Iterator[_Drawn]:
    for part in simple_parts(feature, note):
        kind = _OUTLINE
        if part.geom_type == "Point":
            note(_("is a point, which ImageScope does not know, and was left out"))
            continue
        if part.geom_type == "LineString":
            if len(part.coords) != 2:
                note(_("is an open line, which ImageScope does not know, and was left out"))
                continue
            kind = _ARROW if feature.role == "arrow" else _RULER
        elif is_upright_ellipse(feature, part):
            kind = _ELLIPSE
        yield _Drawn(kind, feature.name, part)


def _apart(regions: Sequence[_Drawn]) -> Iterator[list[_Drawn]]:
    """Yield groups for a layer each: a hole is cut out of all regions of its layer that hold it.

    So what has a hole with something else in it stands in a layer of its own.
    """
    tree = shapely.STRtree([one.part for one in regions])
    together = []
    for one in regions:
        holes = [shapely.Polygon(hole) for hole in one.holes]
        others = {int(number) for hole in holes for number in tree.query(hole, "intersects")}
        if all(regions[number] is one for number in others):
            together.append(one)
        else:
            yield [one]
    if together:
        yield together


def _layer_text(number: int, key: _Key, regions: Sequence[_Drawn], options: DialectOptions) -> str:
    name, color, is_hidden, is_locked = key
    red, green, blue = color if options.color_order == "bgr" else color[::-1]
    start = tag(
        "Annotation",
        Id=number,
        Name=name,
        ReadOnly=int(is_locked),
        NameReadOnly=0,
        LineColorReadOnly=0,
        Incremental=0,
        Type=4,
        LineColor=red | green << 8 | blue << 16,
        Visible=int(not is_hidden),
        Selected=0,
        MarkupImagePath="",
        MacroName="",
    )
    description = empty_tag("Attribute", Name="Description", Id=0, Value="")
    texts = [f"{start}\n<Attributes>{description}</Attributes>\n<Regions>"]
    texts.append("<RegionAttributeHeaders/>\n")
    n_regions = 0
    for region in regions:
        outer = region.part.exterior if region.part.geom_type == "Polygon" else region.part
        outlines = [(outer, region.kind, region.text, 0)]
        outlines += [(hole, _OUTLINE, "", 1) for hole in region.holes]
        for outline, kind, text, is_negative in outlines:
            n_regions += 1
            texts.append(_region_text(n_regions, outline, kind, text, is_negative))
    texts.append("</Regions>\n<Plots/>\n</Annotation>\n")
    return "".join(texts)


def _region_text(number: int, outline: BaseGeometry, kind: int, text: str, is_negative: int) -> str:
    if kind == _ELLIPSE:
        left, top, right, bottom = outline.bounds
        points = [(left, top), (right, bottom)]
    else:
        points = ring_of(outline)
    area = shapely.Polygon(outline).area if outline.geom_type == "LinearRing" else 0
    start = tag(
        "Region",
        Id=number,
        Type=kind,
        Zoom=1,
        Selected=0,
        ImageLocation="",
        ImageFocus=-1,
        Length=plain_number(outline.length),
        Area=plain_number(area),
        Text=text,
        NegativeROA=is_negative,
        InputRegionId=0,
        Analyze=1,
        DisplayId=number,
    )
    vertices = "".join(
        f'<Vertex X="{plain_number(x)}" Y="{plain_number(y)}" Z="0"/>' for x, y in points
    )
    return f"{start}<Attributes/><Vertices>{vertices}</Vertices></Region>\n"
