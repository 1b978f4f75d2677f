"""A key that shows the other picture as long as it is held, on the canvas that has the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence

from pathoview.core.translation import _
from pathoview.session.keymap import KeyMap
from pathoview.session.session import Session
from pathoview.ui.canvas import Canvas
from pathoview.ui.view_grid import ViewGrid

_COMMAND = "compare.flicker"


class FlickerKey(QObject):
    """Takes the command's key from the canvases: elsewhere it switches, there it is held."""

    def __init__(self, session: Session, keymap: KeyMap, views: ViewGrid) -> None:
        super().__init__(views)
        self._session = session
        self._keymap = keymap
        self._views = views
        self._held: int | None = None
        """The key that is held."""
        views.changed.connect(self._listen)
        self._listen()

    def _listen(self) -> None:
        for canvas in self._views.canvases:
            canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the other picture, and go back to the view's own."""
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
        if event.type() == QEvent.Type.KeyPress and not event.isAutoRepeat():
            self._press(watched, event.key())
        return True

    def _is_ours(self, event: QKeyEvent) -> bool:
        if self._session.slide is None:
            return False
        command = self._keymap.owner(QKeySequence(event.keyCombination()).toString())
        return command is not None and command.id == _COMMAND

    def _press(self, canvas: Canvas, key: int) -> None:
        if canvas.view.curtain.flick(self._session.active_layer):
            self._held = key
        else:
            canvas.say(_("Nothing lies on the slide that could be compared"))

    def _on_release(self, canvas: Canvas, event: QKeyEvent) -> bool:
        if self._held is None or event.key() != self._held:
            return False
        if not event.isAutoRepeat():
            self._release(canvas)
        return True

    def _release(self, canvas: Canvas) -> None:
        if self._held is not None:
            self._held = None
            canvas.view.curtain.unflick()
