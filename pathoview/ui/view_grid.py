"""The middle of the window: one canvas, or two or four side by side that can be linked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.view import View
from pathoview.ui.canvas import Canvas
from pathoview.ui.view_header import ViewHeader

_COLUMNS = 2
_HANDLE_PX = 4
_SHARE = 10_000
"""Any large number: splitters share out what there is in proportion."""


class _Cell(QWidget):
    """A canvas with its header."""

    def __init__(self, session: Session, view: View) -> None:
        super().__init__()
        self.canvas = Canvas(session, self, view)
        self.header = ViewHeader(session, view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.canvas, 1)

    def leave(self) -> None:
        """Listen to nobody any more, and go."""
        self.canvas.leave()
        self.header.links.cut()
        self.hide()
        self.setParent(None)
        self.deleteLater()


class ViewGrid(QWidget):
    """One canvas a view of the session, in at most two rows; separators can be dragged."""

    changed = Signal()
    """There are more or fewer canvases."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._cells: list[_Cell] = []
        self._outer = QSplitter(Qt.Orientation.Vertical)
        self._rows = (QSplitter(Qt.Orientation.Horizontal), QSplitter(Qt.Orientation.Horizontal))
        for row in self._rows:
            self._outer.addWidget(row)
        for splitter in (self._outer, *self._rows):
            splitter.setHandleWidth(_HANDLE_PX)
            splitter.setChildrenCollapsible(False)
        upper, lower = self._rows
        upper.splitterMoved.connect(lambda: lower.setSizes(upper.sizes()))
        lower.splitterMoved.connect(lambda: upper.setSizes(lower.sizes()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._outer)
        session.views.changed.connect(self._synchronize)
        session.slide_changed.connect(self._show_cells)
        self._synchronize()

    @property
    def canvases(self) -> Sequence[Canvas]:
        """All of them; the first one is always there."""
        return tuple(cell.canvas for cell in self._cells)

    @property
    def active(self) -> Canvas:
        """The canvas that keys and commands work on."""
        return self.canvases[self._session.views.all.index(self._session.views.active)]

    @property
    def headers(self) -> Sequence[ViewHeader]:
        return tuple(cell.header for cell in self._cells)

    def _synchronize(self) -> None:
        """Have as many canvases as there are views."""
        views = self._session.views.all
        for canvas in self.canvases:
            if canvas is not self.active:
                canvas.glide.stop()
        if len(views) == len(self._cells):
            return
        focused = QApplication.focusWidget()
        had_focus = focused is not None and self.isAncestorOf(focused)
        while len(self._cells) > len(views):
            self._cells.pop().leave()
        for index in range(len(self._cells), len(views)):
            cell = _Cell(self._session, views[index])
            self._cells.append(cell)
            self._rows[index // _COLUMNS].addWidget(cell)
        for splitter in (self._outer, *self._rows):
            splitter.setSizes([_SHARE] * splitter.count())
        self._name_canvases()
        self._show_cells()
        if had_focus:
            self.active.setFocus()
        self.changed.emit()

    def _name_canvases(self) -> None:
        is_split = len(self._cells) > 1
        for number, canvas in enumerate(self.canvases, 1):
            canvas.setAccessibleName(
                _("Slide, view {n}").format(n=number) if is_split else _("Slide")
            )

    def _show_cells(self) -> None:
        """Without a slide there is nothing to be seen side by side."""
        has_slide = self._session.slide is not None
        is_split = has_slide and len(self._cells) > 1
        for cell in self._cells:
            cell.header.setVisible(is_split)
            cell.setVisible(has_slide or cell is self._cells[0])
        self._rows[1].setVisible(is_split and self._rows[1].count() > 0)
