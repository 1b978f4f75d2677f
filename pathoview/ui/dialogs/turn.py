"""Turns the view by any angle while one looks at it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QSlider, QWidget

from pathoview.core.translation import _
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label, roomy, row

_HALF_TURN = 180
_TENTHS = 10
"""Steps of the slider a degree."""
_WIDTH = 400


class TurnDialog(Dialog):
    """A slider and a number for the same angle, from -180° to 180°, clockwise."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Turn the view"), parent)
        self._session = session
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(-_HALF_TURN * _TENTHS, _HALF_TURN * _TENTHS)
        self.slider.setPageStep(15 * _TENTHS)
        self.slider.setTickInterval(90 * _TENTHS)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setAccessibleName(_("Angle"))
        self.angle = QDoubleSpinBox()
        roomy(self.angle)
        self.angle.setRange(-_HALF_TURN, _HALF_TURN)
        self.angle.setDecimals(1)
        self.angle.setSuffix("°")
        self.angle.setWrapping(True)
        self.angle.setAccessibleName(_("Angle in degrees"))
        self.flipped = QCheckBox(_("Mirrored"))
        self.upright = button(_("Upright"), self._reset, "reset")
        self.body.addWidget(label(_("Turn clockwise by"), "muted"))
        self.body.addLayout(row(self.slider, self.angle))
        self.body.addLayout(row(self.flipped, 1, self.upright))
        self.body.addStretch(1)
        self.add_close()
        self.setMinimumWidth(_WIDTH)
        self.slider.valueChanged.connect(lambda tenths: self._turn(tenths / _TENTHS))
        self.angle.valueChanged.connect(self._turn)
        self.flipped.toggled.connect(self._turn_as_shown)
        session.viewport_changed.connect(self._refresh)
        session.slide_changed.connect(self._refresh)
        self.finished.connect(self._let_go)
        self._refresh()
        self.slider.setFocus()

    def _let_go(self) -> None:
        self._session.viewport_changed.disconnect(self._refresh)
        self._session.slide_changed.disconnect(self._refresh)

    def _refresh(self) -> None:
        """Show how the view is turned now."""
        viewport = self._session.viewport
        degrees = (viewport.rotation + _HALF_TURN) % 360 - _HALF_TURN
        widgets = (self.slider, self.angle, self.flipped)
        for widget in widgets:
            widget.blockSignals(True)
            widget.setEnabled(self._session.slide is not None)
        self.slider.setValue(round(degrees * _TENTHS))
        self.angle.setValue(degrees)
        self.flipped.setChecked(viewport.is_flipped)
        for widget in widgets:
            widget.blockSignals(False)
        self.upright.setEnabled(not viewport.look().is_upright)

    def _turn(self, degrees: float) -> None:
        self._session.viewport.set_turn(degrees, self.flipped.isChecked())

    def _turn_as_shown(self) -> None:
        self._turn(self.angle.value())

    def _reset(self) -> None:
        run_command(self._session, "turn.reset")
