"""Asks what to check for leaks, runs the check, and shows what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QWidget,
)

from pathoview.core.params import form_rows
from pathoview.core.translation import _
from pathoview.session.leak_desk import LeakPage, LeakParams
from pathoview.session.session import Session
from pathoview.ui.dialogs.leak_result import LeakResult
from pathoview.ui.dialogs.page import PageDialog
from pathoview.ui.forms import ParamForm
from pathoview.ui.widgets import button

_SIZE = (860, 620)


class PathRow(QWidget):
    """A folder, or a table, that is typed or chosen."""

    def __init__(self, name: str, *, is_table: bool = False) -> None:
        super().__init__()
        self._is_table = is_table
        self.line = QLineEdit()
        self.line.setAccessibleName(name)
        self.line.setClearButtonEnabled(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line, 1)
        layout.addWidget(button(_("Browse…"), self._browse, "open"))

    @property
    def path(self) -> str:
        """What was named; empty: nothing."""
        text = self.line.text().strip()
        return str(Path(text).expanduser()) if text else ""

    def _browse(self) -> None:
        dialog = QFileDialog(self, self.line.accessibleName(), self.line.text())
        mode = QFileDialog.FileMode
        dialog.setFileMode(mode.ExistingFile if self._is_table else mode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.line.setText)
        dialog.open()


class LeakQuestion(QWidget):
    """What to check: slides of the study, exported tiles, or a folder of pictures a split."""

    def __init__(self, study: Path | None) -> None:
        super().__init__()
        self._study = study
        self.kind = QComboBox()
        self.kind.setAccessibleName(_("What to check"))
        kinds = [(_("Folders of pictures"), "folders"), (_("A folder of exported tiles"), "tiles")]
        if study is not None:
            kinds.insert(0, (_("Slides of this study"), "study"))
        for title, kind in kinds:
            self.kind.addItem(title, kind)
        self.rows = {
            "train": PathRow(_("Folder to train on")),
            "val": PathRow(_("Folder to choose by")),
            "test": PathRow(_("Folder to measure on")),
            "tiles": PathRow(_("Folder of tiles")),
            "groups": PathRow(_("Table of patients"), is_table=True),
        }
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addRow(_("What to check"), self.kind)
        for one in self.rows.values():
            self._layout.addRow(one.line.accessibleName(), one)
        self.rows["groups"].setToolTip(
            _("Columns: image (or slide), and any of patient, block, site, date, label.")
        )
        self.kind.currentIndexChanged.connect(lambda _place: self._refresh())
        self._refresh()

    def _refresh(self) -> None:
        kind = self.kind.currentData()
        shown = {"study": (), "tiles": ("tiles", "groups")}
        wanted = shown.get(kind, ("train", "val", "test", "groups"))
        for name, one in self.rows.items():
            self._layout.setRowVisible(one, name in wanted)

    def source(self) -> dict[str, Any]:
        """Return what was named, as `LeakDesk.check` takes it; empty: not enough."""
        kind, paths = self.kind.currentData(), {name: one.path for name, one in self.rows.items()}
        if kind == "study":
            return {"study": str(self._study)}
        groups = {"groups": paths["groups"]}
        if kind == "tiles":
            return {"tiles": paths["tiles"], **groups} if paths["tiles"] else {}
        folders = {name: paths[name] for name in ("train", "val", "test") if paths[name]}
        return {"folders": folders, **groups} if len(folders) > 1 else {}


class LeaksDialog(PageDialog):
    """What to check, then what was found."""

    found: LeakResult | None = None

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self._desk = session.leaks
        target = session.study_files.suggested_folder / "leaks.html"
        super().__init__(_("Check for leaks"), self._desk, target, parent)
        self.question = LeakQuestion(self._desk.study)
        self.form = ParamForm(form_rows(LeakParams))
        self.resize(*_SIZE)
        self.question.kind.currentIndexChanged.connect(lambda _place: self._refresh())
        text = _(
            "Looks for patients, slides and pictures that are in several splits, and for labels "
            "that can be told without looking."
        )
        self.ask(text, self.question, self.form, start=_("Check"), again=_("Check again"))

    def _start(self) -> None:
        source = self.question.source()
        if source:
            self._desk.check(source, self.form.values())
        else:
            self._say(_("Name the folders of two splits at least, or a folder of tiles."))

    def _refresh(self) -> None:
        super()._refresh()
        for name in ("split", "by", "seed"):  # folders are split already
            self.form.editor(name).setEnabled(self.question.kind.currentData() != "folders")

    def _shown(self, page: LeakPage) -> LeakResult:
        return LeakResult(page)
