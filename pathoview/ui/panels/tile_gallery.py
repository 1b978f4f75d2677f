"""Tiles as small pictures: a click goes there, a coloured edge tells what was said of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from pathoview.session.tile_place import MARGIN, TilePlace
from pathoview.ui import theme
from pathoview.ui.panels.tile_pictures import SIDE_PX, TilePictures

Mark = Literal["", "agree", "disagree", "unsure"]
"""What was said of a tile; it has a sign beside its colour."""

_SIGNS: dict[Mark, str] = {"": "", "agree": "✓ ", "disagree": "✗ ", "unsure": "? "}
_EDGE, _RING = 3, 2
_CAPTION_PX = 18
_ENTRY = Qt.ItemDataRole.UserRole
_CENTERED = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop


@dataclass(frozen=True, slots=True)
class TileEntry:
    """One tile of a gallery."""

    place: TilePlace
    caption: str
    """A few letters below the picture."""
    words: str
    """All that is known of it: the tool tip, and what a screen reader says."""
    mark: Mark = ""


class TileGallery(QListWidget):
    """As high as it must be for all tiles, so that what it lies in scrolls.

    Keys: arrows go from tile to tile.
    """

    chosen = Signal(object)
    """(TileEntry): somebody has pointed at a tile, or gone to it by key."""
    answered_by_key = Signal()
    """The key was pressed that elsewhere deletes what is chosen."""

    def __init__(self, name: str, pictures: TilePictures, n_lines: int = 1) -> None:
        """``n_lines``: of the captions."""
        super().__init__()
        height = SIDE_PX + n_lines * _CAPTION_PX + theme.GRID
        self.cell = QSize(SIDE_PX + 2 * theme.GRID - 4, height)
        self._pictures = pictures
        self._entries: tuple[TileEntry, ...] = ()
        self.setAccessibleName(name)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setGridSize(self.cell)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_TileDelegate(pictures, self))
        self.itemClicked.connect(self._tell)
        pictures.arrived.connect(self._on_picture)
        self._fit()

    @property
    def entries(self) -> Sequence[TileEntry]:
        return self._entries

    def show_entries(self, entries: Sequence[TileEntry], chosen: int | None = None) -> None:
        """Show these tiles, and which of them is chosen."""
        entries = tuple(entries)
        if entries != self._entries:
            is_refilled = len(entries) != len(self._entries)
            self._entries = entries
            if is_refilled:
                self.clear()
                for _entry in entries:
                    self.addItem(QListWidgetItem())
            for row, entry in enumerate(entries):
                item = self.item(row)
                item.setData(_ENTRY, entry)
                item.setToolTip(entry.words)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, entry.words)
            self._fit()
        self.setCurrentRow(-1 if chosen is None else chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go with the arrows; pass on the key that deletes, which is the canvas's elsewhere."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.answered_by_key.emit()
            return
        before = self.currentRow()
        super().keyPressEvent(event)
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self.currentItem() is not None and (self.currentRow() != before or is_return):
            self._tell(self.currentItem())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have room for all tiles."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        n_columns = max(1, (self.width() - 2 * theme.GRID) // self.cell.width())
        n_rows = -(-self.count() // n_columns)
        self.setFixedHeight(max(1, n_rows) * self.cell.height() + 2 * theme.GRID)

    def _tell(self, item: QListWidgetItem) -> None:
        self.chosen.emit(self._entries[self.row(item)])

    def _on_picture(self, place: TilePlace) -> None:
        if any(one.place == place for one in self._entries):
            self.viewport().update()


class _TileDelegate(QStyledItemDelegate):
    """Draws a picture with the tile's own square in it, the edge, and the caption."""

    def __init__(self, pictures: TilePictures, parent: TileGallery) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._gallery = parent

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return self._gallery.cell

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        entry: TileEntry = index.data(_ENTRY)
        cell: QRect = option.rect
        left = cell.left() + (cell.width() - SIDE_PX) // 2
        square = QRect(left, cell.top() + 4, SIDE_PX, SIDE_PX)
        colors = theme.current()
        painter.save()
        picture = self._pictures.of(entry.place)
        if picture is None:
            painter.fillRect(square, QColor(colors.raised))
        else:
            painter.drawPixmap(square, picture)
        self._draw_edges(painter, square, entry.mark)
        if index.row() == self._gallery.currentRow():
            ring = QRectF(square).adjusted(-_RING, -_RING, _RING, _RING)
            painter.setPen(QPen(QColor(colors.accent), _RING))
            painter.drawRect(ring)
        painter.setPen(QColor(colors.text if entry.mark else colors.muted))
        text = _SIGNS[entry.mark] + entry.caption
        for number, words in enumerate(text.split("\n")):
            top = square.bottom() + 3 + number * _CAPTION_PX
            below = QRect(cell.left(), top, cell.width() - 2, _CAPTION_PX)
            words = painter.fontMetrics().elidedText(
                words, Qt.TextElideMode.ElideMiddle, below.width()
            )
            painter.drawText(below, _CENTERED, words)
        painter.restore()

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
