"""Asks where the table of objects goes, and how much of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QCheckBox, QWidget

from pathoview.annotations.table_writer import check_table_name, table_suffixes
from pathoview.core.progress import WatchedProgress
from pathoview.core.translation import _
from pathoview.session.object_export import export_table
from pathoview.session.object_table import ObjectTable
from pathoview.session.session import Session
from pathoview.ui.dialogs.output_dialog import OutputDialog, suggested_file
from pathoview.ui.text import objects_text
from pathoview.ui.widgets import label


class ExportTableDialog(OutputDialog):
    """One file and two choices."""

    def __init__(self, session: Session, table: ObjectTable, parent: QWidget | None = None) -> None:
        super().__init__(session, _("Export table"), parent)
        self._table = table
        self.file.setText(str(suggested_file(session, "-objects.csv")))
        self.filtered = QCheckBox(_("Only the objects that the filter shows"))
        self.filtered.setChecked(not table.filter.is_empty)
        self.filtered.setEnabled(not table.filter.is_empty)
        self.all_columns = QCheckBox(_("All columns, not only those shown (takes longer)"))
        objects = objects_text(len(table.view.objects))
        hint = _(
            "The name's ending says in which form: {endings}. The suggested name is the"
            " slide's: change it if it can carry a patient's name."
        ).format(endings=", ".join(table_suffixes()))
        title = label(_("Export {objects}").format(objects=objects), "title")
        self._lay_out(
            [title, label(hint, "muted"), self.file_row, self.problem],
            [self.filtered, self.all_columns],
        )

    def _kinds(self) -> str:
        types = " ".join(f"*{suffix}" for suffix in table_suffixes())
        return _("Tables ({types})").format(types=types)

    def _checked(self, path: Path) -> Path:
        check_table_name(path)
        return path

    def _write(self, path: Path) -> WatchedProgress:
        return export_table(
            *(self._session, self._table, path, self._on_done),
            is_filtered=self.filtered.isChecked(),
            has_all_columns=self.all_columns.isChecked(),
        )

    def _done_text(self, name: str, result: int) -> str:
        objects = objects_text(result)
        return _("“{name}” is written: {objects}.").format(name=name, objects=objects)
