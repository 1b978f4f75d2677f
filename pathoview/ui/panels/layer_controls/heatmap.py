"""Controls of a heatmap: colours, limits on a histogram, threshold, the value under the mouse."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox

from pathoview.core.translation import _
from pathoview.layers.colormaps import COLORMAPS
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.color_ramp import color_strip
from pathoview.ui.panels.layer_controls.controls import Controls, Latest, UnderMouse
from pathoview.ui.panels.limits_plot import LimitsPlot
from pathoview.ui.text import value_text
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import column, label, narrow, roomy, row, shrinkable

_STRIP = QSize(8 * theme.GRID, theme.GRID + theme.GRID // 2)
_PERCENTILES = ((0.0, 100.0), (0.5, 99.5), (1.0, 99.0), (5.0, 95.0))


class _Facts(NamedTuple):
    """What is found out off the window's thread."""

    values: npt.NDArray[np.float32]
    limits: tuple[float, float]


class HeatmapControls(Controls):
    """How one heatmap looks."""

    def __init__(self, session: Session, source: HeatmapSource) -> None:
        super().__init__(session)
        self._source = source
        self._facts: Latest[_Facts] = Latest(session, self, self._on_facts)
        self._asked_for = -1
        """Version of the style, and of the numbers, that the facts are of."""
        self._shown_values: npt.NDArray[np.float32] | None = None
        self.colormap = QComboBox()
        self.colormap.setAccessibleName(_("Colours"))
        self.colormap.setIconSize(_STRIP)
        for name in COLORMAPS:
            self.colormap.addItem(QIcon(color_strip(name).scaled(_STRIP)), name, name)
        self.channel = QComboBox()
        self.channel.setAccessibleName(_("Channel"))
        self.channel.addItems(list(source.raster.channels))
        self.plot = LimitsPlot()
        self.scaling = QComboBox()
        self.scaling.setAccessibleName(_("Limits"))
        for low, high in _PERCENTILES:
            self.scaling.addItem(_percentiles_text(low, high), (low, high))
        self.scaling.addItem(_("as set by hand"), None)
        self.is_cut = QCheckBox(_("Hide below"))
        self.threshold = QDoubleSpinBox()
        self.threshold.setRange(-1e12, 1e12)
        self.threshold.setDecimals(3)
        self.threshold.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.threshold.setAccessibleName(_("Threshold: smaller values are not drawn"))
        narrow(self.threshold)
        roomy(self.threshold)
        self.rank = QCheckBox(_("Equal shares"))
        self.rank.setToolTip(_("Each colour stands for equally many of the values"))
        self.fade = QCheckBox(_("Low values fade"))
        self.smooth = QCheckBox(_("Smooth"))
        self.smooth.setToolTip(_("Fade from pixel to pixel; values in between are made up"))
        self.smooth.setHidden(source.is_in_blocks)
        self.value = UnderMouse(session, self._value_words)
        for widget in (self.colormap, self.channel, self.scaling, self.threshold):
            ignore_wheel(widget)
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        for box in (self.colormap, self.channel, self.scaling):
            shrinkable(box)
        colors = row(label(_("Colours")), self.colormap)
        limits = row(label(_("Limits")), self.scaling)
        cut = row(self.is_cut, self.threshold)
        for line, widest in (
            (colors, self.colormap),
            (limits, self.scaling),
            (cut, self.threshold),
        ):
            line.setStretchFactor(widest, 1)
        if self._source.meaning:
            self.box.addWidget(label(self._source.meaning, "muted"))
        channels = row(label(_("Channel")), self.channel)
        channels.setStretchFactor(self.channel, 1)
        choice = column(channels)
        choice.setHidden(self.channel.count() == 1)
        self.box.addWidget(choice)
        self.box.addLayout(colors)
        self.box.addWidget(self.plot)
        self.box.addLayout(limits)
        self.box.addLayout(cut)
        self.box.addLayout(row(self.rank, self.smooth, 1))
        self.box.addWidget(self.fade)
        self.box.addWidget(self.value)

    def _connect(self) -> None:
        self.colormap.currentIndexChanged.connect(self._on_colormap_chosen)
        self.channel.currentIndexChanged.connect(partial(self._restyle, "channel"))
        self.plot.limits_chosen.connect(self._on_limits_chosen)
        self.scaling.currentIndexChanged.connect(self._on_scaling_chosen)
        self.is_cut.toggled.connect(self._on_threshold_changed)
        self.threshold.valueChanged.connect(self._on_threshold_changed)
        self.rank.toggled.connect(self._on_rank_toggled)
        self.fade.toggled.connect(self._on_fade_toggled)
        self.smooth.toggled.connect(partial(self._restyle, "interpolate"))

    def _show(self) -> None:
        style = self._source.style
        self.colormap.setCurrentIndex(COLORMAPS.index(style.colormap))
        self.channel.setCurrentIndex(style.channel)
        is_by_hand = style.limits is not None
        known = _PERCENTILES.index(style.percentiles) if style.percentiles in _PERCENTILES else 0
        self.scaling.setCurrentIndex(len(_PERCENTILES) if is_by_hand else known)
        self.is_cut.setChecked(style.threshold is not None)
        self.threshold.setEnabled(style.threshold is not None)
        if style.threshold is not None:
            self.threshold.setValue(style.threshold)
        self.rank.setChecked(style.scaling == "rank")
        self.fade.setChecked(style.low_opacity < 1)
        self.smooth.setChecked(style.interpolate)
        if self._source.style_version != self._asked_for:
            self._asked_for = self._source.style_version
            self._facts.ask(partial(_look_at, self._source))

    def _on_facts(self, facts: _Facts) -> None:
        """Show the values, which are the same ones until others have come, and the limits."""
        if facts.values is not self._shown_values:
            self._shown_values = facts.values
            self.plot.show_values(facts.values)
        self.plot.show_limits(*facts.limits)
        if not self.is_cut.isChecked():
            self._is_refreshing = True
            self.threshold.setValue(facts.limits[0])
            self._is_refreshing = False

    # -- wishes ----------------------------------------------------------------------------------

    def _restyle(self, name: str, value: Any) -> None:
        if not self._is_refreshing:
            self._source.style = replace(self._source.style, **{name: value})

    def _on_colormap_chosen(self, index: int) -> None:
        self._restyle("colormap", COLORMAPS[index])

    def _on_limits_chosen(self, low: float, high: float) -> None:
        self._restyle("limits", (low, high))

    def _on_scaling_chosen(self) -> None:
        percentiles = self.scaling.currentData()
        if self._is_refreshing:
            return
        if percentiles is None:
            self._restyle("limits", (self.plot.low.value(), self.plot.high.value()))
        else:
            style = self._source.style
            self._source.style = replace(style, limits=None, percentiles=tuple(percentiles))

    def _on_threshold_changed(self) -> None:
        threshold = self.threshold.value() if self.is_cut.isChecked() else None
        self._restyle("threshold", threshold)

    def _on_rank_toggled(self, on: bool) -> None:
        self._restyle("scaling", "rank" if on else "linear")

    def _on_fade_toggled(self, on: bool) -> None:
        self._restyle("low_opacity", 0.0 if on else 1.0)

    # -- the value under the mouse ---------------------------------------------------------------

    def show_cursor(self, place_l0: tuple[float, float] | None) -> None:
        self.value.look(place_l0)

    def _value_words(self, x_l0: float, y_l0: float) -> str:
        value = self._source.value_at(x_l0, y_l0)
        return "" if value is None else value_text(value)


def _look_at(source: HeatmapSource) -> _Facts:
    return _Facts(source.sample(), source.limits)


def _percentiles_text(low: float, high: float) -> str:
    if (low, high) == (0.0, 100.0):
        return _("smallest to largest value")
    return _("percentiles {low:g} to {high:g}").format(low=low, high=high)
