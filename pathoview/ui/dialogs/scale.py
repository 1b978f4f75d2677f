"""Asks once how large a pixel of the slide is, and says why."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label, roomy, row

_PRESETS = ((0.25, "40×"), (0.5, "20×"), (1.0, "10×"))
_DEFAULT = 0.5
_BOUNDS = (0.02, 60.0)
_WIDTH = 460


class ScaleDialog(Dialog):
    """µm per pixel of the open slide, by preset or by number."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Scale of the slide"), parent)
        self._session = session
        slide = session.slide
        known = slide.info.mpp if slide else None
        problem = slide.info.mpp_problem if slide else ""
        self.value = QDoubleSpinBox()
        roomy(self.value)
        self.value.setDecimals(4)
        self.value.setRange(*_BOUNDS)
        self.value.setSingleStep(0.05)
        self.value.setSuffix(_(" µm per pixel"))
        self.value.setValue((known[0] + known[1]) / 2 if known else _DEFAULT)
        self.value.setAccessibleName(_("µm per pixel at full resolution"))
        self.presets = [
            button(
                _("{power} scan · {mpp:g} µm").format(power=power, mpp=mpp),
                lambda mpp=mpp: self.value.setValue(mpp),  # type: ignore[misc]
            )
            for mpp, power in _PRESETS
        ]
        self.accept_button = button(_("Use this scale"), self.accept, primary=True)
        self.accept_button.setDefault(True)
        for text, role in (
            (_("How large is one pixel of this slide?"), "title"),
            (problem, ""),
            (
                _(
                    "Sizes in µm, densities per mm² and the choice of resolution for an analysis "
                    "depend on it. It is remembered for this slide."
                ),
                "muted",
            ),
        ):
            if text:
                self.body.addWidget(label(text, role))
        self.body.addSpacing(theme.GRID)
        self.body.addLayout(row(*self.presets))
        self.body.addWidget(self.value)
        self.body.addStretch(1)
        self.add_buttons(1, button(_("Later"), self.reject), self.accept_button)
        self.setMinimumWidth(_WIDTH)

    def accept(self) -> None:
        """Tell the session, which remembers it."""
        self._session.set_scale(self.value.value())
        super().accept()
