"""Asks where the GeoJSON goes, and in which form."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QRadioButton, QWidget

from pathoview.core.paths import resources_folder
from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.text import objects_text
from pathoview.ui.widgets import button, label, row

_WIDTH = 560
_PLAIN, _PACKED = ".geojson", ".geojson.gz"


class ExportDialog(Dialog):
    """One file and three choices, remembered for the next time."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Export GeoJSON"), parent)
        self._session = session
        chosen = session.settings.export
        self.file = QLineEdit(str(self._suggestion()))
        self.file.setAccessibleName(_("File"))
        self.collection = QRadioButton(_("FeatureCollection (QuPath and most other programs)"))
        self.array = QRadioButton(_("Bare array of features"))
        self.collection.setChecked(chosen.collection)
        self.array.setChecked(not chosen.collection)
        self.array.setToolTip(_("Nothing can be stamped on it: no version, no research-use note"))
        self.measurements = QCheckBox(_("With measurements"))
        self.measurements.setChecked(chosen.measurements)
        self.gzip = QCheckBox(_("Compressed (.geojson.gz)"))
        self.gzip.setChecked(chosen.gzip)
        self.gzip.toggled.connect(self._on_gzip_toggled)
        self._problem = label("", "warning")
        self._problem.hide()
        self.accept_button = button(_("Export"), self.accept, "export", primary=True)
        self.accept_button.setDefault(True)
        self._lay_out()

    def _lay_out(self) -> None:
        run = self._session.results
        n = run.statistics.n if run else 0
        self.body.addWidget(label(_("Export {objects}").format(objects=objects_text(n)), "title"))
        self.body.addWidget(
            label(
                _("The suggested name is the slide's: change it if it can carry a patient's name."),
                "muted",
            )
        )
        line = row(self.file, button(_("Browse…"), self._browse, "open"))
        self.body.addLayout(line)
        self.body.addWidget(self._problem)
        self.body.addSpacing(theme.GRID)
        for choice in (self.collection, self.array, self.measurements, self.gzip):
            self.body.addWidget(choice)
        self.body.addStretch(1)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setMinimumWidth(_WIDTH)

    def accept(self) -> None:
        """Start the export; an existing file is only replaced at the second asking."""
        path = Path(self.file.text().strip()).expanduser()
        if not path.name or not path.parent.is_dir():
            self._say(_("There is no such folder. Choose one with Browse."))
            return
        if path.exists() and self._problem.property("path") != str(path):
            self._say(_("This file exists. Click Export again to replace it."), str(path))
            return
        options = self._session.settings.export
        options.collection = self.collection.isChecked()
        options.measurements = self.measurements.isChecked()
        options.gzip = self.gzip.isChecked()
        self._session.export_geojson(path, options)
        super().accept()

    def _say(self, text: str, path: str = "") -> None:
        self._problem.setText(text)
        self._problem.setProperty("path", path)
        self._problem.show()

    def _suggestion(self) -> Path:
        """Return a file beside the slide, or in the user's home where that cannot be."""
        slide = self._session.path or Path("slide")
        suffix = _PACKED if self._session.settings.export.gzip else _PLAIN
        is_ours = slide.is_relative_to(resources_folder())
        folder = slide.parent if os.access(slide.parent, os.W_OK) and not is_ours else Path.home()
        return folder / f"{slide.stem}{suffix}"

    def _on_gzip_toggled(self, on: bool) -> None:
        path = Path(self.file.text())
        stem = path.name.removesuffix(".gz").removesuffix(_PLAIN)
        self.file.setText(str(path.with_name(stem + (_PACKED if on else _PLAIN))))

    def _browse(self) -> None:
        kinds = _("GeoJSON (*.geojson *.json *.geojson.gz)")
        dialog = QFileDialog(self, _("Export GeoJSON"), self.file.text(), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_file_chosen)
        dialog.open()

    def _on_file_chosen(self, name: str) -> None:
        self.gzip.setChecked(name.endswith(".gz"))
        self.file.setText(name)
