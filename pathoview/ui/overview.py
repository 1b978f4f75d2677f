"""The whole slide in a corner, with a box around what is seen; a click jumps there."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QToolButton, QWidget

from pathoview.core.translation import _
from pathoview.layers.picture import Base
from pathoview.session.session import Session
from pathoview.session.view import View
from pathoview.ui import icons, theme
from pathoview.ui.picture_painting import smooth_copy

_LONGEST_SIDE = 176
_SHORTEST = 40
_BUTTON = 24
_BUTTON_STYLE = f"""
QToolButton {{ background: rgba(20, 21, 24, 200); border: none; border-radius: 4px; padding: 3px; }}
QToolButton:hover {{ background: {theme.LINE}; }}
QToolButton:focus {{ border: 1px solid {theme.ACCENT}; }}
"""
_SMALLEST_BOX = 5.0
_EDGE = QColor(theme.LINE)


class Overview(QWidget):
    """The base picture of a view: the whole slide with its visible layers, upright."""

    resized = Signal()
    """It takes more or less room than before."""

    def __init__(self, session: Session, view: View, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._view = view
        self._base: Base | None = None
        self._image = QImage()
        self.is_folded = False
        self.fold_button = QToolButton(self)
        self.fold_button.setFixedSize(_BUTTON, _BUTTON)
        self.fold_button.setCursor(Qt.CursorShape.ArrowCursor)
        self.fold_button.setStyleSheet(_BUTTON_STYLE)
        self.fold_button.clicked.connect(lambda: self.fold(not self.is_folded))
        self.setAccessibleName(_("Overview of the slide"))
        self.setToolTip(_("The whole slide. Click or drag to look elsewhere."))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.fold(False)

    def fold(self, is_folded: bool) -> None:
        """Fold the picture up to a button, or unfold it."""
        self.is_folded = is_folded
        text = _("Show the overview") if is_folded else _("Hide the overview")
        self.fold_button.setToolTip(text)
        self.fold_button.setAccessibleName(text)
        self.fold_button.setIcon(icons.icon("slide" if is_folded else "fold", "on_plate"))
        self.fit_slide()

    def fit_slide(self) -> None:
        """Take the shape of the open slide."""
        slide_l0 = self._view.viewport.slide_l0
        factor = _LONGEST_SIDE / max(slide_l0.width, slide_l0.height)
        sides = (slide_l0.width * factor, slide_l0.height * factor)
        width, height = (_BUTTON if self.is_folded else max(_SHORTEST, round(s)) for s in sides)
        self.setFixedSize(width, height)
        self.fold_button.move(width - _BUTTON, 0)
        self._image = QImage()
        self.update()
        self.resized.emit()

    def take_picture(self) -> None:
        """Show the base picture that the view has now."""
        picture = self._view.compositor.picture
        base = picture.base if picture is not None else None
        if base is not self._base:
            self._base, self._image = base, QImage()
            self.update()

    @property
    def _scale(self) -> float:
        slide_l0 = self._view.viewport.slide_l0
        return min(self.width() / slide_l0.width, self.height() / slide_l0.height)

    def to_l0(self, at: QPointF) -> tuple[float, float]:
        """Return the place on the slide under a place of the widget."""
        x_l0, y_l0 = self._view.viewport.slide_l0.center
        return (
            x_l0 + (at.x() - self.width() / 2) / self._scale,
            y_l0 + (at.y() - self.height() / 2) / self._scale,
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the slide, the edge, and the box around what is seen."""
        if self.is_folded:
            return
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(theme.current().canvas))
            self._draw_slide(painter)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_box(painter)
            painter.setPen(QPen(_EDGE, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _draw_slide(self, painter: QPainter) -> None:
        if self._base is None:
            return
        ratio, slide_l0 = self.devicePixelRatioF(), self._view.viewport.slide_l0
        width, height = slide_l0.width * self._scale, slide_l0.height * self._scale
        size = max(1, round(width * ratio)), max(1, round(height * ratio))
        if (self._image.width(), self._image.height()) != size:
            self._image = smooth_copy(self._base.pixels, *size)
        left, top = (self.width() - width) / 2, (self.height() - height) / 2
        painter.drawImage(QRectF(left, top, width, height), self._image)

    def _draw_box(self, painter: QPainter) -> None:
        inside = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        box = QPolygonF([self._from_l0(*corner) for corner in self._view.viewport.corners_l0])
        bounds = box.boundingRect()
        if max(bounds.width(), bounds.height()) < _SMALLEST_BOX:
            half = QPointF(_SMALLEST_BOX, _SMALLEST_BOX) / 2
            box = QPolygonF(QRectF(bounds.center() - half, bounds.center() + half))
        box = QPolygonF(box.intersected(QPolygonF(inside)))
        for color, width in ((QColor(12, 13, 15, 150), 4.0), (QColor(theme.ACCENT), 2.0)):
            painter.setPen(QPen(color, width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(box)

    def _from_l0(self, x_l0: float, y_l0: float) -> QPointF:
        center_x, center_y = self._view.viewport.slide_l0.center
        return QPointF(
            (x_l0 - center_x) * self._scale + self.width() / 2,
            (y_l0 - center_y) * self._scale + self.height() / 2,
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jump to where it was clicked."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._view.viewport.look_at(*self.to_l0(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._view.viewport.look_at(*self.to_l0(event.position()))
