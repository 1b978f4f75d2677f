"""How a training goes: the loss, and what was measured on held-back labels, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtWidgets import QWidget

from pathoview.core.translation import _
from pathoview.ui import theme
from pathoview.ui.panels.plot import Plot

_HEIGHT_PX = 144
_NOT_DRAWN = {"step", "lr", "samples_per_s", "seconds", "replaced"}
_LEAST_SPAN = 0.01
"""What does not change by that part is drawn as a level line."""
_SMOOTHED = 15
"""The loss of single steps jumps; the line is the mean of so many."""


class Curves(Plot):
    """Two lines over the steps: the loss, and the last metric, each on its own scale."""

    def __init__(self, parent: QWidget | None = None, *, height_px: int = _HEIGHT_PX) -> None:
        super().__init__(parent)
        self._height_px = height_px
        self._views: list[Any] = []
        self._lines: list[Any] = []

    def show_curve(self, points: Sequence[Mapping[str, float]]) -> None:
        """Draw the points of a training; each has ``step``, and ``loss`` or metrics."""
        losses = [(one["step"], one["loss"]) for one in points if "loss" in one]
        name = _metric(points)
        scores = [(one["step"], one[name]) for one in points if name in one]
        self.setVisible(bool(points))
        if not points:
            return
        if self._plot is None:
            self._draw()
        left, _bottom, right = self._axes
        for line, view, axis, values in zip(
            self._lines,
            self._views,
            (left, right),
            (_smoothed(losses), np.array(scores)),
            strict=True,
        ):
            line.setVisible(len(values) > 0)
            axis.setVisible(len(values) > 0)
            if len(values):
                line.setData(values[:, 0], values[:, 1])
                low, high = np.nanmin(values[:, 1]), np.nanmax(values[:, 1])
                view.setYRange(low, max(high, low + _LEAST_SPAN * abs(low) + 1e-6), padding=0.06)
        steps = [one["step"] for one in points]
        self._plot.setVisible(min(steps) < max(steps))
        apart = _tick_steps(max(steps) - min(steps))
        self._axes[1].setTickSpacing(apart, apart)
        for view in self._views:
            view.setXRange(min(steps), max(max(steps), 1), padding=0.01)
        self._facts.setText(_facts(losses, name, scores))

    def _draw(self) -> None:
        import pyqtgraph

        first = self._build(self._height_px)
        self._plot.setAccessibleName(_("Curves of the training"))
        second = pyqtgraph.ViewBox(enableMenu=False, enableMouse=False)
        self._plot.scene().addItem(second)
        first.sigResized.connect(lambda: second.setGeometry(first.sceneBoundingRect()))
        self._add_axis("right", (0, 2), second)
        self._views = [first, second]
        for view in self._views:
            line = pyqtgraph.PlotCurveItem()
            view.addItem(line)
            self._lines.append(line)
        self._color()

    def _color(self) -> None:
        super()._color()
        colors = theme.current()
        for line, color in zip(self._lines, (colors.accent, colors.success), strict=True):
            line.setPen(color, width=2)


def _tick_steps(n_steps: float) -> int:
    """Return how many steps lie between two ticks: whole ones, and few ticks."""
    distances = [factor * 10**power for power in range(9) for factor in (1, 2, 5)]
    return int(next(one for one in distances if n_steps <= 5 * one))


def _metric(points: Sequence[Mapping[str, float]]) -> str:
    """Return the name of the metric that is drawn: the first that was measured last.

    The parts of the loss are none: of these, less is better.
    """
    for one in reversed(points):
        for name in one:
            if name not in _NOT_DRAWN and not name.startswith("loss"):
                return name
    return ""


def _smoothed(losses: Sequence[tuple[float, float]]) -> np.ndarray[Any, Any]:
    values = np.array(losses, np.float64).reshape(-1, 2)
    n = min(_SMOOTHED, len(values))
    if n > 1:
        sums = np.cumsum(np.insert(values[:, 1], 0, 0.0))
        first = np.maximum(np.arange(1, len(values) + 1) - n, 0)
        last = np.arange(1, len(values) + 1)
        values[:, 1] = (sums[last] - sums[first]) / (last - first)
    return values


def _facts(
    losses: Sequence[tuple[float, float]], name: str, scores: Sequence[tuple[float, float]]
) -> str:
    said = []
    if losses:
        said.append(_("loss {value:.3g}").format(value=_smoothed(losses)[-1, 1]))
    if scores:
        best = max(score for _step, score in scores)
        said.append(
            _("{name} {value:.3f}, best {best:.3f}").format(
                name=metric_title(name), value=scores[-1][1], best=best
            )
        )
    return " · ".join(said)


def metric_title(name: str) -> str:
    """Return a metric's name as it is shown."""
    return _TITLES.get(name, name.replace("_", " "))


_TITLES = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "aji": "AJI",
    "pq": "PQ",
    "f1": "F1",
    "f1_detection": _("detection F1"),
    "macro_f1": _("mean F1"),
    "accuracy": _("accuracy"),
    "dice": "Dice",
    "precision_at_1": "precision@1",
    "precision_at_5": "precision@5",
    "precision_chance": _("precision by chance"),
    "iou": "IoU",
}
