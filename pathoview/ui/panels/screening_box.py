"""How the tissue is screened: at which magnification, with which overlap, and how far one is."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QComboBox, QProgressBar, QSpinBox, QVBoxLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.screening_bar import progress_text
from pathoview.ui.text import magnification_text
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import button, icon_button, label, roomy, row

_POWERS = (2.5, 5.0, 10.0, 20.0, 40.0)
_WIDEST_OVERLAP = 50


class ScreeningBox(QWidget):
    """Choices, one button, and what was seen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        settings = session.settings.screening
        self.power = QComboBox()
        self.power.setAccessibleName(_("Magnification of a field"))
        self.power.setToolTip(_("Places seen at this magnification or a stronger one count"))
        for power in sorted({*_POWERS, settings.magnification}):
            self.power.addItem(magnification_text(power), power)
        self.power.setCurrentIndex(self.power.findData(settings.magnification))
        self.power.activated.connect(self._on_chosen)
        self.overlap = QSpinBox()
        roomy(self.overlap)
        self.overlap.setRange(0, _WIDEST_OVERLAP)
        self.overlap.setSingleStep(5)
        self.overlap.setPrefix(_("overlap "))
        self.overlap.setSuffix(_(" %"))
        self.overlap.setValue(round(100 * settings.overlap))
        self.overlap.setAccessibleName(_("Overlap of neighbouring fields in percent"))
        self.overlap.valueChanged.connect(self._on_chosen)
        for widget in (self.power, self.overlap):
            ignore_wheel(widget)
        run = partial(run_command, session)
        self.toggle = button("", partial(run, "screening.toggle"))
        self.forget = icon_button(
            "reset", _("Forget what was seen"), partial(run, "screening.forget")
        )
        self.words = label("", "muted")
        self.bar = QProgressBar()
        self.bar.setAccessibleName(_("Tissue seen"))
        self.bar.setTextVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addLayout(row(self.toggle, 1, self.forget))
        layout.addLayout(row(self.power, self.overlap))
        layout.addWidget(self.words)
        layout.addWidget(self.bar)
        session.places.screening.changed.connect(self.refresh)
        session.slide_changed.connect(self.refresh)
        self.refresh()

    def _on_chosen(self) -> None:
        settings = self._session.settings.screening
        settings.magnification = self.power.currentData()
        settings.overlap = self.overlap.value() / 100
        self._session.places.screening.plan_again()

    def refresh(self) -> None:
        """Say how far it is now."""
        screening = self._session.places.screening
        is_on = screening.is_active or screening.is_preparing
        self.toggle.setText(_("Stop screening") if is_on else _("Screen the tissue"))
        self.toggle.setEnabled(self._session.slide is not None)
        self.forget.setEnabled(screening.is_active)
        self.words.setText(
            progress_text(screening)
            or _("Walks over all tissue field by field; PgDown goes on. What was seen is kept.")
        )
        self.bar.setVisible(screening.is_active)
        self.bar.setValue(round(100 * screening.seen_share))
