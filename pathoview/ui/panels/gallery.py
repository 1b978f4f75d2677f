"""A gallery of small pictures: what all have in common, whatever their pictures show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

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

from pathoview.ui import theme

AnyIndex = QModelIndex | QPersistentModelIndex

CAPTION_PX = 18
"""Height of a line below a picture."""
_RING = 2
_ENTRY = Qt.ItemDataRole.UserRole


class Entry(Protocol):
    """What a gallery shows one picture of."""

    @property
    def words(self) -> str:
        """All that is known of it: the tool tip, and what a screen reader says."""


class Gallery(QListWidget):
    """As high as it must be for all pictures, so that what it lies in scrolls.

    Keys: arrows go from picture to picture, Return chooses.
    """

    arrows_choose: ClassVar[bool] = True
    """An arrow chooses what it goes to."""
    chosen = Signal(object)
    """(Entry): somebody has pointed at one, or gone to it by key."""

    def __init__(self, name: str, cell: QSize, delegate: CellDelegate) -> None:
        """``cell``: the room of a picture and its caption, px."""
        super().__init__()
        self.cell = cell
        self._entries: tuple[Entry, ...] = ()
        self.setAccessibleName(name)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setGridSize(self.cell)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        delegate.setParent(self)
        self.setItemDelegate(delegate)
        self.itemClicked.connect(self._tell)
        self._fit()

    @property
    def entries(self) -> Sequence[Any]:
        """Those that are shown, each an `Entry`."""
        return self._entries

    def show_entries(self, entries: Sequence[Entry], chosen: int | None = None) -> None:
        """Show these, and which of them is chosen."""
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
        """Go with the arrows, choose with Return."""
        before = self.currentRow()
        super().keyPressEvent(event)
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        is_other = self.arrows_choose and self.currentRow() != before
        if self.currentItem() is not None and (is_other or is_return):
            self._tell(self.currentItem())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have room for all pictures."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        n_columns = max(1, (self.width() - 2 * theme.GRID) // self.cell.width())
        n_rows = -(-self.count() // n_columns)
        self.setFixedHeight(max(1, n_rows) * self.cell.height() + 2 * theme.GRID)

    def _tell(self, item: QListWidgetItem) -> None:
        self.chosen.emit(self._entries[self.row(item)])


class CellDelegate(QStyledItemDelegate):
    """Draws one entry; what its picture is, those say that inherit."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        gallery = self.parent()
        assert isinstance(gallery, Gallery)
        return gallery.cell

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        gallery = self.parent()
        assert isinstance(gallery, Gallery)
        is_chosen = index.row() == gallery.currentRow()
        painter.save()
        self.draw(painter, option.rect, index.data(_ENTRY), is_chosen=is_chosen)
        painter.restore()

    def draw(self, painter: QPainter, cell: QRect, entry: Entry, *, is_chosen: bool) -> None:
        """Draw an entry into its cell."""
        raise NotImplementedError


def draw_ring(painter: QPainter, picture: QRect) -> None:
    """Mark a picture as the one that is chosen."""
    ring = QRectF(picture).adjusted(-_RING, -_RING, _RING, _RING)
    painter.setPen(QPen(QColor(theme.current().accent), _RING))
    painter.drawRect(ring)


def line_below(cell: QRect, picture: QRect, number: int) -> QRect:
    """Return where a line of the caption is written."""
    top = picture.bottom() + 3 + number * CAPTION_PX
    return QRect(cell.left(), top, cell.width() - 2, CAPTION_PX)


def draw_line(painter: QPainter, place: QRect, text: str) -> None:
    """Write a line, its middle left out where there is no room."""
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, place.width())
    painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, shown)
