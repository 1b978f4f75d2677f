"""Layers as one picture, drawn at once: overviews, thumbnails and exports."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane, TileKey
from pathoview.layers.blending import blend
from pathoview.layers.layer import Layer
from pathoview.layers.source import Rgba, TileSource, Unfinished


def compose(
    layers: Iterable[Layer], rect_l0: Rect, width: int, height: int, plane: Plane = Plane()
) -> Rgba:
    """Return a rectangle of the slide as an opaque picture of ``width`` × ``height`` px.

    Layers are given from back to front; hidden ones are left out. What no layer covers is white.
    Raises `SlideError` when a tile cannot be read.
    """
    picture = np.full((height, width, 4), 255, np.uint8)
    for layer in layers:
        if layer.visible and layer.opacity > 0:
            pixels = source_picture(layer.source, rect_l0, width, height, plane)
            blend(picture, pixels, layer.opacity, layer.blend)
    return picture


def source_picture(
    source: TileSource, rect_l0: Rect, width: int, height: int, plane: Plane = Plane()
) -> Rgba:
    """Return a rectangle of one source, transparent where it has nothing."""
    pyramid = source.pyramid
    level = pyramid.level_for(min(rect_l0.width / width, rect_l0.height / height))
    rect_lv = pyramid.to_level(rect_l0, level)
    whole_lv = Rect(0, 0, pyramid.levels[level].width, pyramid.levels[level].height)
    part_lv = rect_lv.expanded(1).intersection(whole_lv).outward().intersection(whole_lv)
    mosaic = _mosaic(source, level, part_lv, plane)
    to_x, to_y = width / rect_lv.width, height / rect_lv.height
    # pixel centres: output (i + ½) is input (j + ½) scaled, moved by the mosaic's corner
    shift_x = (part_lv.x - rect_lv.x + 0.5) * to_x - 0.5
    shift_y = (part_lv.y - rect_lv.y + 0.5) * to_y - 0.5
    transform = np.array([[to_x, 0, shift_x], [0, to_y, shift_y]])
    moved = cv2.warpAffine(mosaic, transform, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8)


def finished_tile(source: TileSource, key: TileKey) -> Rgba | None:
    """Return a tile, however long it takes to make."""
    while isinstance(tile := source.read_tile(key), Unfinished):
        pass
    return tile


def _mosaic(source: TileSource, level: int, part_lv: Rect, plane: Plane) -> npt.NDArray[np.uint8]:
    """Return whole pixels of a level."""
    left, top, width, height = part_lv.as_ints()
    mosaic = np.zeros((height, width, 4), np.uint8)
    for key in source.pyramid.tiles_in(source.pyramid.to_l0(part_lv, level), level, plane):
        tile = finished_tile(source, key)
        if tile is None:
            continue
        place = source.pyramid.tile_lv(key)
        common = place.intersection(part_lv)
        x, y, columns, rows = common.as_ints()
        inside = tile[y - int(place.y) :, x - int(place.x) :][:rows, :columns]
        mosaic[y - top :, x - left :][: len(inside), : inside.shape[1]] = inside
    return mosaic
