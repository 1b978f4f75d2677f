"""All commands in one searchable list: type a few letters, press Return."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from pathoview.core.translation import _
from pathoview.session.commands import COMMANDS, run_command
from pathoview.session.session import Session
from pathoview.ui.actions import shortcuts
from pathoview.ui.dialogs.dialog import Dialog

_SIZE = (520, 420)
_TO_LIST = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class CommandPalette(Dialog):
    """Commands that can be done now come first; others are shown faintly."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Commands"), parent)
        self._session = session
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Type what you want to do"))
        self.search.setAccessibleName(_("Search commands"))
        self.search.setClearButtonEnabled(True)
        self.search.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setAccessibleName(_("Commands"))
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(0)
        self.list.setUniformRowHeights(True)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.body.addWidget(self.search)
        self.body.addWidget(self.list)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._run)
        self.list.itemActivated.connect(self._run)
        self.list.ensurePolished()  # rows are as high as the style says from the start
        self._fill()
        self.resize(*_SIZE)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let arrow keys in the search line move through the list."""
        is_press = event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent)
        if is_press and event.key() in _TO_LIST:  # type: ignore[attr-defined]
            self.list.event(event)
            return True
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        wanted = self.search.text().casefold().split()
        self.list.clear()
        for command in sorted(COMMANDS, key=lambda entry: not entry.enabled(self._session)):
            text = f"{command.menu} {_(command.title)}"
            if command.argument_run or not all(word in text.casefold() for word in wanted):
                continue
            menu = f"{_(command.menu)}: " if command.menu else ""
            words = [f"{menu}{_(command.title)}", ", ".join(shortcuts(command))]
            item = QTreeWidgetItem(self.list, words)
            item.setData(0, Qt.ItemDataRole.UserRole, command.id)
            item.setDisabled(not command.enabled(self._session))
        if self.list.topLevelItemCount():
            self.list.setCurrentIndex(self.list.model().index(0, 0))

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is not None and not item.isDisabled():
            self.close()
            run_command(self._session, item.data(0, Qt.ItemDataRole.UserRole))
