"""Draws a picture block by block from whole tiles, and what is written over it.

Called in a thread of its own or on the command line; nothing here waits for a window.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from pathoview.core.errors import StorageError, UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.pyramid import TileKey
from pathoview.core.translation import _
from pathoview.layers.backdrop import Backdrop, blank
from pathoview.layers.compose import Shown, draw_layers, whole_tiles
from pathoview.layers.frame import Frame
from pathoview.layers.measuring_grid import LINE_OPACITY, Lines, grid_lines, grid_step_um
from pathoview.layers.paint import Color
from pathoview.layers.pictures.furniture import furniture
from pathoview.layers.pictures.legend import Legend, legend_of
from pathoview.layers.pictures.marks import Mark
from pathoview.layers.pictures.order import PictureOrder
from pathoview.layers.pictures.raster_marks import draw_mark, ink
from pathoview.layers.source import Rgba, TileSource
from pathoview.layers.stand_in import Piece

MOST_PX = 200_000_000
"""A larger picture would not fit into the memory of an ordinary machine."""
_BLOCK_PX = 1024
_KEPT_TILES = 96
"""Blocks that follow each other share tiles."""
_SHIFT = 4
"""Fractional bits of the coordinates given to OpenCV."""


def drawn(order: PictureOrder, progress: Progress) -> Rgba:
    """Return a picture with all that is written over it, opaque RGBA.

    Raises `UsageError` when it would be too large, `SlideError` when a tile cannot be read, and
    `Cancelled`.
    """
    picture = content(order, order.shown, progress)
    for mark in marks_of(order):
        draw_mark(picture, mark)
    progress.report(1.0)
    return picture


def content(
    order: PictureOrder, shown: Sequence[Shown], progress: Progress, *, grid: bool = True
) -> Rgba:
    """Return layers of a picture, opaque RGBA, with its grid but no furniture."""
    frame = order.frame
    check_size(frame)
    backdrop = Backdrop(order.background, order.background)
    picture = np.empty((frame.height, frame.width, 4), np.uint8)
    fetch = _Tiles()
    parts = list(_parts(frame))
    for number, part in enumerate(parts):
        progress.check()
        progress.report(number / len(parts))
        block = blank(backdrop, part, order.slide_l0)
        line = _curtain_px(order) - (part.left - frame.left)
        if line > 0:
            draw_layers(block, shown, part.to_px, fetch)
        if line < part.width:
            other = blank(backdrop, part, order.slide_l0)
            draw_layers(other, order.beyond, part.to_px, fetch)
            block[:, max(0, line) :] = other[:, max(0, line) :]
        if grid:
            _draw_grid(block, grid_of(order, part), order.enlarged, order.grid_color)
        x, y = part.left - frame.left, part.top - frame.top
        picture[y : y + part.height, x : x + part.width] = block
    return picture


def _curtain_px(order: PictureOrder) -> int:
    """Return where the curtain is; at the right edge if there is none."""
    return round((1.0 if order.curtain is None else order.curtain) * order.frame.width)


def check_size(frame: Frame) -> None:
    """Raise `UsageError` when a picture would be too large, or empty."""
    if not 0 < frame.width * frame.height <= MOST_PX:
        raise UsageError(
            _("A picture of {width:,} × {height:,} px is too large.").format(
                width=frame.width, height=frame.height
            ),
            _("Choose a smaller size."),
        )


def marks_of(order: PictureOrder) -> list[Mark]:
    """Return what is written over a picture; reads the limits of colour bars. `SlideError`."""
    legends: list[Legend] = []
    for name, source in order.legend:
        legend = legend_of(name, source)
        if legend is not None:
            legends.append(legend)
    return furniture(order, legends)


def grid_of(order: PictureOrder, part: Frame) -> Lines:
    """Return the grid's lines in a part of a picture, px of that part."""
    if not order.grid or order.mpp is None:
        return np.empty((0, 2, 2))
    step_um = grid_step_um(order.mpp[0] / part.scale * order.enlarged, order.grid_um)
    step_l0 = (step_um / order.mpp[0], step_um / order.mpp[1])
    lines = grid_lines(part.visible_l0, order.slide_l0, step_l0)
    return part.to_px.points(lines.reshape(-1, 2)).reshape(-1, 2, 2)


def write_png(order: PictureOrder, path: Path, progress: Progress) -> None:
    """Write a picture at once or not at all; raises `StorageError` too."""
    data = png(drawn(order, progress))
    with replacing(path) as file:
        file.write(data)


def png(picture: Rgba) -> bytes:
    """Return an opaque picture as the bytes of a PNG file."""
    is_done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGR))
    if not is_done:
        raise StorageError(_("The picture could not be packed as PNG."))
    return data.tobytes()


class _Tiles:
    """Fetches whole tiles and keeps the last ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, TileKey], Sequence[Piece]] = OrderedDict()

    def __call__(self, source: TileSource, key: TileKey) -> Sequence[Piece]:
        name = id(source), key
        if name not in self._kept:
            self._kept[name] = whole_tiles(source, key)
            if len(self._kept) > _KEPT_TILES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        return self._kept[name]


def _parts(frame: Frame) -> Iterator[Frame]:
    for top in range(0, frame.height, _BLOCK_PX):
        for left in range(0, frame.width, _BLOCK_PX):
            yield replace(
                frame,
                left=frame.left + left,
                top=frame.top + top,
                width=min(_BLOCK_PX, frame.width - left),
                height=min(_BLOCK_PX, frame.height - top),
            )


def _draw_grid(block: Rgba, lines: Lines, enlarged: float, color: Color) -> None:
    if not len(lines):
        return
    mask = np.zeros(block.shape[:2], np.uint8)
    points = np.rint((lines - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(mask, list(points), False, 255, max(1, round(enlarged)), cv2.LINE_AA, _SHIFT)
    ink(block, mask, 0, 0, color, LINE_OPACITY)
