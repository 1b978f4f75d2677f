"""What colours mean: a strip of them with the lowest and the highest value."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.layers.colormaps import DEFAULT, Colormap, colors_of
from pathoview.ui import theme
from pathoview.ui.text import value_text
from pathoview.ui.widgets import label, row


class ColorRamp(QWidget):
    """The colours of a measurement: lowest to highest value."""

    def __init__(self) -> None:
        super().__init__()
        self._low, self._high = label("", "muted"), label("", "muted")
        self._high.setAlignment(Qt.AlignmentFlag.AlignRight)
        strip = label()
        strip.setScaledContents(True)
        strip.setFixedHeight(theme.GRID)
        strip.setPixmap(color_strip(DEFAULT))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(strip)
        layout.addLayout(row(self._low, self._high))

    def show_limits(self, low: float, high: float) -> None:
        self._low.setText(_("≤ {value}").format(value=value_text(low)))
        self._high.setText(_("≥ {value}").format(value=value_text(high)))


def color_strip(name: Colormap) -> QPixmap:
    """Return the colours of a name from left to right, 256 × 1 px."""
    colors = colors_of(name)
    image = QImage(colors.data, len(colors), 1, 3 * len(colors), QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)
