"""Controls of a picture that is laid on the slide: nudge, turn, scale, align by landmarks."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout

from pathoview.core.affine import Affine
from pathoview.core.translation import _
from pathoview.layers.layer import Layer
from pathoview.layers.warped_source import WarpedSource
from pathoview.session.commands import run_command
from pathoview.session.pointing import leave
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.panels.layer_controls.controls import Controls
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import button, icon_button, label, roomy, row

_STEPS_PX = (1, 10, 100)
_ARROWS = (
    ("arrow-up", _("Nudge up"), 0, -1, 0, 1),
    ("arrow-left", _("Nudge left"), -1, 0, 1, 0),
    ("arrow-right", _("Nudge right"), 1, 0, 1, 2),
    ("arrow-down", _("Nudge down"), 0, 1, 2, 1),
)
"""Icon, words, direction (x, y), place in the grid (row, column)."""


class PlacementControls(Controls):
    """Where one picture lies; turns and scales about the middle of what is seen."""

    def __init__(self, session: Session, layer: Layer, source: WarpedSource) -> None:
        super().__init__(session)
        self._layer = layer
        self._source = source
        self.step = QComboBox()
        self.step.setAccessibleName(_("Step of the arrows"))
        for step in _STEPS_PX:
            self.step.addItem(_("{n} px").format(n=step), step)
        self.step.setCurrentIndex(1)
        ignore_wheel(self.step)
        self.arrows = {
            icon: icon_button(icon, words, partial(self._nudge, x, y))
            for icon, words, x, y, _row, _column in _ARROWS
        }
        self.turn = _number(_("Turned by"), _("°"), -360, 360, 2, 0.5)
        self.scale = _number(_("Enlarged to"), _(" %"), 0.01, 10_000, 2, 1)
        self.align = button(_("Align by three landmarks"), self._align)
        self.align.setCheckable(True)
        self.note = label("", "muted")
        self._lay_out()
        self.turn.valueChanged.connect(self._on_turned)
        self.scale.valueChanged.connect(self._on_scaled)
        self.refresh()

    def _lay_out(self) -> None:
        pad = QGridLayout()
        pad.setSpacing(0)
        for icon, _words, _x, _y, line, column in _ARROWS:
            pad.addWidget(self.arrows[icon], line, column)
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(theme.GRID)
        numbers.setVerticalSpacing(theme.GRID // 2)
        parts = ((_("Step"), self.step), (_("Turn"), self.turn), (_("Scale"), self.scale))
        for line, (words, widget) in enumerate(parts):
            numbers.addWidget(label(words), line, 0)
            numbers.addWidget(widget, line, 1)
        numbers.setColumnStretch(1, 1)
        both = row(pad, numbers, spacing=2 * theme.GRID)
        both.setStretchFactor(numbers, 1)
        self.box.addLayout(both)
        self.box.addLayout(row(self.align, 1))
        self.box.addWidget(self.note)

    def _show(self) -> None:
        placement = self._source.placement
        self.turn.setValue(_angle(placement))
        self.scale.setValue(100 * placement.scale)
        alignment = self._session.toolbox.alignment
        is_aligned = alignment.layer is self._layer
        self.align.setChecked(is_aligned)
        self.note.setText(alignment.prompt if is_aligned else "")
        self.note.setVisible(is_aligned)

    # -- wishes ----------------------------------------------------------------------------------

    def _nudge(self, x: int, y: int) -> None:
        step = self.step.currentData()
        self._place(Affine.moved(x * step, y * step))

    def _on_turned(self, degrees: float) -> None:
        if not self._is_refreshing:
            self._about(Affine.turned(degrees - _angle(self._source.placement)))

    def _on_scaled(self, percent: float) -> None:
        if not self._is_refreshing:
            self._about(Affine.scaled(percent / 100 / self._source.placement.scale))

    def _about(self, change: Affine) -> None:
        """Turn or scale; the middle of what is seen stays where it is."""
        x, y = self._session.viewport.center_l0
        self._place(Affine.moved(-x, -y).then(change).then(Affine.moved(x, y)))

    def _place(self, change: Affine) -> None:
        self._session.layer_desk.place(self._layer, self._source.placement.then(change))

    def _align(self) -> None:
        if self._session.toolbox.alignment.layer is self._layer:
            leave(self._session)
        else:
            run_command(self._session, "layer.align")
        self.refresh()


def _angle(placement: Affine) -> float:
    """Return by how many degrees a placement turns, clockwise on the screen."""
    return math.degrees(math.atan2(placement.yx, placement.xx))


def _number(
    words: str, unit: str, low: float, high: float, decimals: int, step: float
) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    roomy(box)
    box.setRange(low, high)
    box.setDecimals(decimals)
    box.setSingleStep(step)
    box.setSuffix(unit)
    box.setKeyboardTracking(False)
    box.setAccessibleName(words)
    box.setToolTip(words)
    ignore_wheel(box)
    return box
