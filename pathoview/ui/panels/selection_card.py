"""The selected nucleus: its outline, its class, what was measured, and its id."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.selection import Selection
from pathoview.ui import theme
from pathoview.ui.text import value_text
from pathoview.ui.widgets import ElidedLabel, card, clear_layout, icon_button, label, row

_SIDE_PX = 56
_N_COLUMNS = 2
_AREA = "Area µm²"


class SelectionCard(QWidget):
    """Says what is known of one object; says how to select one when none is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection: Selection | None = None
        self._empty = label(_("Click a nucleus on the slide to see its measurements."), "muted")
        self._outline = OutlinePicture()
        self._class = label("", "heading")
        self._area = label("", selectable=True)
        self._id = ElidedLabel("", "small")
        self.copy = icon_button("copy", _("Copy id"), self._copy_id)
        self._values = QGridLayout()
        self._values.setHorizontalSpacing(theme.GRID)
        self._values.setVerticalSpacing(theme.GRID // 2)
        for column_index in range(_N_COLUMNS):
            self._values.setColumnStretch(2 * column_index, 1)
        identity = row(self._id, self.copy)
        identity.setStretchFactor(self._id, 1)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._class)
        words.addWidget(self._area)
        words.addLayout(identity)
        head = row(self._outline, words)
        head.setStretchFactor(words, 1)
        self._card: QFrame = card(
            head,
            self._values,
        )
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._empty)
        layout.addWidget(self._card)
        self.show_selection(None, QColor())

    @property
    def text(self) -> str:
        """All values as shown, for those who cannot see them."""
        shown = self._selection
        if shown is None:
            return self._empty.text()
        values = (f"{name}: {value_text(value)}" for name, value in shown.measurements.items())
        return "\n".join([self._class.text(), self._area.text(), *values])

    def show_selection(self, selection: Selection | None, unclassified: QColor) -> None:
        """Show an object; None: there is none. ``unclassified``: colour of those without class."""
        self._selection = selection
        self._card.setVisible(selection is not None)
        self._empty.setVisible(selection is None)
        if selection is None:
            return
        kind = selection.detection_class
        self._class.setText(kind.name if kind else _("Unclassified"))
        color = QColor(*kind.color) if kind else unclassified
        self._outline.show_outline(selection, color)
        others = dict(selection.measurements)
        area = others.pop(_AREA, selection.area_um2)
        self._area.setText(
            _("area {n} µm²").format(n=value_text(area))
            if area is not None
            else _("area unknown: the slide has no scale")
        )
        self._id.set_text(str(selection.id))
        clear_layout(self._values)
        for number, (name, value) in enumerate(others.items()):
            line, place = divmod(number, _N_COLUMNS)
            figure = label(value_text(value), selectable=True)
            figure.setWordWrap(False)
            figure.setAccessibleName(f"{name}: {value_text(value)}")
            self._values.addWidget(ElidedLabel(name, "small"), line, 2 * place)
            self._values.addWidget(figure, line, 2 * place + 1, Qt.AlignmentFlag.AlignRight)
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
        self._color = QColor(theme.current().accent)

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
        painter.setBrush(QColor(theme.current().field))
        painter.drawRoundedRect(self.rect(), 4, 4)
        painter.setPen(QPen(self._color, 2))
        filling = QColor(self._color)
        filling.setAlphaF(0.18)
        painter.setBrush(filling)
        painter.drawPolygon(self._polygon)
        painter.end()
