"""The whole slide in a corner, with a box around what is seen; a click jumps there."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton, QWidget

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.backing import Backing, Frame, LayerPainter, Shown

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
    """A small picture of the slide, drawn by the same painter as the large one."""

    resized = Signal()
    """It takes more or less room than before."""

    def __init__(self, session: Session, painter: LayerPainter, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._layer_painter = painter
        self._backing = Backing()
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
        self.fold_button.setIcon(icons.icon("slide" if is_folded else "fold"))
        self.fit_slide()

    def fit_slide(self) -> None:
        """Take the shape of the open slide."""
        slide_l0 = self._session.viewport.slide_l0
        factor = _LONGEST_SIDE / max(slide_l0.width, slide_l0.height)
        sides = (slide_l0.width * factor, slide_l0.height * factor)
        width, height = (_BUTTON if self.is_folded else max(_SHORTEST, round(s)) for s in sides)
        self.setFixedSize(width, height)
        self.fold_button.move(width - _BUTTON, 0)
        self.spoil()
        self.resized.emit()

    def spoil(self, rect_l0: Rect | None = None) -> None:
        """Have a place (or everything) drawn again."""
        self._backing.spoil(rect_l0)
        self.update()

    @property
    def shown(self) -> Shown:
        """The slide itself; what lies on it would be too small here."""
        return Shown(self._session.layers[0], self._session.plane)

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
        if self.is_folded or not len(self._session.layers):
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
        self._layer_painter.refresh(self._backing, [self.shown], self._session.viewport.slide_l0)

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
