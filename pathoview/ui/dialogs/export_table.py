"""Asks where the table of objects goes, and how much of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QProgressBar, QWidget

from pathoview.annotations.table_writer import check_table_name, table_suffixes
from pathoview.core.errors import PathoViewError, UsageError
from pathoview.core.translation import _
from pathoview.session.notices import Notice
from pathoview.session.object_export import TableProgress, export_table
from pathoview.session.object_table import ObjectTable
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.export import suggested_file
from pathoview.ui.text import objects_text
from pathoview.ui.widgets import button, label, row

_WIDTH = 560
_INTERVAL_MS = 100


class ExportTableDialog(Dialog):
    """One file and two choices; closing it stops the writing."""

    def __init__(self, session: Session, table: ObjectTable, parent: QWidget | None = None) -> None:
        super().__init__(_("Export table"), parent)
        self._session = session
        self._table = table
        self._progress: TableProgress | None = None
        self._is_closed = False
        self.file = QLineEdit(str(suggested_file(session, "-objects.csv")))
        self.file.setAccessibleName(_("File"))
        self.filtered = QCheckBox(_("Only the objects that the filter shows"))
        self.filtered.setChecked(not table.filter.is_empty)
        self.filtered.setEnabled(not table.filter.is_empty)
        self.all_columns = QCheckBox(_("All columns, not only those shown (takes longer)"))
        self.problem = label("", "warning")
        self.problem.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.hide()
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self._show_progress)
        self.accept_button = button(_("Export"), self.accept, "export", primary=True)
        self.accept_button.setDefault(True)
        self._lay_out()

    def _lay_out(self) -> None:
        n = len(self._table.view.objects)
        self.body.addWidget(label(_("Export {objects}").format(objects=objects_text(n)), "title"))
        endings = ", ".join(table_suffixes())
        self.body.addWidget(
            label(
                _(
                    "The name's ending says in which form: {endings}. The suggested name is the"
                    " slide's: change it if it can carry a patient's name."
                ).format(endings=endings),
                "muted",
            )
        )
        self.body.addLayout(row(self.file, button(_("Browse…"), self._browse, "open")))
        self.body.addWidget(self.problem)
        self.body.addSpacing(theme.GRID)
        for choice in (self.filtered, self.all_columns, self.bar):
            self.body.addWidget(choice)
        self.body.addStretch(1)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setFixedWidth(_WIDTH)

    def accept(self) -> None:
        """Begin to write; an existing file is only replaced at the second asking."""
        path = Path(self.file.text().strip()).expanduser()
        if self._progress is not None:
            return
        if not path.name or not path.parent.is_dir():
            self._say(_("There is no such folder. Choose one with Browse."))
            return
        try:
            check_table_name(path)
        except UsageError as error:
            self._say(error.full_text)
            return
        if path.exists() and self.problem.property("path") != str(path):
            self._say(_("This file exists. Click Export again to replace it."), str(path))
            return
        self._progress = export_table(
            *(self._session, self._table, path, self._on_done),
            is_filtered=self.filtered.isChecked(),
            has_all_columns=self.all_columns.isChecked(),
        )
        self._set_busy(True)

    def done(self, result: int) -> None:
        """Stop what is being written, and close."""
        self._is_closed = True
        if self._progress is not None:
            self._progress.control.cancel()
        super().done(result)

    def _set_busy(self, is_busy: bool) -> None:
        self.accept_button.setEnabled(not is_busy)
        self.bar.setVisible(is_busy)
        self.problem.hide()
        (self._timer.start if is_busy else self._timer.stop)()

    def _show_progress(self) -> None:
        if self._progress is not None:
            self.bar.setValue(round(100 * self._progress.fraction))

    def _on_done(self, n: int | None, error: BaseException | None) -> None:
        self._progress = None
        if self._is_closed:
            return
        if n is not None:
            text = _("“{name}” is written: {objects}.").format(
                name=Path(self.file.text()).name, objects=objects_text(n)
            )
            self._session.notice.emit(Notice(text))
            super().accept()
            return
        self._set_busy(False)
        self._say(error.full_text if isinstance(error, PathoViewError) else str(error))

    def _say(self, text: str, path: str = "") -> None:
        self.problem.setText(text)
        self.problem.setProperty("path", path)
        self.problem.show()
        self.adjustSize()

    def _browse(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in table_suffixes())
        dialog = QFileDialog(
            self, _("Export table"), self.file.text(), _("Tables ({types})").format(types=kinds)
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.file.setText)
        dialog.open()
