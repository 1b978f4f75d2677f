"""Every command of the session as a `QAction`: menus, tool bar and palette share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from pathoview.core.translation import _
from pathoview.session.command import Command
from pathoview.session.commands import COMMANDS, run_command
from pathoview.session.session import Session
from pathoview.ui import icons

ICONS: Mapping[str, str] = {
    "file.open": "open",
    "file.import": "import",
    "file.export": "export",
    "edit.undo": "undo",
    "edit.redo": "redo",
    "results.remove": "trash",
    "view.zoom_in": "zoom-in",
    "view.zoom_out": "zoom-out",
    "view.fit": "fit",
    "view.overlays": "overlay",
    "view.detections": "nucleus",
    "view.fill": "fill",
    "tool.move": "move",
    "tool.rectangle": "rectangle",
    "analyze.run": "analyze",
    "analyze.resume": "resume",
    "help.guide": "help",
    "help.about": "info",
}

_CANVAS_KEYS = frozenset({"Left", "Right", "Up", "Down", "Shift+Up", "Shift+Down", "Tab"})
"""Keys that move the focus or a value elsewhere: they are commands on the canvas only."""


class Actions:
    """The actions of one window by the id of their command."""

    def __init__(self, session: Session, window: QWidget, canvas: QWidget) -> None:
        self._session = session
        self._by_id: dict[str, QAction] = {}
        for command in COMMANDS:
            action = self._made(command, window, canvas)
            self._by_id[command.id] = action
            window.addAction(action)
        self.refresh()

    def __getitem__(self, command_id: str) -> QAction:
        return self._by_id[command_id]

    def refresh(self) -> None:
        """Say again what can be done now, and which switches are on."""
        for command in COMMANDS:
            action = self._by_id[command.id]
            action.setEnabled(command.enabled(self._session))
            if command.checked is not None:
                action.setChecked(command.checked(self._session))

    def _made(self, command: Command, window: QObject, canvas: QWidget) -> QAction:
        action = QAction(_(command.title), window)
        action.setObjectName(command.id)
        action.setCheckable(command.checked is not None)
        if command.id in ICONS:
            action.setIcon(icons.icon(ICONS[command.id]))
        keys = shortcuts(command)
        action.setShortcuts([QKeySequence(key) for key in keys if key not in _CANVAS_KEYS])
        run = self._runner(command.id)
        action.triggered.connect(run)
        for key in keys:
            if key in _CANVAS_KEYS:
                shortcut = QShortcut(QKeySequence(key), canvas)
                shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
                shortcut.activated.connect(run)
        if keys:
            action.setToolTip(f"{_(command.title)} ({', '.join(keys)})")
        return action

    def _runner(self, command_id: str) -> Callable[[], None]:
        def run() -> None:
            run_command(self._session, command_id)
            self.refresh()

        return run


def shortcuts(command: Command) -> list[str]:
    """Return a command's keys as Qt writes them."""
    return [key for key in command.shortcut.split("; ") if key]
