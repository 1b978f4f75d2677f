"""The slides as Qt lists them: a heading for each block, a picture and three lines for a slide."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.slide_desk import SlideRow
from pathoview.ui import icons, theme
from pathoview.ui.panels.slide_pictures import SIDE_PX, SlidePictures
from pathoview.ui.panels.slide_words import (
    STATUS_TINTS,
    count_line,
    said_line,
    status_text,
    tip,
)

AnyIndex = QModelIndex | QPersistentModelIndex

ROW = Qt.ItemDataRole.UserRole
"""The `SlideRow`; None for a heading."""
_NO_INDEX = QModelIndex()
_ROW_SIZE = QSize(120, SIDE_PX + 2 * theme.GRID)
_HEADING_SIZE = QSize(120, 28)
_DOT_PX = 8
_BAR_PX = 3


class SlideModel(QAbstractListModel):
    """The rows of the session's list that are looked for."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._items: list[str] = []
        self._keys: list[str] = []
        """Hashes by place in the list; empty for headings."""
        self._places: dict[str, int] = {}
        self._rows: dict[str, SlideRow] = {}

    def show_rows(self, rows: Sequence[SlideRow]) -> bool:
        """Show slides; whether others than before, or in another order."""
        items, keys, group = [], [], ""
        for row in rows:
            if row.group != group:
                group = row.group
                items.append(group)
                keys.append("")
            items.append(row.name)
            keys.append(row.slide_hash)
        self._rows = {row.slide_hash: row for row in rows}
        if (items, keys) == (self._items, self._keys):
            if keys:
                self.dataChanged.emit(self.index(0), self.index(len(keys) - 1))
            return False
        self.beginResetModel()
        self._items, self._keys = items, keys
        self._places = {key: place for place, key in enumerate(keys) if key}
        self.endResetModel()
        return True

    def refresh(self, slide_hash: str) -> None:
        """Show one slide as it is now."""
        row = self._session.slides.row(slide_hash)
        if slide_hash in self._places and row is not None:
            self._rows[slide_hash] = row
            index = self.index_of(slide_hash)
            self.dataChanged.emit(index, index)

    def index_of(self, slide_hash: str) -> QModelIndex:
        """Return where a slide is; an invalid index: it is not shown."""
        place = self._places.get(slide_hash)
        return QModelIndex() if place is None else self.index(place)

    def rowCount(self, parent: AnyIndex = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._keys)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the name of a slide or a heading, and what else is said of it."""
        key = self._keys[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._items[index.row()]
        row = self._rows.get(key)
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.SizeHintRole:
            return _ROW_SIZE if key else _HEADING_SIZE
        if row is not None and role == Qt.ItemDataRole.ToolTipRole:
            return tip(row, is_blinded=self._session.slides.is_blinded)
        if row is not None and role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (row.name, status_text(row), count_line(row))))
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """Headings cannot be chosen."""
        if index.isValid() and not self._keys[index.row()]:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class SlideDelegate(QStyledItemDelegate):
    """Paints a row: picture, name, status with its dot, what there is of labels."""

    def __init__(self, session: Session, pictures: SlidePictures, parent: QListView) -> None:
        super().__init__(parent)
        self._session = session
        self._pictures = pictures

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Draw a heading or a slide."""
        rect: QRect = option.rect
        row = index.data(ROW)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row is None:
            self._paint_heading(painter, rect, str(index.data()))
        else:
            self._paint_ground(painter, option, rect, row)
            self._paint_picture(painter, rect, row)
            self._paint_words(painter, rect, row)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, text: str) -> None:
        font = QFont(painter.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(theme.current().muted))
        place = rect.adjusted(theme.GRID, theme.GRID // 2, -theme.GRID, 0)
        _draw(painter, place, text)

    def _paint_ground(
        self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect, row: SlideRow
    ) -> None:
        colors, state = theme.current(), option.state
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(colors.line))
            painter.drawRoundedRect(rect, 4, 4)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(colors.raised))
            painter.drawRoundedRect(rect, 4, 4)
        slide = self._session.slide
        if slide is not None and slide.content_hash == row.slide_hash:
            painter.setBrush(QColor(colors.accent))
            bar = QRect(rect.left(), rect.top() + 6, _BAR_PX, rect.height() - 12)
            painter.drawRoundedRect(bar, 1.5, 1.5)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(colors.accent))
            painter.drawRoundedRect(rect.adjusted(0, 0, -1, -1), 4, 4)

    def _paint_picture(self, painter: QPainter, rect: QRect, row: SlideRow) -> None:
        place = QRect(rect.left() + theme.GRID + 2, rect.top() + theme.GRID, SIDE_PX, SIDE_PX)
        made = self._pictures.of(row)
        if made is None:
            side = SIDE_PX // 2
            inner = QRect(0, 0, side, side)
            inner.moveCenter(place.center())
            icons.icon("slide", "faint").paint(painter, inner)
            return
        size = made.deviceIndependentSize().toSize()
        target = QRect(0, 0, size.width(), size.height())
        target.moveCenter(place.center())
        painter.drawPixmap(target, made)

    def _paint_words(self, painter: QPainter, rect: QRect, row: SlideRow) -> None:
        colors = theme.current()
        left = rect.left() + SIDE_PX + 3 * theme.GRID
        width = rect.right() - left - theme.GRID // 2
        line_px = painter.fontMetrics().height()
        said = "  ·  ".join(filter(None, (count_line(row), said_line(row))))
        top = rect.top() + (rect.height() - (2 + bool(said)) * line_px) // 2
        painter.setPen(QColor(colors.text))
        _draw(painter, QRect(left, top, width, line_px), row.name)
        top += line_px
        tint = "error" if row.facts.is_missing else STATUS_TINTS[row.status]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(colors, tint)))
        painter.drawEllipse(left, top + (line_px - _DOT_PX) // 2 + 1, _DOT_PX, _DOT_PX)
        painter.setPen(QColor(colors.muted))
        after = left + _DOT_PX + theme.GRID // 2
        _draw(painter, QRect(after, top, width - (after - left), line_px), status_text(row))
        if said:
            _draw(painter, QRect(left, top + line_px, width, line_px), said)


def _draw(painter: QPainter, rect: QRect, text: str) -> None:
    """Draw one line; its end becomes … where there is no room."""
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class SlideListView(QListView):
    """Keys: arrows choose, Return opens, Delete takes out of the study."""

    open_requested = Signal(str)
    """(hash)"""
    remove_requested = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._model = SlideModel(session)
        self.pictures = SlidePictures(session, self)
        self.setModel(self._model)
        self.setItemDelegate(SlideDelegate(session, self.pictures, self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAccessibleName(_("Slides of the study"))
        self.pictures.arrived.connect(self._on_picture)
        self.activated.connect(self._on_activated)

    @property
    def chosen(self) -> list[str]:
        """The hashes of the chosen slides, from the top."""
        rows = sorted(self.selectionModel().selectedIndexes(), key=QModelIndex.row)
        return [row.data(ROW).slide_hash for row in rows if row.data(ROW) is not None]

    def show_rows(self, rows: Sequence[SlideRow]) -> None:
        """Show slides; those that were chosen stay so."""
        chosen, current = self.chosen, self.currentIndex().data(ROW)
        place = self.verticalScrollBar().value()
        self.setUniformItemSizes(not any(row.group for row in rows))  # quicker to lay out
        if self._model.show_rows(rows):
            self.choose(chosen, current.slide_hash if current is not None else "")
            self.verticalScrollBar().setValue(place)

    def refresh(self, slide_hash: str) -> None:
        """Show one slide as it is now."""
        self.pictures.forget(slide_hash)
        self._model.refresh(slide_hash)

    def choose(self, hashes: Sequence[str], current: str = "") -> None:
        """Choose slides, and put the cursor on one."""
        model = self.selectionModel()
        model.clearSelection()
        for index in map(self._model.index_of, hashes):
            model.select(index, QItemSelectionModel.SelectionFlag.Select)
        index = self._model.index_of(current)
        if index.isValid():
            model.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)

    def show_open(self) -> None:
        """Bring the open slide into view."""
        slide = self._session.slide
        index = self._model.index_of("" if slide is None else slide.content_hash)
        if index.isValid():
            self.scrollTo(index)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open by Return, remove by Delete; all else as lists do."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_activated(self.currentIndex())
        elif event.key() == Qt.Key.Key_Delete and self.chosen:
            self.remove_requested.emit()
        else:
            super().keyPressEvent(event)

    def _on_activated(self, index: QModelIndex) -> None:
        row = index.data(ROW)
        if row is not None:
            self.open_requested.emit(row.slide_hash)

    def _on_picture(self, slide_hash: str) -> None:
        index = self._model.index_of(slide_hash)
        if index.isValid():
            self.update(index)
