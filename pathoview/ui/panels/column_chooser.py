"""Which columns the table of objects shows: a list to tick, in a menu that stays open."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QMenu,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from pathoview.core.translation import _
from pathoview.session.object_table import ObjectTable
from pathoview.ui.widgets import button, column, icon_button

_SIZE = QSize(300, 360)
_NAME = Qt.ItemDataRole.UserRole


class ColumnChooser(QMenu):
    """Each tick shows or hides a column at once."""

    def __init__(self, table: ObjectTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._table = table
        self.list = QListWidget()
        self.list.setAccessibleName(_("Columns"))
        self.list.setFixedSize(_SIZE)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemChanged.connect(self._on_ticked)
        self.reset = button(_("As at first"), self._reset)
        action = QWidgetAction(self)
        action.setDefaultWidget(column(self.list, self.reset, margin=4, spacing=4))
        self.addAction(action)
        self.aboutToShow.connect(self.refresh)

    def opener(self) -> QToolButton:
        """Return a button that opens it."""
        made = icon_button("views", _("Columns"))
        made.setMenu(self)
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return made

    def refresh(self) -> None:
        """List the columns there are, those that are shown with a tick."""
        self.list.blockSignals(True)
        self.list.clear()
        for name in self._table.view.objects.names:
            item = QListWidgetItem(_(name), self.list)
            item.setData(_NAME, name)
            is_shown = name in self._table.view.names
            item.setCheckState(Qt.CheckState.Checked if is_shown else Qt.CheckState.Unchecked)
        self.list.blockSignals(False)
        self.list.setFocus()

    def _on_ticked(self, item: QListWidgetItem) -> None:
        """Show the columns that are ticked, and those wanted that this slide does not have."""
        rows = [self.list.item(row) for row in range(self.list.count())]
        offered = {row.data(_NAME) for row in rows}
        ticked = [row.data(_NAME) for row in rows if row.checkState() == Qt.CheckState.Checked]
        elsewhere = [name for name in self._table.column_names if name not in offered]
        self._table.show_columns([*ticked, *elsewhere])

    def _reset(self) -> None:
        self._table.show_columns(())
        self.close()
