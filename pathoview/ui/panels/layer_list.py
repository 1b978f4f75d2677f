"""The list of layers, front first: chosen by click or key, put in order by dragging."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPalette,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.layers.layer import BLENDS, Layer
from pathoview.session.commands import command, run_command
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.layer_row import LayerRow
from pathoview.ui.panels.layer_words import BLEND_WORDS
from pathoview.ui.panels.thumbnails import Thumbnails
from pathoview.ui.widgets import clear_layout

_GAP_PX = theme.GRID // 2
_MENU = (
    *("layer.rename", "layer.toggle", "layer.solo", ""),
    *("layer.up", "layer.down", "", "layer.remove"),
)
"""Commands of a row's menu; empty: a line."""


class LayerListView(QWidget):
    """One row a layer. Keys: arrows choose, Space shows or hides, Delete removes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: tuple[Layer, ...] = ()
        self._rows: list[LayerRow] = []
        self._pressed_at: QPoint | None = None
        self._dragged: LayerRow | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(_("Layers, front first"))
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(_GAP_PX)
        self.drop_mark = QFrame(self)
        self.drop_mark.setAutoFillBackground(True)
        self.drop_mark.setBackgroundRole(QPalette.ColorRole.Highlight)
        self.drop_mark.hide()
        self.thumbnails = Thumbnails(session, self)
        self.thumbnails.arrived.connect(self._on_picture)
        session.layers_changed.connect(self.refresh)
        session.active_layer_changed.connect(self._mark_chosen)
        self.refresh()

    @property
    def rows(self) -> tuple[LayerRow, ...]:
        return tuple(self._rows)

    def row_of(self, layer: Layer) -> LayerRow | None:
        return next((row for row in self._rows if row.layer is layer), None)

    def refresh(self) -> None:
        """Show the layers as they are now."""
        front_first = tuple(self._session.layers)[::-1]
        if front_first != self._shown:
            self._shown = front_first
            self._stop_dragging()
            clear_layout(self._layout)
            self._rows = [LayerRow(self._session, layer) for layer in front_first]
            for row in self._rows:
                self._layout.addWidget(row)
                row.show_picture(self.thumbnails.of(row.layer))
            self.thumbnails.set_listed(front_first)
            self._mark_chosen()
        for row in self._rows:
            row.refresh()

    def rename_chosen(self) -> None:
        """Have the name of the chosen layer edited."""
        row = self._chosen_row()
        if row is not None:
            row.rename()

    def _chosen_row(self) -> LayerRow | None:
        layer = self._session.active_layer
        return None if layer is None else self.row_of(layer)

    def _mark_chosen(self) -> None:
        for row in self._rows:
            is_chosen = row.layer is self._session.active_layer
            row.set_chosen(is_chosen, is_chosen and self.hasFocus())
            if is_chosen:
                self.setAccessibleDescription(row.layer.name)

    def _on_picture(self, layer: Layer) -> None:
        row = self.row_of(layer)
        if row is not None:
            row.show_picture(self.thumbnails.of(layer))

    # -- mouse -----------------------------------------------------------------------------------

    def _row_at(self, place: QPoint) -> LayerRow | None:
        return next((row for row in self._rows if row.geometry().contains(place)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the row under the mouse; it may be dragged from here."""
        place = event.position().toPoint()
        row = self._row_at(place)
        if row is None:
            return
        self.setFocus()
        self._session.layer_desk.active = row.layer
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = place

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Begin to drag, and show where the row would go."""
        place = event.position().toPoint()
        if self._dragged is None and self._pressed_at is not None:
            way = (place - self._pressed_at).manhattanLength()
            row = self._row_at(self._pressed_at)
            is_base = row is not None and row.layer is self._session.layer_desk.base
            if way >= QApplication.startDragDistance() and row is not None and not is_base:
                self._dragged = row
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
        if self._dragged is not None:
            self._show_drop_mark(self._gap_at(place))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Put the row where it was dragged to."""
        dragged = self._dragged
        self._stop_dragging()
        if dragged is not None:
            gap, place = self._gap_at(event.position().toPoint()), self._rows.index(dragged)
            new_place = gap - 1 if gap > place else gap
            self._session.layer_desk.move(dragged.layer, len(self._rows) - 1 - new_place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Have a name edited that is double-clicked."""
        row = self._row_at(event.position().toPoint())
        if row is not None and row.is_name_at(row.mapFrom(self, event.position().toPoint())):
            self._stop_dragging()
            row.rename()

    def _gap_at(self, place: QPoint) -> int:
        """Return before which row a dragged one goes: never behind the slide."""
        middles = [row.geometry().center().y() for row in self._rows[:-1]]
        return sum(place.y() > middle for middle in middles)

    def _show_drop_mark(self, gap: int) -> None:
        top = self._rows[gap].geometry().top() - _GAP_PX + 1 if gap else 0
        self.drop_mark.setGeometry(0, top, self.width(), 2)
        self.drop_mark.raise_()
        self.drop_mark.show()

    def _stop_dragging(self) -> None:
        self._pressed_at = None
        self._dragged = None
        self.drop_mark.hide()
        self.unsetCursor()

    # -- keys and the menu -----------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key means for the chosen layer."""
        keys = {
            Qt.Key.Key_Up: "layer.next",
            Qt.Key.Key_Down: "layer.previous",
            Qt.Key.Key_Space: "layer.toggle",
            Qt.Key.Key_Delete: "layer.remove",
            Qt.Key.Key_Backspace: "layer.remove",
        }
        if event.key() == Qt.Key.Key_Escape and self._dragged is not None:
            self._stop_dragging()
        elif (command_id := keys.get(Qt.Key(event.key()))) is not None:
            run_command(self._session, command_id)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with a layer, by mouse or by key."""
        row = self._chosen_row()
        if event.reason() != QContextMenuEvent.Reason.Keyboard:
            row = self._row_at(event.pos())
        if row is not None:
            self._session.layer_desk.active = row.layer
            place = event.globalPos()
            if event.reason() == QContextMenuEvent.Reason.Keyboard:
                place = row.mapToGlobal(row.rect().center())
            self.menu_of(row.layer).popup(place)

    def menu_of(self, layer: Layer) -> QMenu:
        """Return a menu about the chosen layer; it lets itself go when closed."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for command_id in _MENU:
            if not command_id:
                menu.addSeparator()
                continue
            entry = command(command_id)
            action = menu.addAction(_(entry.title))
            action.setObjectName(command_id)
            action.setEnabled(entry.enabled(self._session))
            action.triggered.connect(lambda _on=False, name=command_id: self._run(name))
            if entry.checked is not None:
                action.setCheckable(True)
                action.setChecked(entry.checked(self._session))
        blend = menu.addMenu(_("Blending"))
        for mode in BLENDS:
            action = blend.addAction(BLEND_WORDS[mode])
            action.setCheckable(True)
            action.setChecked(layer.blend == mode)
            action.triggered.connect(lambda _on=False, mode=mode: setattr(layer, "blend", mode))
        return menu

    def _run(self, command_id: str) -> None:
        run_command(self._session, command_id)

    # -- seen and in focus -----------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._mark_chosen()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._mark_chosen()

    def showEvent(self, event: QShowEvent) -> None:
        """Make pictures, now that they are seen."""
        super().showEvent(event)
        self.thumbnails.set_seen(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.thumbnails.set_seen(False)
