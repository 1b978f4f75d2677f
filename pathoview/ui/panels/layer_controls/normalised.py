"""Controls of a slide in the colours of another: the method, and what was measured."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox

from pathoview.core.translation import _
from pathoview.layers.normalised_source import NormalisedSource
from pathoview.session.quality_desk import METHODS, preview_normalisation
from pathoview.session.session import Session
from pathoview.ui.panels.layer_controls.controls import Controls
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import label, row, shrinkable


class NormalisedControls(Controls):
    """Chooses the method; another one is measured in the background."""

    def __init__(self, session: Session, source: NormalisedSource) -> None:
        super().__init__(session)
        self._source = source
        self.method = QComboBox()
        self.method.setAccessibleName(_("Method of normalisation"))
        for method, name in METHODS.items():
            self.method.addItem(name, method)
        shrinkable(self.method)
        ignore_wheel(self.method)
        self.note = label("", "muted")
        line = row(label(_("Method")), self.method)
        line.setStretchFactor(self.method, 1)
        self.box.addLayout(line)
        self.box.addWidget(self.note)
        self.method.activated.connect(self._on_chosen)
        self.refresh()

    def _show(self) -> None:
        normaliser = self._source.normaliser
        self.method.setCurrentIndex(self.method.findData(normaliser.method))
        never = _("For looking at: what is measured is read from the slide itself.")
        self.note.setText(f"{normaliser.summary} {never}")

    def _on_chosen(self) -> None:
        preview_normalisation(self._session, self.method.currentData())
