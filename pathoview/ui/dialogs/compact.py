"""Makes the study smaller, after it was said what is dropped."""

from __future__ import annotations

from PySide6.QtCore import QDate
from PySide6.QtWidgets import QDateEdit, QFormLayout, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.study_upkeep import CompactPlan
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.text import bytes_text
from pathoview.ui.widgets import button, label

_WIDTH = 500


class CompactDialog(Dialog):
    """A date, and what goes that is older."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Compact the study"), parent)
        self._session = session
        self._plan: CompactPlan | None = None
        self._is_closed = False
        self.date = QDateEdit(QDate.currentDate().addMonths(-1))
        self.date.setCalendarPopup(True)
        self.date.setDisplayFormat("yyyy-MM-dd")
        self.date.setAccessibleName(_("Drop steps from before"))
        self.date.dateChanged.connect(lambda _date: self._ask())
        self.said = label("")
        form = QFormLayout()
        form.addRow(_("Drop steps from before"), self.date)
        text = _("Old steps can then no longer be undone; what is drawn stays as it is.")
        self.body.addWidget(label(_("Drop old history"), "title"))
        self.body.addWidget(label(text, "muted"))
        self.body.addLayout(form)
        self.body.addWidget(self.said)
        self.body.addWidget(label(_("A backup is made first."), "muted"))
        self.body.addStretch(1)
        self.accept_button = button(_("Compact"), self.accept, primary=True)
        self.cancel = button(_("Cancel"), self.reject)
        self.cancel.setDefault(True)
        self.add_buttons(1, self.cancel, self.accept_button)
        self.finished.connect(self._on_finished)
        self.setMinimumWidth(_WIDTH)
        self._ask()

    def _on_finished(self, _result: int) -> None:
        self._is_closed = True

    def _before(self) -> str:
        return self.date.date().toString("yyyy-MM-dd")

    def _ask(self) -> None:
        self._plan = None
        self.accept_button.setEnabled(False)
        self.said.setText(_("Counting…"))
        self._session.study_files.upkeep.plan_compact(self._before(), self._on_plan)

    def _on_plan(self, plan: CompactPlan) -> None:
        if self._is_closed or plan.before != self._before():
            return
        self._plan = plan
        if not plan.steps and not plan.versions:
            self.said.setText(_("Nothing is that old."))
            return
        text = _("Dropped will be {what}: about {size}.")
        self.said.setText(text.format(what=plan.text, size=bytes_text(plan.n_bytes)))
        self.accept_button.setEnabled(True)

    def accept(self) -> None:
        """Do it."""
        if self._plan is not None:
            self._session.study_files.upkeep.compact(self._plan)
            super().accept()
