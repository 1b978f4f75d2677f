"""The slide alone on the whole screen; Esc or the same key leads back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from pathoview.session.session import Session
from pathoview.ui.docks import Docks
from pathoview.ui.view_grid import ViewGrid


class FullScreen(QObject):
    """Hides bars and panels, and shows those again that it has hidden."""

    def __init__(
        self,
        window: QMainWindow,
        views: ViewGrid,
        session: Session,
        docks: Docks,
        bars: Sequence[QWidget],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._views = views
        self._session = session
        self._docks = docks
        self._bars = bars
        self._hidden_docks: list[QDockWidget] = []
        self._was_maximized = False
        self.is_on = False
        views.changed.connect(self._listen)

    def toggle(self) -> None:
        """Go to the full screen, or back."""
        if self.is_on:
            self.leave()
        else:
            self._enter()

    def leave(self) -> None:
        """Show everything again; nothing happens when it is shown."""
        if not self.is_on:
            return
        self.is_on = False
        for canvas in self._views.canvases:
            canvas.removeEventFilter(self)
        for widget in (*self._bars, *self._hidden_docks):
            widget.show()
        if self._was_maximized:
            self._window.showMaximized()
        else:
            self._window.showNormal()

    def _enter(self) -> None:
        self.is_on = True
        self._was_maximized = self._window.isMaximized()
        self._hidden_docks = self._docks.shown
        for widget in (*self._bars, *self._hidden_docks):
            widget.hide()
        self._window.showFullScreen()
        self._views.active.setFocus()
        self._listen()

    def _listen(self) -> None:
        """Hear the keys of all canvases, also of those that come later."""
        if self.is_on:
            for canvas in self._views.canvases:
                canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave by Esc, unless there is something else on the canvas that it cancels first."""
        is_press = event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent)
        if is_press and event.key() == Qt.Key.Key_Escape and self._is_nothing_to_cancel:  # type: ignore[attr-defined]
            self.leave()
            return True
        return False

    @property
    def _is_nothing_to_cancel(self) -> bool:
        session = self._session
        return (
            not self._views.active.gestures.is_dragging
            and session.tool == "move"
            and not session.views.active.curtain.is_on
            and session.region_l0 is None
            and session.selection is None
        )
