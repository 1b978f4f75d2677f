"""Erases a case from everything, after it was said what that is."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox, QPlainTextEdit, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.study_upkeep import ErasePlan
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label

_WIDTH = 520
_FILES_PX = 120


class EraseCaseDialog(Dialog):
    """Cannot be undone: a box is ticked first."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Erase a case"), parent)
        self._session = session
        self._plan: ErasePlan | None = None
        self._is_closed = False
        self.case = QComboBox()
        self.case.setAccessibleName(_("Case"))
        for case in session.slides.editing.cases:
            self.case.addItem(case.name, case.id)
        self.said = label("")
        self.files = QPlainTextEdit()
        self.files.setReadOnly(True)
        self.files.setFixedHeight(_FILES_PX)
        self.files.setAccessibleName(_("Files that tell of the case"))
        self.files.setTabChangesFocus(True)
        self.with_files = QCheckBox(_("Delete these files too: they tell of the case"))
        self.sure = QCheckBox(_("I understand that this cannot be undone"))
        self.accept_button = button(_("Erase"), self.accept)
        self.cancel = button(_("Cancel"), self.reject)
        self.cancel.setDefault(True)
        self._lay_out()
        self.case.currentIndexChanged.connect(lambda _index: self._ask())
        self.sure.toggled.connect(lambda _on: self._refresh())
        self.finished.connect(self._on_finished)
        self._ask()

    def _lay_out(self) -> None:
        text = _(
            "The case goes from every table, from the history and from the audit trail, "
            "and the bytes are overwritten."
        )
        self.body.addWidget(label(_("Which case is erased?"), "title"))
        self.body.addWidget(label(text, "muted"))
        for part in (self.case, self.said, self.files, self.with_files, self.sure):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.add_buttons(1, self.cancel, self.accept_button)
        self.setMinimumWidth(_WIDTH)

    def _on_finished(self, _result: int) -> None:
        self._is_closed = True

    def _ask(self) -> None:
        self._plan = None
        self.sure.setChecked(False)
        self.files.hide()
        self.with_files.hide()
        case_id = self.case.currentData()
        if case_id is None:
            self.said.setText(_("The study has no cases."))
        else:
            self.said.setText(_("Counting…"))
            self._session.study_files.upkeep.plan_erase(case_id, self._on_plan)
        self._refresh()

    def _on_plan(self, plan: ErasePlan) -> None:
        if self._is_closed or plan.case_id != self.case.currentData():
            return
        self._plan = plan
        self.said.setText(_("{what} will be gone.").format(what=plan.text))
        files = [str(path) for path in (*plan.files, *plan.backups)]
        self.files.setPlainText("\n".join(files))
        for part in (self.files, self.with_files):
            part.setVisible(bool(files))
        self._refresh()

    def _refresh(self) -> None:
        self.sure.setEnabled(self._plan is not None)
        self.accept_button.setEnabled(self._plan is not None and self.sure.isChecked())

    def accept(self) -> None:
        """Do it, when the box is ticked."""
        if self._plan is not None and self.sure.isChecked():
            with_files = self.with_files.isVisible() and self.with_files.isChecked()
            self._session.study_files.upkeep.erase(self._plan, with_files=with_files)
            super().accept()
