"""A histogram with two lines that are dragged: the values at both ends of the colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDoubleSpinBox, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.ui import theme
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import label, narrow, roomy, row

_N_BINS = 96
_HEIGHT_PX = 72
_MOST_DIGITS = 6


class LimitsPlot(QWidget):
    """Shows how values are spread, and takes limits by dragging or by typing."""

    limits_chosen = Signal(float, float)
    """(low, high), by the person."""

    def __init__(self) -> None:
        super().__init__()
        self._is_refreshing = False
        self._plot: Any = None
        self._view: Any = None
        self._bars: Any = None
        self.region: Any = None
        """pyqtgraph's `LinearRegionItem`, once there are values."""
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        for box, words in ((self.low, _("Lower limit")), (self.high, _("Upper limit"))):
            box.setRange(-1e12, 1e12)
            box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
            box.setKeyboardTracking(False)
            box.setAccessibleName(words)
            box.setToolTip(words)
            narrow(box)
            roomy(box)
            ignore_wheel(box)
            box.valueChanged.connect(self._on_typed)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.GRID // 2)
        line = row(self.low, label("–", "muted"), self.high)
        for box in (self.low, self.high):
            line.setStretchFactor(box, 1)
        self._layout.addLayout(line)

    def show_values(self, values: npt.NDArray[np.float32]) -> None:
        """Show how values are spread; none: the boxes only."""
        if not len(values):
            if self._plot is not None:
                self._plot.hide()
            return
        if self._plot is None:
            self._build()
        ends = float(values.min()), float(values.max())
        if ends[0] == ends[1]:
            ends = ends[0] - 0.5, ends[1] + 0.5
        counts, edges = np.histogram(values, _N_BINS, ends)
        heights = np.sqrt(counts)  # so that a few odd values beside many plain ones are seen
        self._bars.setOpts(x0=edges[:-1], x1=edges[1:], height=heights, y0=np.zeros(_N_BINS))
        self._view.setXRange(*ends, padding=0.03)
        self._view.setYRange(0, float(heights.max()), padding=0.04)
        self._plot.show()

    def show_limits(self, low: float, high: float) -> None:
        """Show which limits hold."""
        self._is_refreshing = True
        digits = _digits(high - low)
        for box, value in ((self.low, low), (self.high, high)):
            box.setDecimals(digits)
            box.setValue(value)
        if self.region is not None:
            self.region.setRegion((low, high))
        self._is_refreshing = False

    def sizeHint(self) -> QSize:
        """Leave room for the plot from the start, so that nothing jumps when values come."""
        hint = super().sizeHint()
        return hint if self._plot is not None else hint + QSize(0, _HEIGHT_PX)

    def _build(self) -> None:
        import pyqtgraph  # takes half a second: not before it is needed

        plot = pyqtgraph.GraphicsLayoutWidget()
        plot.setBackground(None)
        plot.setFixedHeight(_HEIGHT_PX)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.setAccessibleName(_("Histogram with the limits of the colours"))
        plot.setToolTip(_("Drag the lines: the values at both ends of the colours"))
        plot.ci.setContentsMargins(0, 0, 0, 0)
        self._view = plot.addViewBox(0, 0, enableMenu=False, enableMouse=False)
        self._bars = pyqtgraph.BarGraphItem(x0=[0], x1=[1], height=[0])
        self.region = pyqtgraph.LinearRegionItem(swapMode="block")
        self._view.addItem(self._bars)
        self._view.addItem(self.region)
        self.region.setRegion((self.low.value(), self.high.value()))
        self.region.sigRegionChanged.connect(self._on_dragged)
        self._plot = plot
        self._color()
        self._layout.insertWidget(0, plot)

    def _color(self) -> None:
        import pyqtgraph

        colors = theme.current()
        self._plot.resetCachedContent()  # its background
        self._bars.setOpts(brush=colors.faint, pen=None)
        inside = QColor(colors.accent)
        inside.setAlpha(40)
        self.region.setBrush(inside)
        self.region.setHoverBrush(inside)
        for edge in self.region.lines:
            edge.setPen(pyqtgraph.mkPen(colors.accent, width=2))
            edge.setHoverPen(pyqtgraph.mkPen(colors.text, width=2))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._plot is not None:
            self._color()

    def _on_dragged(self) -> None:
        if not self._is_refreshing:
            low, high = self.region.getRegion()
            self.show_limits(low, high)
            self.limits_chosen.emit(low, high)

    def _on_typed(self) -> None:
        if not self._is_refreshing and self.low.value() <= self.high.value():
            self.limits_chosen.emit(self.low.value(), self.high.value())


def _digits(span: float) -> int:
    """Return how many digits after the point tell a hundredth of a span."""
    if span <= 0:
        return 2
    return int(min(_MOST_DIGITS, max(0, np.ceil(2 - np.log10(span)))))
