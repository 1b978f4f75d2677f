"""Layers as one picture: the one painter of the canvas, of overviews, thumbnails and exports.

Everything goes through `draw_layers`: a picture is opaque RGBA, made of the tiles that a `Fetch`
brings (whole ones for exports, whatever is there for the canvas).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane, TileKey
from pathoview.layers.blending import blend
from pathoview.layers.layer import Blend, Layer
from pathoview.layers.source import Rgba, TileSource, Unfinished
from pathoview.layers.stand_in import Piece

Fetch = Callable[[TileSource, TileKey], Sequence[Piece]]
"""Returns what there is for a tile; pieces never overlap."""

_CRISP_SCALE = 2.0
"""Pixels enlarged more than this are drawn as squares, since then they are what one looks for."""
_FAR_PX = 2**26
"""Coordinates beyond this would not fit into OpenCV's; nothing that far away is seen."""
_SHIFT = 4
"""Fractional bits of the coordinates given to OpenCV."""
Scalar = float | tuple[float, ...]
_MARGIN_LV = 2
"""Pixels round the part that is drawn, for smooth edges."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A layer as it is drawn: a value that threads can work with while the layer changes."""

    source: TileSource
    plane: Plane = Plane()
    opacity: float = 1.0
    blend: Blend = "normal"


def shown_layers(
    layers: Iterable[Layer],
    plane: Plane = Plane(),
    chosen: Callable[[Layer], bool] = lambda _layer: True,
) -> tuple[Shown, ...]:
    """Return what is visible of the chosen layers, back to front.

    The slide is shown at a plane; what lies on it is the same at all of them.
    """
    return tuple(
        Shown(layer.source, Plane() if number else plane, layer.opacity, layer.blend)
        for number, layer in enumerate(layers)
        if layer.visible and layer.opacity > 0 and chosen(layer)
    )


def compose(
    layers: Iterable[Layer], rect_l0: Rect, width: int, height: int, plane: Plane = Plane()
) -> Rgba:
    """Return a rectangle of the slide as an opaque picture of ``width`` × ``height`` px.

    Layers are given from back to front; hidden ones are left out. What no layer covers is white.
    Raises `SlideError` when a tile cannot be read.
    """
    picture = np.full((height, width, 4), 255, np.uint8)
    draw_layers(picture, shown_layers(layers, plane), _onto(rect_l0, width, height), whole_tiles)
    return picture


def source_picture(
    source: TileSource, rect_l0: Rect, width: int, height: int, plane: Plane = Plane()
) -> Rgba:
    """Return a rectangle of one source, transparent where it has nothing."""
    to_px = _onto(rect_l0, width, height)
    pixels = warped(Shown(source, plane), to_px, width, height, whole_tiles)
    return np.zeros((height, width, 4), np.uint8) if pixels is None else pixels


def draw_layers(picture: Rgba, shown: Sequence[Shown], to_px: Affine, fetch: Fetch) -> None:
    """Draw layers over an opaque picture, in place; ``to_px``: from level-0 px to its px."""
    height, width = picture.shape[:2]
    for item in shown:
        pixels = warped(item, to_px, width, height, fetch)
        if pixels is not None:
            blend(picture, pixels, item.opacity, item.blend)


def warped(item: Shown, to_px: Affine, width: int, height: int, fetch: Fetch) -> Rgba | None:
    """Return a layer as a premultiplied picture of its own; None: nothing is there."""
    pyramid = item.source.pyramid
    level = pyramid.level_for(1 / to_px.scale)
    size = pyramid.levels[level]
    lv_to_px = Affine.scaled(size.downsample).then(to_px)
    seen_lv = lv_to_px.inverse().rect(Rect(0, 0, width, height))
    whole_lv = Rect(0, 0, size.width, size.height)
    part_lv = seen_lv.expanded(_MARGIN_LV).intersection(whole_lv).outward()
    if part_lv.is_empty:
        return None
    mosaic = _mosaic(item, level, part_lv, fetch)
    if mosaic is None:
        return None
    to_picture = Affine.moved(part_lv.x, part_lv.y).then(lv_to_px)
    pixels = _resampled(mosaic, to_picture, width, height)
    if seen_lv.intersection(whole_lv) == seen_lv:
        return pixels
    return _trimmed(pixels, whole_lv, lv_to_px)


def _trimmed(pixels: Rgba, whole_lv: Rect, lv_to_px: Affine) -> Rgba:
    """Return pixels without what lies beyond the layer's own edge, cut sharply.

    Sampling goes on with the outermost pixels there; fading out instead would leave a dark rim.
    """
    is_outside = np.ones(pixels.shape[:2], np.uint8)
    draw_rect(is_outside, whole_lv, lv_to_px, 0)
    pixels = pixels.copy()
    pixels[is_outside > 0] = 0
    return pixels


def draw_rect(picture: npt.NDArray[np.uint8], rect: Rect, to_px: Affine, value: Scalar) -> None:
    """Fill a rectangle, wherever and however turned it lies on a picture.

    One that lies upright ends at whole px, so that neighbours meet.
    """
    if to_px.xy == to_px.yx == 0 or to_px.xx == to_px.yy == 0:
        around = to_px.rect(rect)
        left, right = (max(0, round(x)) for x in (around.x, around.right))
        top, bottom = (max(0, round(y)) for y in (around.y, around.bottom))
        fill(picture[top:bottom, left:right], value)
        return
    corners = np.array(
        [(rect.x, rect.y), (rect.right, rect.y), (rect.right, rect.bottom), (rect.x, rect.bottom)]
    )
    at_px = to_px.points(corners) - 0.5  # OpenCV counts from the centre of a pixel
    near = np.clip(at_px, -_FAR_PX, _FAR_PX)
    cv2.fillConvexPoly(picture, np.rint(near * (1 << _SHIFT)).astype(np.int32), value, shift=_SHIFT)


def fill(picture: npt.NDArray[np.uint8], value: Scalar) -> None:
    """Give all of a picture one value; four bytes at once are many times as fast as one by one."""
    if isinstance(value, tuple):
        picture.view(np.uint32)[...] = np.array(value, np.uint8).view(np.uint32)[0]
    else:
        picture[...] = value


def whole_tiles(source: TileSource, key: TileKey) -> Sequence[Piece]:
    """Return a tile, however long it takes to make; raises `SlideError`."""
    tile = finished_tile(source, key)
    if tile is None:
        return ()
    rect_px = Rect(0, 0, tile.shape[1], tile.shape[0])
    return (Piece(tile, rect_px, source.pyramid.tile_l0(key), is_final=True),)


def finished_tile(source: TileSource, key: TileKey) -> Rgba | None:
    """Return a tile, however long it takes to make."""
    while isinstance(tile := source.read_tile(key), Unfinished):
        pass
    return tile


def _onto(rect_l0: Rect, width: int, height: int) -> Affine:
    size = Affine.scaled(width / rect_l0.width, height / rect_l0.height)
    return Affine.moved(-rect_l0.x, -rect_l0.y).then(size)


def _mosaic(item: Shown, level: int, part_lv: Rect, fetch: Fetch) -> Rgba | None:
    """Return whole pixels of a level, put together of what there is; None: nothing."""
    pyramid = item.source.pyramid
    mosaic: Rgba | None = None
    _left, _top, width, height = part_lv.as_ints()
    for key in pyramid.tiles_in(pyramid.to_l0(part_lv, level), level, item.plane):
        for piece in fetch(item.source, key):
            if not piece.pixels.size:
                continue
            if mosaic is None:
                mosaic = np.zeros((height, width, 4), np.uint8)
            place_lv = pyramid.to_level(piece.rect_l0, level).moved(-part_lv.x, -part_lv.y)
            _place(mosaic, piece, place_lv)
    return mosaic


def _place(mosaic: Rgba, piece: Piece, place: Rect) -> None:
    """Put a piece where it belongs, made larger or smaller when it comes from another level."""
    left, top = max(0, round(place.x)), max(0, round(place.y))
    right = min(mosaic.shape[1], round(place.right))
    bottom = min(mosaic.shape[0], round(place.bottom))
    if right <= left or bottom <= top:
        return
    enlarged = place.width / piece.part_px.width
    if abs(enlarged - 1) < 1e-3:
        x, y = round(piece.part_px.x - place.x), round(piece.part_px.y - place.y)
        part = piece.pixels[top + y : bottom + y, left + x : right + x]
        mosaic[top : top + part.shape[0], left : left + part.shape[1]] = part
        return
    to_mosaic = (
        Affine.moved(-piece.part_px.x, -piece.part_px.y)
        .then(Affine.scaled(enlarged, place.height / piece.part_px.height))
        .then(Affine.moved(place.x - left, place.y - top))
    )
    mosaic[top:bottom, left:right] = _resampled(
        piece.pixels, to_mosaic, right - left, bottom - top, smooth=True
    )


def _resampled(
    pixels: Rgba,
    to_px: Affine,
    width: int,
    height: int,
    *,
    smooth: bool = False,
) -> Rgba:
    """Return a picture of ``width`` × ``height`` px, sampled from pixels through a map.

    Where pixels get smaller than half their size they are averaged first: smooth sampling looks at
    four neighbours only, and would let small nuclei flicker.
    """
    shift_x, shift_y = to_px.x0, to_px.y0
    if to_px == Affine.moved(shift_x, shift_y) and shift_x.is_integer() and shift_y.is_integer():
        return _shifted(pixels, int(shift_x), int(shift_y), width, height)
    n_halvings = max(0, math.floor(-math.log2(to_px.scale) + 0.05))
    if n_halvings:
        factor = 2.0**n_halvings
        size = (
            max(1, math.ceil(pixels.shape[1] / factor)),
            max(1, math.ceil(pixels.shape[0] / factor)),
        )
        to_px = Affine.scaled(pixels.shape[1] / size[0], pixels.shape[0] / size[1]).then(to_px)
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Pixel centres: (i + ½) of the one lies on the map of (j + ½) of the other.
    centred = Affine.moved(0.5, 0.5).then(to_px).then(Affine.moved(-0.5, -0.5))
    kind = cv2.INTER_LINEAR if smooth or to_px.scale <= _CRISP_SCALE else cv2.INTER_NEAREST
    moved = cv2.warpAffine(
        pixels, centred.matrix(), (width, height), flags=kind, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def _shifted(pixels: Rgba, dx: int, dy: int, width: int, height: int) -> Rgba:
    """Return pixels moved by whole px: nothing is mixed, so nothing is blurred."""
    rows, columns = pixels.shape[:2]
    if dx <= 0 and dy <= 0 and columns + dx >= width and rows + dy >= height:
        return pixels[-dy : height - dy, -dx : width - dx]
    return _carried(pixels, Affine.moved(dx, dy), width, height, cv2.INTER_NEAREST)


def _carried(pixels: Rgba, to_px: Affine, width: int, height: int, kind: int) -> Rgba:
    """Sample between pixel centres; beyond the edge the outermost pixels go on."""
    moved = cv2.warpAffine(
        pixels, to_px.matrix(), (width, height), flags=kind, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)
