"""Tiles as small pictures: a click goes there, a coloured edge tells what was said of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen

from pathoview.session.tile_place import MARGIN, TilePlace
from pathoview.ui import theme
from pathoview.ui.panels.gallery import (
    CAPTION_PX,
    CellDelegate,
    Entry,
    Gallery,
    draw_line,
    draw_ring,
    line_below,
)
from pathoview.ui.panels.tile_pictures import SIDE_PX, TilePictures

Mark = Literal["", "agree", "disagree", "unsure"]
"""What was said of a tile; it has a sign beside its colour."""

_SIGNS: dict[Mark, str] = {"": "", "agree": "✓ ", "disagree": "✗ ", "unsure": "? "}
_EDGE = 3


@dataclass(frozen=True, slots=True)
class TileEntry:
    """One tile of a gallery."""

    place: TilePlace
    caption: str
    """A few letters below the picture."""
    words: str
    """All that is known of it: the tool tip, and what a screen reader says."""
    mark: Mark = ""


class TileGallery(Gallery):
    """A gallery of `TileEntry`."""

    answered_by_key = Signal()
    """The key was pressed that elsewhere deletes what is chosen."""

    def __init__(self, name: str, pictures: TilePictures, n_lines: int = 1) -> None:
        """``n_lines``: of the captions."""
        height = SIDE_PX + n_lines * CAPTION_PX + theme.GRID
        cell = QSize(SIDE_PX + 2 * theme.GRID - 4, height)
        super().__init__(name, cell, _TileDelegate(pictures))
        pictures.arrived.connect(self._on_picture)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go with the arrows; pass on the key that deletes, which is the canvas's elsewhere."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.answered_by_key.emit()
        else:
            super().keyPressEvent(event)

    def _on_picture(self, place: TilePlace) -> None:
        if any(one.place == place for one in self.entries):
            self.viewport().update()


class _TileDelegate(CellDelegate):
    """Draws a picture with the tile's own square in it, the edge, and the caption."""

    def __init__(self, pictures: TilePictures) -> None:
        super().__init__()
        self._pictures = pictures

    def draw(self, painter: QPainter, cell: QRect, entry: Entry, *, is_chosen: bool) -> None:
        """Draw a tile into its cell."""
        assert isinstance(entry, TileEntry)
        left = cell.left() + (cell.width() - SIDE_PX) // 2
        square = QRect(left, cell.top() + 4, SIDE_PX, SIDE_PX)
        colors = theme.current()
        picture = self._pictures.of(entry.place)
        if picture is None:
            painter.fillRect(square, QColor(colors.raised))
        else:
            painter.drawPixmap(square, picture)
        self._draw_edges(painter, square, entry.mark)
        if is_chosen:
            draw_ring(painter, square)
        painter.setPen(QColor(colors.text if entry.mark else colors.muted))
        text = _SIGNS[entry.mark] + entry.caption
        for number, words in enumerate(text.split("\n")):
            draw_line(painter, line_below(cell, square, number), words)

    @staticmethod
    def _draw_edges(painter: QPainter, square: QRect, mark: Mark) -> None:
        margin = SIDE_PX * MARGIN / (1 + 2 * MARGIN)
        painter.setPen(QPen(QColor(12, 13, 15, 120), 1))
        painter.drawRect(QRectF(square).adjusted(margin, margin, -margin, -margin))
        if mark:
            half = _EDGE / 2
            pen = QPen(mark_color(mark), _EDGE)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(QRectF(square).adjusted(half, half, -half, -half))


def mark_color(mark: Mark) -> QColor:
    """Return the colour of an answer; ``""`` is none."""
    colors = theme.current()
    by_mark = {"agree": colors.success, "disagree": colors.error, "unsure": colors.warning}
    return QColor(by_mark.get(mark, colors.line))
