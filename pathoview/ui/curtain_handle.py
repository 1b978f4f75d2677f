"""The line between two pictures of a view, with a grip in its middle."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from pathoview.core.translation import _
from pathoview.ui import theme

WIDTH = 36
_REACH = 9
"""So wide is the strip along the line that takes a press."""
_GRIP = 28.0
_STEPS = {Qt.Key.Key_Left: -0.02, Qt.Key.Key_Right: 0.02}
_ENDS = {Qt.Key.Key_Home: 0.0, Qt.Key.Key_End: 1.0}
_HALO = QColor(12, 13, 15, 190)
_PLATE = QColor(20, 21, 24, 230)


class CurtainHandle(QWidget):
    """Is as high as its canvas; says where it is dragged to, and moves nothing by itself."""

    dragged = Signal(float)
    """(x of the line on the canvas, view px)"""
    stepped = Signal(float)
    """(share of the canvas's width)"""
    sent = Signal(float)
    """(position of the curtain)"""
    cancelled = Signal()

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._grabbed: QPointF | None = None
        """Where the line was taken, from its middle."""
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(_("Curtain"))
        self.setAccessibleDescription(_("Left and right arrow keys move it, Esc takes it away."))
        self.setToolTip(_("Drag to compare. Double-click for the middle, Esc to end."))
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave to the canvas what is beside the line and the grip."""
        height = self.height()
        grip = QRect(0, (height - WIDTH) // 2, WIDTH, WIDTH)
        strip = QRect((WIDTH - _REACH) // 2, 0, _REACH, height)
        self.setMask(QRegion(strip).united(QRegion(grip, QRegion.RegionType.Ellipse)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line and the grip, which can be told from every tissue."""
        middle = QPointF(self.width() / 2, self.height() / 2)
        accent = QColor(theme.ACCENT)
        color = accent if self.hasFocus() or self._grabbed is not None else QColor(theme.TEXT)
        with QPainter(self) as painter:
            for pen in (QPen(_HALO, 4), QPen(color, 2)):
                painter.setPen(pen)
                painter.drawLine(QPointF(middle.x(), 0), QPointF(middle.x(), self.height()))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(color, 2))
            painter.setBrush(_PLATE)
            painter.drawEllipse(
                QRectF(0, 0, _GRIP, _GRIP).translated(middle - QPointF(_GRIP, _GRIP) / 2)
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            for way in (-1, 1):
                tip = middle + QPointF(9 * way, 0)
                back = middle + QPointF(4 * way, 0)
                painter.drawPolygon(
                    QPolygonF([tip, back + QPointF(0, -4.5), back + QPointF(0, 4.5)])
                )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the line."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = event.position() - QPointF(self.width() / 2, 0)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the line with the hand."""
        if self._grabbed is not None:
            self.dragged.emit((self.mapToParent(event.position()) - self._grabbed).x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of it."""
        self._grabbed = None
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Put it back into the middle."""
        self.sent.emit(0.5)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the line by keys."""
        key = Qt.Key(event.key())
        if key in _STEPS:
            self.stepped.emit(_STEPS[key])
        elif key in _ENDS:
            self.sent.emit(_ENDS[key])
        elif key == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that keys work here."""
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that they do not any more."""
        self.update()
