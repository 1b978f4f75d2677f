"""The way back to the window's thread: the one file that knows of Qt and threads."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal


class Bridge(QObject):
    """Runs callables on the thread that made it, in the order in which they were posted."""

    _posted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._is_open = True
        self._posted.connect(self._on_posted, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], None]) -> None:
        """Have ``call`` run on the window's thread soon; any thread may post.

        What comes after `close` is dropped: nobody is left to look at it.
        """
        if self._is_open:
            self._posted.emit(call)

    def close(self) -> None:
        """Drop what is still waiting and everything that comes later."""
        self._is_open = False

    def _on_posted(self, call: Callable[[], None]) -> None:
        if self._is_open:
            call()
