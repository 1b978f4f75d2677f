"""Points of tiles in a plane, coloured by a number or by their slide."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from pathoview.core.translation import _
from pathoview.layers.colormaps import DEFAULT, colors_of
from pathoview.session.tile_map import MapOfTiles
from pathoview.ui import theme
from pathoview.ui.panels.plot import Plot

_HEIGHT_PX = 280
_SIZE_PX, _MARK_PX = 7, 13
_SLIDE_COLORS = (
    *("#5ba8e5", "#e8b34b", "#7cc08a", "#f07167"),
    *("#b18be0", "#4cc3c0", "#d77fb0", "#a0a66b"),
)
"""Of more slides, the colours come again."""
_TOP_PERCENTILE = 99.0


class TilePlot(Plot):
    """A click tells which point was meant."""

    clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: Any = None
        self._points: Any = None
        self._mark: Any = None
        self._places: npt.NDArray[np.float64] = np.empty((0, 2))
        self._shown: tuple[object, bytes] | None = None

    def show_points(
        self, answer: MapOfTiles, values: npt.NDArray[np.float32], *, is_of_slides: bool
    ) -> None:
        """Draw the points of a map; ``values``: of each, NaN has no colour."""
        shown = answer, values.tobytes() + bytes([is_of_slides])
        if self._shown == shown:
            return
        if self._plot is None:
            self._draw()
        is_other = self._shown is None or self._shown[0] is not answer
        self._shown, self._places = shown, answer.points
        colors = _slide_colors(values) if is_of_slides else _value_colors(values)
        self._points.setData(*self._places.T, brush=colors)
        if is_other:
            self._view.autoRange(padding=0.05)

    def mark(self, point: int | None) -> None:
        """Put a ring round a point; None: round none."""
        place = self._places[:0] if point is None else self._places[point : point + 1]
        self._mark.setData(*place.T)

    def say(self, text: str) -> None:
        """Say something below the plot."""
        self._facts.setText(text)

    def _draw(self) -> None:
        import pyqtgraph

        self._view = self._build(_HEIGHT_PX)
        self._plot.setAccessibleName(_("Map of tiles"))
        self._points = pyqtgraph.ScatterPlotItem(size=_SIZE_PX, pen=None, pxMode=True)
        self._mark = pyqtgraph.ScatterPlotItem(size=_MARK_PX, brush=None, pxMode=True)
        self._view.addItem(self._points)
        self._view.addItem(self._mark)
        self._points.sigClicked.connect(self._on_clicked)
        for axis, number in zip(self._axes, (2, 1), strict=True):
            axis.enableAutoSIPrefix(False)  # a factor of a thousand says nothing here
            axis.setLabel(_("PC {n}").format(n=number))
        self._color()

    def _color(self) -> None:
        super()._color()
        self._mark.setPen(theme.current().text, width=2)

    def _on_clicked(self, _scatter: object, points: Any, _event: object) -> None:
        if len(points):
            self.clicked.emit(int(points[0].index()))


def _value_colors(values: npt.NDArray[np.float32]) -> list[QColor]:
    """Return colours from the least to the most; what has no number is faint."""
    known = values[np.isfinite(values)]
    low, high = (known.min(), np.percentile(known, _TOP_PERCENTILE)) if len(known) else (0.0, 1.0)
    shares = np.nan_to_num((values - low) / max(float(high - low), 1e-9)).clip(0, 1)
    table = colors_of(DEFAULT)
    faint = QColor(theme.current().faint)
    return [
        QColor(*table[round(share * (len(table) - 1))].tolist()) if is_known else faint
        for share, is_known in zip(shares.tolist(), np.isfinite(values).tolist(), strict=True)
    ]


def _slide_colors(values: npt.NDArray[np.float32]) -> list[QColor]:
    colors = [QColor(name) for name in _SLIDE_COLORS]
    return [colors[int(number) % len(colors)] for number in values.tolist()]
