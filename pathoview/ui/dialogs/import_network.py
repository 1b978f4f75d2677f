"""Asks what the file of a network does not say of it, and takes it into the library."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from pathoview.core.translation import _
from pathoview.session.model_desk import ModelDesk
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.forms import ParamForm
from pathoview.ui.widgets import button, label, scrolled

_SIZE = (520, 620)


class ImportNetworkDialog(Dialog):
    """A form that begins with what stands beside the file; it stays until nothing is wrong."""

    def __init__(self, desk: ModelDesk, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(_("Import {name}").format(name=path.name), parent)
        self._desk = desk
        self._path = path
        said, why = desk.said_of(path)
        text = _(
            "The file does not say how its network is to be used. Who made it knows; a .json file "
            "of the same name beside it can say it, too."
        )
        self.form = ParamForm(desk.network_form())
        self.form.set_values(said)
        self.problem = label(why, "warning", selectable=True)
        self.problem.setVisible(bool(why))
        self.body.addWidget(label(text, "muted"))
        self.body.addWidget(scrolled(self.form), 1)
        self.body.addWidget(self.problem)
        self.cancel = button(_("Cancel"), self.reject)
        self.run = button(_("Import"), self._import, "import", primary=True)
        self.run.setDefault(True)
        self.add_buttons(1, self.cancel, self.run)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.resize(*_SIZE)
        self._is_gone = False
        self.finished.connect(self._on_gone)

    def _import(self) -> None:
        self.run.setEnabled(False)
        self._desk.import_network(self._path, self.form.values(), self._on_answer)

    def _on_gone(self) -> None:
        self._is_gone = True

    def _on_answer(self, why: str) -> None:
        """Show what is wrong; without anything, all is done."""
        if self._is_gone:
            return
        self.run.setEnabled(True)
        self.problem.setText(why)
        self.problem.setVisible(bool(why))
        if not why:
            self.accept()
