"""A plot of named lines between 0 and 1, with what each line stands for below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.ui import theme
from pathoview.ui.panels.plot import Plot
from pathoview.ui.widgets import label, row

_HEIGHT_PX = 212
_WIDTH_PX = 2
_SWATCH_PX = 24
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
"""Lines differ in how they are drawn as well as in colour."""


@dataclass(frozen=True, slots=True)
class NamedLine:
    """What is drawn; (n,) each."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    has_marks: bool = False
    """A mark at each point."""


class LinePlot(Plot):
    """Lines, a diagonal where it means something, and a legend."""

    def __init__(
        self,
        title: str,
        axes: tuple[str, str],
        lines: Sequence[NamedLine],
        *,
        has_diagonal: bool = False,
    ) -> None:
        """``axes``: what is along x and along y."""
        super().__init__()
        self.lines = lines
        self._axis_titles, self._has_diagonal = axes, has_diagonal
        self._items: list[Any] = []
        self._diagonal: Any = None
        self._legend = [_Swatch(place) for place in range(len(lines))]
        self._facts.hide()
        self._layout.insertWidget(0, label(title, "heading"))
        names = QVBoxLayout()
        names.setSpacing(theme.GRID // 4)
        for swatch, one in zip(self._legend, lines, strict=True):
            named = row(swatch)
            named.addWidget(label(one.name, "small"), 1)
            names.addLayout(named)
        self._layout.addLayout(names)
        self._layout.addStretch(1)
        self._draw(title)

    def _draw(self, title: str) -> None:
        import pyqtgraph

        view = self._build(_HEIGHT_PX, 2 * theme.GRID)
        self._layout.insertWidget(1, self._plot)  # below its title
        self._plot.setAccessibleName(title)
        self._plot.setAccessibleDescription("; ".join(one.name for one in self.lines))
        view.setRange(xRange=(0, 1), yRange=(0, 1), padding=0.02)
        for axis, text in zip(self._axes, reversed(self._axis_titles), strict=True):
            axis.setLabel(text)
        self._diagonal = pyqtgraph.PlotDataItem([0, 1], [0, 1])
        self._diagonal.setVisible(self._has_diagonal)
        view.addItem(self._diagonal)
        for one in reversed(self.lines):  # the first one on top
            item = pyqtgraph.PlotDataItem(
                list(one.x), list(one.y), symbol="o" if one.has_marks else None, symbolSize=6
            )
            view.addItem(item)
            self._items.insert(0, item)
        self._color()

    def _color(self) -> None:
        super()._color()
        self._diagonal.setPen(theme.current().line, width=1)
        for place, item in enumerate(self._items):
            pen = line_pen(place)
            item.setPen(pen)
            item.setSymbolBrush(pen.color())
            item.setSymbolPen(None)


class _Swatch(QWidget):
    """A piece of a line, for the legend."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place = place
        self.setFixedWidth(_SWATCH_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it in the colours of the moment."""
        with QPainter(self) as painter:
            painter.setPen(line_pen(self._place))
            middle = self.height() // 2
            painter.drawLine(0, middle, self.width(), middle)


def line_pen(place: int) -> QPen:
    """Return how the line at a place is drawn."""
    colors = theme.current()
    choices = (colors.accent, colors.warning, colors.success, colors.error, colors.muted)
    pen = QPen(choices[place % len(choices)])
    pen.setWidth(_WIDTH_PX)
    pen.setStyle(_STYLES[place % len(_STYLES)])
    pen.setCosmetic(True)
    return pen
