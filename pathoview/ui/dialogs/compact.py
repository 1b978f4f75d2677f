"""Makes the study smaller, after it was said what is dropped."""

from __future__ import annotations

from datetime import date, timedelta

from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.study_upkeep import CompactPlan
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.text import bytes_text
from pathoview.ui.widgets import button, label

_WIDTH = 500
_AGE = timedelta(days=30)


class CompactDialog(Dialog):
    """A date, and what goes that is older."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Compact the study"), parent)
        self._session = session
        self._plan: CompactPlan | None = None
        self._is_closed = False
        self.date = QLineEdit((date.today() - _AGE).isoformat())
        self.date.setAccessibleName(_("Drop steps from before"))
        self.date.textChanged.connect(lambda _text: self._ask())
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
        """Return the date as ISO text; empty: it is none."""
        try:
            return date.fromisoformat(self.date.text().strip()).isoformat()
        except ValueError:
            return ""

    def _ask(self) -> None:
        self._plan = None
        self.accept_button.setEnabled(False)
        before = self._before()
        if before:
            self.said.setText(_("Counting…"))
            self._session.study_files.upkeep.plan_compact(before, self._on_plan)
        else:
            self.said.setText(_("Write the date as year-month-day: 2026-01-31."))

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
