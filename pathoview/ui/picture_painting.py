"""Copies the composed picture of a view to the screen; nothing is computed here."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QRegion, QTransform

from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.layers.frame import Frame
from pathoview.layers.picture import BLOCK_PX, Base, Bgra, Picture, places

_OPAQUE = QImage.Format.Format_RGB32


def as_image(pixels: Bgra) -> QImage:
    """Return pixels as an image without copying them: they must outlive it."""
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 4 * width, _OPAQUE)


def draw_picture(painter: QPainter, picture: Picture | None, frame: Frame, around: QColor) -> None:
    """Draw what there is of a frame; the painter's unit is a device px.

    Blocks of this look are copied. Where some are missing lie the blocks of the look before,
    enlarged, shrunk or turned, and below them the whole slide in few px.
    """
    if picture is None:
        painter.fillRect(QRectF(0, 0, frame.width, frame.height), around)
        return
    bare = _bare(picture, frame)
    if not bare.isEmpty():
        painter.save()
        painter.setClipRegion(bare, Qt.ClipOperation.IntersectClip)
        painter.fillRect(QRectF(0, 0, frame.width, frame.height), around)
        _draw_base(painter, picture.base, frame)
        painter.restore()
    if picture.look == frame.look:
        for (column, row), pixels in picture.blocks.items():
            at = QPointF(column * BLOCK_PX - frame.left, row * BLOCK_PX - frame.top)
            if -BLOCK_PX < at.x() < frame.width and -BLOCK_PX < at.y() < frame.height:
                painter.drawImage(at, as_image(pixels))
    else:
        _draw_moved(painter, picture, frame)


def _bare(picture: Picture, frame: Frame) -> QRegion:
    """Return where no block lies, device px."""
    bare = QRegion(0, 0, frame.width, frame.height)
    if picture.look == frame.look:
        for column, row in places(frame.rect_px):
            if (column, row) in picture.blocks:
                left, top = column * BLOCK_PX - frame.left, row * BLOCK_PX - frame.top
                bare -= QRegion(left, top, BLOCK_PX, BLOCK_PX)
        return bare
    to_px = picture.look.affine.inverse().then(frame.to_px)
    if to_px.is_axis_parallel:
        for column, row in picture.blocks:
            block = to_px.rect(Rect(column * BLOCK_PX, row * BLOCK_PX, BLOCK_PX, BLOCK_PX))
            left, top = math.ceil(block.x), math.ceil(block.y)
            bare -= QRegion(
                left, top, math.floor(block.right) - left, math.floor(block.bottom) - top
            )
    return bare


def transform(affine: Affine) -> QTransform:
    return QTransform(affine.xx, affine.yx, affine.xy, affine.yy, affine.x0, affine.y0)


def _draw_base(painter: QPainter, base: Base | None, frame: Frame) -> None:
    if base is None:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, frame.scale > base.frame.scale)
    painter.setTransform(transform(base.frame.to_px.inverse().then(frame.to_px)), combine=True)
    painter.drawImage(QPointF(0, 0), as_image(base.pixels))
    painter.restore()


def _draw_moved(painter: QPainter, picture: Picture, frame: Frame) -> None:
    """Draw blocks of another look where they belong in this one."""
    to_px = picture.look.affine.inverse().then(frame.to_px)
    seen = to_px.inverse().rect(frame.rect_px.moved(-frame.left, -frame.top))
    painter.save()
    painter.setTransform(transform(to_px), combine=True)
    for column, row in places(seen):
        pixels = picture.blocks.get((column, row))
        if pixels is not None:
            painter.drawImage(QPointF(column * BLOCK_PX, row * BLOCK_PX), as_image(pixels))
    painter.restore()


def smooth_copy(pixels: Bgra, width: int, height: int) -> QImage:
    """Return a copy of a picture at another size, averaged."""
    return as_image(pixels).scaled(
        width,
        height,
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
