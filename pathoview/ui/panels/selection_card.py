"""The selected nucleus: its outline, its class, what was measured, and its id."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.selection import Selection
from pathoview.ui import theme
from pathoview.ui.text import value_text
from pathoview.ui.widgets import card, clear_layout, column, icon_button, label, row

_SIDE_PX = 72


class SelectionCard(QWidget):
    """Says what is known of one object; says how to select one when none is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection: Selection | None = None
        self._empty = label(_("Click a nucleus on the slide to see its measurements."), "muted")
        self._outline = OutlinePicture()
        self._class = label("", "title")
        self._area = label("", selectable=True)
        self._id = label("", "muted", selectable=True)
        self.copy = icon_button("copy", _("Copy id"), self._copy_id)
        self._values = QGridLayout()
        self._values.setHorizontalSpacing(theme.GRID)
        self._values.setVerticalSpacing(theme.GRID // 2)
        self._values.setColumnStretch(0, 1)
        self._card: QFrame = card(
            row(self._outline, column(self._class, self._area, 1, spacing=2)),
            self._values,
            row(self._id, self.copy),
        )
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._empty)
        layout.addWidget(self._card)
        self.show_selection(None)

    @property
    def text(self) -> str:
        """All values as shown, for those who cannot see them."""
        shown = self._selection
        if shown is None:
            return self._empty.text()
        values = (f"{name}: {value_text(value)}" for name, value in shown.measurements.items())
        return "\n".join([self._class.text(), self._area.text(), *values])

    def show_selection(self, selection: Selection | None) -> None:
        """Show an object; None: there is none."""
        self._selection = selection
        self._card.setVisible(selection is not None)
        self._empty.setVisible(selection is None)
        if selection is None:
            return
        kind = selection.detection_class
        self._class.setText(kind.name if kind else _("Unclassified"))
        color = QColor(*kind.color) if kind else QColor(theme.ACCENT)
        self._outline.show_outline(selection, color)
        area = selection.area_um2
        self._area.setText(
            _("area {n} µm²").format(n=value_text(area))
            if area is not None
            else _("area unknown: the slide has no scale")
        )
        self._id.setText(str(selection.id))
        clear_layout(self._values)
        for line, (name, value) in enumerate(selection.measurements.items()):
            figure = label(value_text(value), selectable=True)
            figure.setAlignment(Qt.AlignmentFlag.AlignRight)
            figure.setAccessibleName(f"{name}: {value_text(value)}")
            self._values.addWidget(label(name, "muted"), line, 0)
            self._values.addWidget(figure, line, 1)
        self._card.setAccessibleName(self.text)

    def _copy_id(self) -> None:
        if self._selection is not None:
            QGuiApplication.clipboard().setText(str(self._selection.id))


class OutlinePicture(QWidget):
    """One outline, as large as fits."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(QSize(_SIDE_PX, _SIDE_PX))
        self._polygon = QPolygonF()
        self._color = QColor(theme.ACCENT)

    def show_outline(self, selection: Selection, color: QColor) -> None:
        ring = selection.outline_l0
        low, high = ring.min(axis=0), ring.max(axis=0)
        scale = (_SIDE_PX - 2 * theme.GRID) / max(1e-6, float((high - low).max()))
        placed = (ring - (low + high) / 2) * scale + _SIDE_PX / 2
        self._polygon = QPolygonF([QPointF(float(x), float(y)) for x, y in placed])
        self._color = color
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the outline with a faint filling."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.FIELD))
        painter.drawRoundedRect(self.rect(), 4, 4)
        painter.setPen(QPen(self._color, 2))
        filling = QColor(self._color)
        filling.setAlphaF(0.18)
        painter.setBrush(filling)
        painter.drawPolygon(self._polygon)
        painter.end()
