"""Files dropped on the canvas: slides, studies, projects are opened, others go onto the slide."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from pathoview.session.session import Session

_ARRAY_FILES = (".npy",)
_RESULT_FILES = (
    *(".geojson", ".json", ".geojson.gz", ".json.gz", ".zip", ".xml", ".ndpa", ".roi"),
    *(".csv", ".tsv", ".txt", ".qpdata"),
)


class Drops(QObject):
    """Listens to the drag-and-drop events of a widget."""

    changed = Signal()
    """`is_near` is another one."""
    opened = Signal()
    """A slide is being opened."""

    def __init__(self, widget: QWidget, session: Session) -> None:
        super().__init__(widget)
        self._session = session
        self.is_near = False
        """Whether something that would be taken hovers over the widget."""
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what is dragged here, before the widget sees it."""
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self._drop(event)
        elif isinstance(event, QDragEnterEvent):
            if _files(event):
                event.acceptProposedAction()
                self._set_near(True)
        elif event.type() == QEvent.Type.DragLeave:
            self._set_near(False)
        else:
            return False
        return True

    def _set_near(self, is_near: bool) -> None:
        self.is_near = is_near
        self.changed.emit()

    def _drop(self, event: QDropEvent) -> None:
        self._set_near(False)
        files = _files(event)
        results = [path for path in files if path.name.lower().endswith(_RESULT_FILES)]
        arrays = [path for path in files if path.name.lower().endswith(_ARRAY_FILES)]
        slides = [path for path in files if path not in results and path not in arrays]
        event.acceptProposedAction()
        if slides:
            self._session.open(slides[0])
            self.opened.emit()
            return
        for path in results:
            self._session.exchange.import_file(path)
        for path in arrays:
            self._session.layer_desk.open(path)


def _files(event: QDropEvent) -> list[Path]:
    urls = event.mimeData().urls()
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
