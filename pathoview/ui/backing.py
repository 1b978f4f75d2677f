"""The composed picture of the layers: drawn once, scrolled on pans, mended where tiles arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPixmap, QRegion

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane, TileKey
from pathoview.layers.layer import Layer
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.source import TileSource
from pathoview.layers.stand_in import Piece
from pathoview.ui import theme
from pathoview.ui.tile_images import TileImages

SURROUND = QColor(theme.CANVAS)
"""Around the slide."""
UNREAD = QColor(theme.RAISED)
"""The slide where not even a coarse tile is there yet."""
_FAILED = QColor(230, 120, 90, 150)
_MOST_RECTS = 8
"""A stale region of more rectangles is drawn as one."""
_CRISP_SCALE = 2.0
"""Pixels enlarged more than this are drawn as squares, since then they are what one looks for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Which part of the scaled slide is drawn, in whole device px.

    The origin is whole so that a pan moves the finished picture by whole px, and the edges of
    tiles are rounded in the slide's frame, so that neighbours meet without a gap wherever it is.
    """

    scale: float
    """Device px a level-0 px."""
    left: int
    top: int
    width: int
    height: int

    @classmethod
    def around(cls, center_l0: tuple[float, float], scale: float, width: int, height: int) -> Frame:
        left = round(center_l0[0] * scale - width / 2)
        top = round(center_l0[1] * scale - height / 2)
        return cls(scale, left, top, width, height)

    @property
    def visible_l0(self) -> Rect:
        return Rect(self.left, self.top, self.width, self.height).scaled(1 / self.scale)

    def rect(self, rect_l0: Rect) -> QRect:
        """Return where a rectangle is drawn."""
        left, top = round(rect_l0.x * self.scale), round(rect_l0.y * self.scale)
        right, bottom = round(rect_l0.right * self.scale), round(rect_l0.bottom * self.scale)
        return QRect(left - self.left, top - self.top, right - left, bottom - top)

    def tiles(self, shown: Shown, region: QRect | None = None) -> Iterator[TileKey]:
        """Yield the tiles of a layer that a region (or all) of the frame shows."""
        pyramid = shown.layer.source.pyramid
        seen = QRectF(region or QRect(0, 0, self.width, self.height)).translated(
            self.left, self.top
        )
        seen_l0 = Rect(seen.x(), seen.y(), seen.width(), seen.height()).scaled(1 / self.scale)
        # Half a pixel more: the rounded edge of a tile may reach into the region.
        return pyramid.tiles_in(
            seen_l0.expanded(0.5 / self.scale), pyramid.level_for(1 / self.scale), shown.plane
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A layer that is drawn, and at which plane."""

    layer: Layer
    plane: Plane


def shown_layers(layers: Iterable[Layer], plane: Plane) -> list[Shown]:
    """Return what is visible, back to front; what lies on the slide is the same at all planes."""
    return [
        Shown(layer, Plane() if number else plane)
        for number, layer in enumerate(layers)
        if layer.visible and layer.opacity > 0
    ]


class LayerPainter:
    """Draws what the scheduler has of the layers."""

    def __init__(self, scheduler: TileScheduler) -> None:
        self._scheduler = scheduler
        self._images = TileImages()

    def refresh(self, backing: Backing, shown: Sequence[Shown], slide_l0: Rect) -> None:
        """Draw again what is stale in a backing, from the surround to the foremost layer."""
        stale, frame = backing.take_stale(), backing.frame
        if not stale or frame is None:
            return
        with QPainter(backing.pixmap) as painter:
            painter.setBrushOrigin(-frame.left, -frame.top)  # hatches meet when a part is drawn
            for region in stale:
                painter.setClipRect(region)
                painter.setOpacity(1)
                painter.fillRect(region, SURROUND)
                painter.fillRect(frame.rect(slide_l0), UNREAD)
                for item in shown:
                    painter.setOpacity(item.layer.opacity)
                    for key in frame.tiles(item, region):
                        self._draw_tile(painter, frame, item.layer.source, key)

    def _draw_tile(self, painter: QPainter, frame: Frame, source: TileSource, key: TileKey) -> None:
        for piece in self._scheduler.pieces(source, key):
            if piece.pixels.size:
                self._draw_piece(painter, frame, piece)
        if self._scheduler.failure(source, key) is not None:
            rect = frame.rect(source.pyramid.tile_l0(key))
            painter.fillRect(rect, QBrush(_FAILED, Qt.BrushStyle.BDiagPattern))

    def _draw_piece(self, painter: QPainter, frame: Frame, piece: Piece) -> None:
        target = frame.rect(piece.rect_l0)
        scale = frame.scale * piece.rect_l0.width / piece.part_px.width
        image = self._images.image(piece.pixels, scale)
        shrunk_x = image.width() / piece.pixels.shape[1]
        shrunk_y = image.height() / piece.pixels.shape[0]
        part = QRectF(
            piece.part_px.x * shrunk_x,
            piece.part_px.y * shrunk_y,
            piece.part_px.width * shrunk_x,
            piece.part_px.height * shrunk_y,
        )
        is_smooth = scale <= _CRISP_SCALE or not piece.is_final
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_smooth)
        painter.drawImage(QRectF(target), image, part)


class Backing:
    """A pixmap of the view, with the region that has to be drawn again."""

    def __init__(self) -> None:
        self.pixmap = QPixmap()
        self.frame: Frame | None = None
        self._stale = QRegion()

    def show(self, frame: Frame) -> None:
        """Take another frame; what both frames show is moved rather than drawn again."""
        old, self.frame = self.frame, frame
        whole = QRect(0, 0, frame.width, frame.height)
        if self.pixmap.size() != whole.size():
            self.pixmap = QPixmap(whole.size())
            self._stale = QRegion(whole)
        elif old is None or old.scale != frame.scale:
            self._stale = QRegion(whole)
        elif old != frame:
            self._scroll(QPoint(old.left - frame.left, old.top - frame.top), whole)

    def _scroll(self, by: QPoint, whole: QRect) -> None:
        kept = whole.intersected(whole.translated(by))
        if not kept.isEmpty():
            self.pixmap.scroll(by.x(), by.y(), whole)
        self._stale.translate(by)
        self._stale += QRegion(whole) - QRegion(kept)
        self._stale &= QRegion(whole)

    def spoil(self, rect_l0: Rect | None = None) -> QRect:
        """Have a place (or everything) drawn again; return where it is, device px."""
        if self.frame is None:
            return QRect()
        whole = QRect(0, 0, self.frame.width, self.frame.height)
        # One px more: smooth drawing mixes neighbours.
        rect = whole if rect_l0 is None else self.frame.rect(rect_l0).adjusted(-1, -1, 1, 1)
        rect = rect.intersected(whole)
        self._stale += rect
        return rect

    def take_stale(self) -> list[QRect]:
        """Return the rectangles to draw again, and take them for drawn."""
        stale, self._stale = self._stale, QRegion()
        if stale.rectCount() > _MOST_RECTS:
            return [stale.boundingRect()]
        return [QRect(rect) for rect in stale]  # type: ignore[attr-defined]
