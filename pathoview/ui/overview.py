"""The whole slide in a corner, with a box around what is seen; a click jumps there."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.backing import Backing, Frame, LayerPainter

_LONGEST_SIDE = 176
_SHORTEST_SIDE = 40
_SMALLEST_BOX = 5.0
_EDGE = QColor(theme.LINE)


class Overview(QWidget):
    """A small picture of the slide, drawn by the same painter as the large one."""

    def __init__(self, session: Session, painter: LayerPainter, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._layer_painter = painter
        self._backing = Backing()
        self.setAccessibleName(_("Overview of the slide"))
        self.setToolTip(_("The whole slide. Click or drag to look elsewhere."))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def fit_slide(self) -> None:
        """Take the shape of the open slide."""
        slide_l0 = self._session.viewport.slide_l0
        factor = _LONGEST_SIDE / max(slide_l0.width, slide_l0.height)
        self.setFixedSize(
            max(_SHORTEST_SIDE, round(slide_l0.width * factor)),
            max(_SHORTEST_SIDE, round(slide_l0.height * factor)),
        )
        self.spoil()

    def spoil(self, rect_l0: Rect | None = None) -> None:
        """Have a place (or everything) drawn again."""
        self._backing.spoil(rect_l0)
        self.update()

    @property
    def level(self) -> int:
        """The slide's level that is drawn here."""
        return self._session.layers[0].source.pyramid.level_for(1 / self._scale_device)

    @property
    def frame(self) -> Frame:
        ratio = self.devicePixelRatioF()
        size = QSize(round(self.width() * ratio), round(self.height() * ratio))
        center_l0 = self._session.viewport.slide_l0.center
        return Frame.around(center_l0, self._scale_device, size.width(), size.height())

    @property
    def _scale(self) -> float:
        slide_l0 = self._session.viewport.slide_l0
        return min(self.width() / slide_l0.width, self.height() / slide_l0.height)

    @property
    def _scale_device(self) -> float:
        return self._scale * self.devicePixelRatioF()

    def to_l0(self, at: QPointF) -> tuple[float, float]:
        """Return the place on the slide under a place of the widget."""
        x_l0, y_l0 = self._session.viewport.slide_l0.center
        return (
            x_l0 + (at.x() - self.width() / 2) / self._scale,
            y_l0 + (at.y() - self.height() / 2) / self._scale,
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the slide, the edge, and the box around what is seen."""
        if self._session.slide is None or not len(self._session.layers):
            return
        self._compose()
        with QPainter(self) as painter:
            painter.drawPixmap(self.rect(), self._backing.pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_box(painter)
            painter.setPen(QPen(_EDGE, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _compose(self) -> None:
        frame = self.frame
        self._backing.show(frame)
        self._layer_painter.refresh(
            self._backing,
            [self._session.layers[0]],
            self._session.viewport.slide_l0,
            self._session.plane,
        )

    def _draw_box(self, painter: QPainter) -> None:
        seen_l0 = self._session.viewport.visible_l0
        center_l0 = self._session.viewport.slide_l0.center
        box = QRectF(
            (seen_l0.x - center_l0[0]) * self._scale + self.width() / 2,
            (seen_l0.y - center_l0[1]) * self._scale + self.height() / 2,
            seen_l0.width * self._scale,
            seen_l0.height * self._scale,
        )
        grow_x = max(0.0, _SMALLEST_BOX - box.width()) / 2
        grow_y = max(0.0, _SMALLEST_BOX - box.height()) / 2
        box = box.adjusted(-grow_x, -grow_y, grow_x, grow_y)
        inside = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        for color, width in ((QColor(12, 13, 15, 150), 4.0), (QColor(theme.ACCENT), 2.0)):
            painter.setPen(QPen(color, width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.intersected(inside))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jump to where it was clicked."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._session.viewport.look_at(*self.to_l0(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._session.viewport.look_at(*self.to_l0(event.position()))
