"""A picture as SVG: the slide as an embedded PNG, objects and letters as shapes to be edited."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import SUBPIXEL
from pathoview.core.files import replacing
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.layers.compose import Shown
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.measuring_grid import LINE_OPACITY
from pathoview.layers.paint import Color
from pathoview.layers.pictures.drawing import (
    content,
    grid_of,
    marks_of,
    png,
)
from pathoview.layers.pictures.marks import Box, Mark, Ramp
from pathoview.layers.pictures.order import PictureOrder

MOST_SHAPES = 20_000
"""More objects than that are drawn into the PNG: editors stall over so many paths."""
_ASCENT = 0.95
"""From the top of a line of text to its base line, in sizes of its letters."""


def write_svg(order: PictureOrder, path: Path, progress: Progress) -> None:
    """Write a picture at once or not at all.

    Raises `UsageError`, `SlideError`, `StorageError` and `Cancelled`.
    """
    with replacing(path) as file:
        for line in svg_lines(order, progress):
            file.write(line.encode() + b"\n")


def svg_lines(order: PictureOrder, progress: Progress) -> Iterator[str]:
    """Yield the lines of the file."""
    frame = order.frame
    n_flat = _n_flat(order)
    flat = content(order, order.shown[:n_flat], progress, grid=False)
    size = f'width="{frame.width}" height="{frame.height}"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{size} viewBox="0 0 {frame.width} {frame.height}">'
    )
    yield _image(flat, f'id="slide" x="0" y="0" {size}')
    for item in order.shown[n_flat:]:
        progress.check()
        yield from _outlines(order, item)
    yield from _grid(order)
    yield f'<g id="furniture" font-family="{_FONTS}">'
    for mark in marks_of(order):
        yield _mark(mark)
    yield "</g>"
    yield "</svg>"
    progress.report(1.0)


_FONTS = "DejaVu Sans, Verdana, Arial, sans-serif"


def _n_flat(order: PictureOrder) -> int:
    """Return how many layers, from the back, are drawn into the PNG."""
    n_flat = len(order.shown)
    if order.curtain is not None:  # shapes would hang over it
        return n_flat
    n_shapes = 0
    while n_flat and order.shown[n_flat - 1].blend == "normal":
        source = order.shown[n_flat - 1].source
        if not isinstance(source, DetectionSource):
            break
        near, _look = source.seen_in(order.frame.visible_l0)
        n_shapes += sum(len(rows) for _chunk, rows in near)
        if n_shapes > MOST_SHAPES:
            break
        n_flat -= 1
    return n_flat


def _outlines(order: PictureOrder, item: Shown) -> Iterator[str]:
    """Yield a layer of detections, a group a colour."""
    source = item.source
    assert isinstance(source, DetectionSource)
    on_screen = order.enlarged / order.frame.scale
    near, look = source.seen_in(order.frame.visible_l0, on_screen)
    palette = look.palette(256)
    width = look.style.line_width_px * order.enlarged
    yield f'<g opacity="{item.opacity:g}" stroke-width="{width:g}" stroke-linejoin="round">'
    shapes: dict[int, list[str]] = {}
    for chunk, rows in near:
        points, offsets = chunk.table.points_of(rows)
        at_px = order.frame.to_px.points(points.astype(np.float64) / SUBPIXEL)
        kinds = look.kinds(chunk.table, 256, rows).tolist()
        for kind, (start, end) in zip(kinds, pairwise(offsets.tolist()), strict=True):
            shapes.setdefault(kind, []).append(_path(at_px[start:end]))
    for kind in sorted(set(shapes) & set(palette)):
        color = _hex(palette[kind])
        fill = look.style.fill_opacity
        paint = f'fill="{color}" fill-opacity="{fill:g}"' if fill else 'fill="none"'
        yield f'<g stroke="{color}" {paint}>'
        yield from shapes[kind]
        yield "</g>"
    yield "</g>"


def _path(points: npt.NDArray[np.float64]) -> str:
    return '<path d="M' + "L".join(f"{x:.2f} {y:.2f}" for x, y in points.tolist()) + 'Z"/>'


def _grid(order: PictureOrder) -> Iterator[str]:
    lines = grid_of(order, order.frame)
    if not len(lines):
        return
    yield (
        f'<g id="grid" stroke="{_hex(order.grid_color)}" stroke-opacity="{LINE_OPACITY:g}" '
        f'stroke-width="{order.enlarged:g}">'
    )
    for (x1, y1), (x2, y2) in lines.tolist():
        yield f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"/>'
    yield "</g>"


def _mark(mark: Mark) -> str:
    if isinstance(mark, Box):
        radius = f' rx="{mark.radius:g}"' if mark.radius else ""
        opacity = f' fill-opacity="{mark.opacity:g}"' if mark.opacity < 1 else ""
        return f'<rect {_place(mark.rect)} fill="{_hex(mark.color)}"{opacity}{radius}/>'
    if isinstance(mark, Ramp):
        return _image(_opaque(mark.colors), f'{_place(mark.rect)} preserveAspectRatio="none"')
    base = mark.y + mark.size * _ASCENT
    return (
        f'<text x="{mark.x:.2f}" y="{base:.2f}" font-size="{mark.size:g}" '
        f'fill="{_hex(mark.color)}">{escape(mark.text, quote=False)}</text>'
    )


def _opaque(colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(colors[None], cv2.COLOR_RGB2RGBA), np.uint8)


def _image(picture: npt.NDArray[np.uint8], attributes: str) -> str:
    data = base64.b64encode(png(picture)).decode()
    return f'<image {attributes} xlink:href="data:image/png;base64,{data}"/>'


def _place(rect: Rect) -> str:
    return f'x="{rect.x:.2f}" y="{rect.y:.2f}" width="{rect.width:.2f}" height="{rect.height:.2f}"'


def _hex(color: Color | Sequence[int]) -> str:
    red, green, blue = color
    return f"#{red:02x}{green:02x}{blue:02x}"
