"""Asks how slides are cut into pictures and masks to train on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFileDialog, QListWidget, QListWidgetItem, QWidget

from pathoview.core.errors import UsageError
from pathoview.core.params import form_rows
from pathoview.core.translation import _
from pathoview.session.exchange_desk import TileParams
from pathoview.session.session import Session
from pathoview.ui.dialogs.output_dialog import OutputDialog, suggested_folder
from pathoview.ui.forms import ParamForm
from pathoview.ui.widgets import label

_FOLDER = "tiles"
_CLASSES_PX = 120


class ExportTilesDialog(OutputDialog):
    """A folder, the classes to learn, and the parameters of the last time."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, _("Export tiles"), parent)
        self.file.setText(str(suggested_folder(session) / _FOLDER))
        self.file.setAccessibleName(_("Folder"))
        self.all_slides = QCheckBox(_("All slides of the study"))
        self.all_slides.setEnabled(session.studies.is_named)
        self.classes = self._class_list()
        self.form = ParamForm(form_rows(TileParams))
        self.form.set_values(session.settings.tiles)
        text = _(
            "Pictures and masks, a table and a note on what the masks mean go to a new folder."
        )
        heading = label(_("Classes to learn"), "heading")
        self._lay_out(
            [label(text, "muted"), self.file_row, self.all_slides, heading, self.classes],
            [self.form, self.problem],
        )

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

    @property
    def _chosen(self) -> list[str]:
        items = [self.classes.item(place) for place in range(self.classes.count())]
        return [item.text() for item in items if item.checkState() is Qt.CheckState.Checked]

    def _checked(self, path: Path) -> Path:
        if path.is_file():
            raise UsageError(_("This is a file. Name a folder for the tiles."))
        if path.is_dir() and any(path.iterdir()):
            raise UsageError(_("This folder is not empty. Name a new one."))
        if not self._chosen:
            raise UsageError(_("Choose a class at least."))
        return path

    def _write(self, path: Path) -> None:
        chosen = self._chosen
        self._session.exchange.export_tiles(
            path,
            self.form.values(),
            None if len(chosen) == self.classes.count() else chosen,
            all_slides=self.all_slides.isChecked(),
        )

    def _file_dialog(self) -> QFileDialog:
        dialog = QFileDialog(self, _("Folder for tiles"), self.file.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        return dialog
