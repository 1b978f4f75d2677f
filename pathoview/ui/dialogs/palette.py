"""All commands in one searchable list: type a few letters, press Return."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from pathoview.core.translation import _
from pathoview.session.command_search import search
from pathoview.session.commands import run_command
from pathoview.session.keymap import KeyMap
from pathoview.session.session import Session
from pathoview.ui.actions import key_text
from pathoview.ui.dialogs.dialog import Dialog

_SIZE = (520, 420)
_TO_LIST = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class CommandPalette(Dialog):
    """Commands that can be done now come first, those of late before all; others say why not."""

    def __init__(self, session: Session, keymap: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(_("Commands"), parent)
        self._session = session
        self._keymap = keymap
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
        self.list.clear()
        for command in search(self._session, self.search.text()):
            menu = f"{_(command.menu)}: " if command.menu else ""
            keys = ", ".join(map(key_text, self._keymap.keys(command.id)))
            side = command.missing(self._session) or keys
            item = QTreeWidgetItem(self.list, [f"{menu}{_(command.title)}", side])
            item.setData(0, Qt.ItemDataRole.UserRole, command.id)
            item.setDisabled(not command.enabled(self._session))
        if self.list.topLevelItemCount():
            self.list.setCurrentIndex(self.list.model().index(0, 0))

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is not None and not item.isDisabled():
            self.close()
            command_id = item.data(0, Qt.ItemDataRole.UserRole)
            self._session.settings.add_recent_command(command_id)
            run_command(self._session, command_id)
