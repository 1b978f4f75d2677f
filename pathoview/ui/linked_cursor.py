"""A thin cross where the pointer would be, on the canvases that it is not on."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QObject, QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from pathoview.session.session import Session
from pathoview.session.view import View
from pathoview.ui import theme
from pathoview.ui.gestures import Gestures
from pathoview.ui.links import Links

_ARM = 14.0
_GAP = 4.0
"""Left free in the middle: one looks at what is there."""
_REACH = round(_ARM) + 3
_HALO = QColor(12, 13, 15, 190)


class LinkedCursor(QObject):
    """Knows where the cross of one canvas is, and draws it."""

    def __init__(self, canvas: QWidget, session: Session, view: View, gestures: Gestures) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._session = session
        self._view = view
        self._gestures = gestures
        self._drawn = QRect()
        self.links = Links()
        self.links.add(session.cursor_changed, self._on_cursor_changed)

    @property
    def place_view(self) -> QPointF | None:
        """The middle of the cross, view px; None: there is none to be seen."""
        place_l0, views = self._session.cursor_l0, self._session.views
        is_here = self._gestures.cursor_view is not None
        if place_l0 is None or is_here or len(views.all) == 1 or not views.is_linked:
            return None
        return QPointF(*self._view.viewport.to_view(*place_l0))

    def draw(self, painter: QPainter) -> None:
        middle = self.place_view
        if middle is None:
            return
        lines = [
            QLineF(middle + step * _GAP, middle + step * _ARM)
            for step in (QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1))
        ]
        for pen in (QPen(_HALO, 3.5), QPen(QColor(theme.TEXT), 1.5)):
            painter.setPen(pen)
            painter.drawLines(lines)

    def _on_cursor_changed(self) -> None:
        """Have only the old and the new place painted again."""
        before, middle = self._drawn, self.place_view
        box = QRectF(0, 0, 2 * _REACH, 2 * _REACH)
        if middle is not None:
            box.moveCenter(middle)
        self._drawn = QRect() if middle is None else box.toAlignedRect()
        for place in {before.getRect(): before, self._drawn.getRect(): self._drawn}.values():
            if not place.isEmpty():
                self._canvas.update(place)
