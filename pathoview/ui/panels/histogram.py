"""How one measurement is spread over all objects, with the selected one marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QWidget

from pathoview.core.translation import _, ngettext
from pathoview.ui import theme
from pathoview.ui.panels.plot import Plot
from pathoview.ui.text import count_text, value_text

_N_BINS = 48
_TAIL_PERCENT = 0.5
"""Left out on either side, so that a single odd object does not flatten the rest."""
_HEIGHT_PX = 136


@dataclass(frozen=True, slots=True)
class Spread:
    """A histogram and what is said of it."""

    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    n: int
    n_beyond: int
    """Values that lie beyond the edges, and are in no bar."""
    median: float
    mean: float
    deviation: float


def spread(values: npt.NDArray[np.float32]) -> Spread | None:
    """Return the histogram of all finite values; None when there are none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.percentile(known, [_TAIL_PERCENT, 100 - _TAIL_PERCENT])
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(known, _N_BINS, (low, high))
    return Spread(
        counts,
        edges,
        len(known),
        len(known) - int(counts.sum()),
        float(np.median(known)),
        float(known.mean(dtype=np.float64)),
        float(known.std(dtype=np.float64)),
    )


class Histogram(Plot):
    """Bars, and a line at the value of the selected object."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: Any = None
        self._bars: Any = None
        self._mark: Any = None
        self.shown: Spread | None = None

    def show_values(self, name: str, values: npt.NDArray[np.float32]) -> None:
        """Show the spread of a measurement."""
        self.shown = found = spread(values)
        if found is None:
            self._facts.setText(_("No object has this measurement."))
            if self._plot is not None:
                self._plot.hide()
            return
        if self._plot is None:
            self._draw()
        self._plot.show()
        self._plot.setAccessibleName(_("Histogram of {name}").format(name=name))
        self._bars.setOpts(
            x0=found.edges[:-1], x1=found.edges[1:], height=found.counts, y0=np.zeros(_N_BINS)
        )
        self._view.setXRange(found.edges[0], found.edges[-1], padding=0.01)
        self._view.setYRange(0, max(1, int(found.counts.max())), padding=0.04)
        self._facts.setText(_facts(found))

    def mark(self, value: float | None) -> None:
        """Draw a line at the selected object's value; None takes it away."""
        if self._plot is None:
            return
        self._mark.setVisible(value is not None)
        if value is not None:
            self._mark.setValue(value)

    def _draw(self) -> None:
        import pyqtgraph

        self._view = self._build(_HEIGHT_PX, theme.GRID)
        self._bars = pyqtgraph.BarGraphItem(x0=[0], x1=[1], height=[0])
        self._mark = pyqtgraph.InfiniteLine(angle=90, movable=False)
        self._mark.hide()
        self._view.addItem(self._bars)
        self._view.addItem(self._mark)
        self._color()

    def _color(self) -> None:
        super()._color()
        colors = theme.current()
        self._bars.setOpts(brush=colors.accent, pen=colors.surface)
        self._mark.setPen(colors.warning, width=2)


def _facts(found: Spread) -> str:
    text = _("median {median} · mean {mean} ± {deviation}").format(
        median=value_text(found.median),
        mean=value_text(found.mean),
        deviation=value_text(found.deviation),
    )
    if found.n_beyond:
        text += " · " + ngettext("{n} beyond", "{n} beyond", found.n_beyond).format(
            n=count_text(found.n_beyond)
        )
    return text
