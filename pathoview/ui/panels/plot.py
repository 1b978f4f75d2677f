"""A plot: axes, what is drawn between them, and below what is said of it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.ui import theme
from pathoview.ui.widgets import label


class Plot(QWidget):
    """It is only built when there is something to show: its library loads slowly."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plot: Any = None
        self._axes: list[Any] = []
        self._facts = label("", "muted")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.GRID // 2)
        self._layout.addWidget(self._facts)

    @property
    def facts(self) -> str:
        """What is said below the plot."""
        return self._facts.text()

    def _build(self, height_px: int, right_px: int = 0) -> Any:
        """Make the plot, with nothing in it; return its view. Then add to it, and `_color` it."""
        import pyqtgraph  # takes half a second: not before it is needed

        self._plot = pyqtgraph.GraphicsLayoutWidget()
        self._plot.setBackground(None)
        self._plot.setFixedHeight(height_px)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.ci.setContentsMargins(0, theme.GRID, right_px, 0)
        self._plot.ci.setSpacing(0)
        view = self._plot.addViewBox(0, 1, enableMenu=False, enableMouse=False)
        self._add_axis("left", (0, 0), view)
        self._add_axis("bottom", (1, 1), view)
        self._layout.insertWidget(0, self._plot)
        return view

    def _add_axis(self, side: str, place: tuple[int, int], view: Any) -> None:
        """Add an axis of a view at a row and a column of the plot."""
        import pyqtgraph

        axis = pyqtgraph.AxisItem(side)
        axis.setStyle(tickLength=-4)
        axis.linkToView(view)
        self._plot.addItem(axis, *place)
        self._axes.append(axis)

    def _color(self) -> None:
        """Take the colours of the theme; what is drawn gets its own."""
        colors = theme.current()
        for axis in self._axes:
            axis.setPen(colors.line)
            axis.setTextPen(colors.muted)
        self._plot.resetCachedContent()  # its background

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._plot is not None:
            self._color()
