"""A command that lasts as long as its key is held, on the canvas that has the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence

from pathoview.session.keymap import KeyMap
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas
from pathoview.ui.view_grid import ViewGrid


class HeldKey(QObject):
    """Takes the command's key from the canvases: elsewhere it switches, there it is held."""

    command_id = ""

    def __init__(self, session: Session, keymap: KeyMap, views: ViewGrid) -> None:
        super().__init__(views)
        self._session = session
        self._keymap = keymap
        self._views = views
        self._held: int | None = None
        """The key that is held."""
        views.changed.connect(self._listen)
        self._listen()

    def begin(self, canvas: Canvas) -> bool:
        """Do what lasts; False: it cannot be done now."""
        raise NotImplementedError

    def end(self, canvas: Canvas) -> None:
        """Have it as it was before."""
        raise NotImplementedError

    def _listen(self) -> None:
        for canvas in self._views.canvases:
            canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Begin with the press of the key, end with its release."""
        if not isinstance(watched, Canvas):
            return False
        if event.type() == QEvent.Type.FocusOut:
            self._release(watched)
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.KeyRelease:
            return self._on_release(watched, event)
        if not self._is_ours(event):
            return False
        event.accept()
        is_first = event.type() == QEvent.Type.KeyPress and not event.isAutoRepeat()
        if is_first and self.begin(watched):
            self._held = event.key()
        return True

    def _is_ours(self, event: QKeyEvent) -> bool:
        if self._session.slide is None:
            return False
        command = self._keymap.owner(QKeySequence(event.keyCombination()).toString())
        return command is not None and command.id == self.command_id

    def _on_release(self, canvas: Canvas, event: QKeyEvent) -> bool:
        if self._held is None or event.key() != self._held:
            return False
        if not event.isAutoRepeat():
            self._release(canvas)
        return True

    def _release(self, canvas: Canvas) -> None:
        if self._held is not None:
            self._held = None
            self.end(canvas)
