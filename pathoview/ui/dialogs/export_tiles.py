"""Asks how slides are cut into pictures and masks to train on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from pathoview.core.params import form_rows
from pathoview.core.translation import _
from pathoview.session.exchange_desk import TileParams
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.export import suggested_folder
from pathoview.ui.forms import ParamForm
from pathoview.ui.widgets import button, label, row

_WIDTH = 560
_FOLDER = "tiles"
_CLASSES_PX = 120


class ExportTilesDialog(Dialog):
    """A folder, the classes to learn, and the parameters of the last time."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Export tiles"), parent)
        self._session = session
        self.folder = QLineEdit(str(suggested_folder(session) / _FOLDER))
        self.folder.setAccessibleName(_("Folder"))
        self.all_slides = QCheckBox(_("All slides of the study"))
        self.all_slides.setEnabled(session.studies.is_named)
        self.classes = self._class_list()
        self.form = ParamForm(form_rows(TileParams))
        self.form.set_values(session.settings.tiles)
        self._problem = label("", "warning")
        self._problem.hide()
        self.accept_button = button(_("Export"), self.accept, "export", primary=True)
        self.accept_button.setDefault(True)
        self._lay_out()

    def _class_list(self) -> QListWidget:
        box = QListWidget()
        box.setAccessibleName(_("Classes to learn"))
        box.setMaximumHeight(_CLASSES_PX)
        for one in self._session.classes.listed:
            if one.meaning in ("positive", "negative"):
                item = QListWidgetItem(one.name, box)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked)
        return box

    def _lay_out(self) -> None:
        text = _(
            "Pictures and masks, a table and a note on what the masks mean go to a new folder."
        )
        self.body.addWidget(label(text, "muted"))
        self.body.addLayout(row(self.folder, button(_("Browse…"), self._browse, "open")))
        self.body.addWidget(self.all_slides)
        self.body.addWidget(label(_("Classes to learn"), "heading"))
        self.body.addWidget(self.classes)
        self.body.addSpacing(theme.GRID)
        self.body.addWidget(self.form)
        self.body.addWidget(self._problem)
        self.body.addStretch(1)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setMinimumWidth(_WIDTH)

    def accept(self) -> None:
        """Start the export, unless the folder is not empty or no class is chosen."""
        folder = Path(self.folder.text().strip()).expanduser()
        items = [self.classes.item(place) for place in range(self.classes.count())]
        chosen = [item.text() for item in items if item.checkState() is Qt.CheckState.Checked]
        if not folder.name or not folder.parent.is_dir():
            self._say(_("There is no such folder. Choose one with Browse."))
        elif folder.exists() and any(folder.iterdir()):
            self._say(_("This folder is not empty. Name a new one."))
        elif not chosen:
            self._say(_("Choose a class at least."))
        else:
            self._session.exchange.export_tiles(
                folder,
                self.form.values(),
                None if len(chosen) == len(items) else chosen,
                all_slides=self.all_slides.isChecked(),
            )
            super().accept()

    def _say(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.show()

    def _browse(self) -> None:
        dialog = QFileDialog(self, _("Folder for tiles"), self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()
