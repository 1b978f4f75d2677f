"""Every command of the session as a `QAction`: menus, tool bar and palette share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from pathoview.core.translation import _
from pathoview.session.command import Command
from pathoview.session.commands import COMMANDS, run_command
from pathoview.session.keymap import KeyMap, normal
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
    "tool.ellipse": "ellipse",
    "tool.line": "ruler",
    "tool.polygon": "polygon",
    "tool.polyline": "polyline",
    "tool.livewire": "livewire",
    "tool.brush": "brush",
    "tool.wand": "wand",
    "tool.superpixel": "superpixel",
    "tool.eraser": "eraser",
    "tool.scissors": "scissors",
    "tool.points": "points",
    "tool.nucleus": "nucleus-pick",
    "tool.region": "region",
    "tool.selection": "lasso",
    "compare.healthy": "views",
    "annotate.delete": "trash",
    "annotate.copy": "copy",
    "annotate.properties": "annotation",
    "analyze.run": "analyze",
    "analyze.resume": "resume",
    "teach.panel": "teach",
    "teach.finish": "done",
    "teach.stop": "cancel",
    "teach.apply": "analyze",
    "teach.apply_all": "slides",
    "teach.again": "resume",
    "slides.train": "teach",
    "slides.train_again": "resume",
    "help.guide": "help",
    "help.about": "info",
}

_FOCUS_KEYS = frozenset(
    {
        *("left", "right", "up", "down", "tab", "home", "end", "pgup", "pgdown"),
        *("space", "return", "del", "backspace"),
    }
)
"""Keys that move the focus, a value or an entry elsewhere: commands on the canvas only."""


class Actions:
    """The actions of one window by the id of their command."""

    def __init__(
        self,
        session: Session,
        keymap: KeyMap,
        window: QWidget,
        canvases: Callable[[], Sequence[QWidget]],
    ) -> None:
        """``canvases`` tells which ones there are now; call `apply_keys` when they are others."""
        self._session = session
        self._keymap = keymap
        self._canvases = canvases
        self._on_canvas: list[QShortcut] = []
        self._by_id: dict[str, QAction] = {}
        for command in COMMANDS:
            action = self._made(command, window)
            self._by_id[command.id] = action
            window.addAction(action)
        keymap.changed.connect(self.apply_keys)
        self.apply_keys()
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

    def apply_keys(self) -> None:
        """Take the keys of the key map."""
        for shortcut in filter(isValid, self._on_canvas):  # some went with their canvas
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._on_canvas.clear()
        for command in self._keymap.commands:
            action, keys = self._by_id[command.id], self._keymap.keys(command.id)
            action.setShortcuts([QKeySequence(key) for key in keys if not _moves_focus(key)])
            for key in filter(_moves_focus, keys):
                self._on_canvas += [_shortcut(key, action, canvas) for canvas in self._canvases()]
            words = ", ".join(map(key_text, keys))
            action.setToolTip(f"{_(command.title)} ({words})" if words else _(command.title))

    def _made(self, command: Command, window: QObject) -> QAction:
        action = QAction(_(command.title), window)
        action.setObjectName(command.id)
        action.setCheckable(command.checked is not None)
        action.setAutoRepeat(command.checked is None)  # a held key switches once
        if command.id in ICONS:
            action.setIcon(icons.icon(ICONS[command.id]))
        action.triggered.connect(self._runner(command.id))
        return action

    def _runner(self, command_id: str) -> Callable[[], None]:
        def run() -> None:
            run_command(self._session, command_id)
            self.refresh()

        return run


def _shortcut(key: str, action: QAction, canvas: QWidget) -> QShortcut:
    made = QShortcut(QKeySequence(key), canvas)
    made.setContext(Qt.ShortcutContext.WidgetShortcut)
    made.activated.connect(action.trigger)
    made.setEnabled(action.isEnabled())  # a key that does nothing goes where it would without
    action.enabledChanged.connect(made.setEnabled)
    return made


def _moves_focus(key: str) -> bool:
    return normal(key).removeprefix("shift+") in _FOCUS_KEYS


def key_text(key: str) -> str:
    """Return a key as it is written on this platform."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
