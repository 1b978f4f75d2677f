"""Asks what an annotation file does not say of itself."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QWidget

from pathoview.annotations.dialects.import_params import ImportParams
from pathoview.core.params import form_rows
from pathoview.core.translation import _
from pathoview.session.exchange_desk import ImportQuestion
from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.forms import ParamForm
from pathoview.ui.widgets import button, label

_WIDTH = 480


class ImportOptionsDialog(Dialog):
    """A form of what is asked; what was said last of such a file is filled in."""

    def __init__(
        self, session: Session, question: ImportQuestion, parent: QWidget | None = None
    ) -> None:
        super().__init__(_("Import"), parent)
        self._session = session
        self._question = question
        rows = [
            replace(
                one,
                kind="choice",
                choices=tuple(choices),
                words=tuple(choices),
                default=choices[0],
            )
            if (choices := question.names[one.name])
            else one
            for one in form_rows(ImportParams)
            if one.name in question.names
        ]
        self.form = ParamForm(rows)
        self.form.set_values(session.settings.import_options.get(question.dialect.name, {}))
        self._problem = label("", "warning")
        self._problem.hide()
        self.accept_button = button(_("Import"), self.accept, "import", primary=True)
        self.accept_button.setDefault(True)
        title = _("{name}: {format}")
        self.body.addWidget(
            label(title.format(name=question.path.name, format=question.dialect.title), "title")
        )
        self.body.addWidget(label(_("The file does not say the following of itself."), "muted"))
        self.body.addWidget(self.form)
        self.body.addWidget(self._problem)
        self.body.addStretch(1)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setMinimumWidth(_WIDTH)

    def accept(self) -> None:
        """Start the import; what cannot be meant is told in the dialog's place by a notice."""
        question = self._question
        if self._session.exchange.import_as(
            question.path, question.dialect.name, self.form.values()
        ):
            super().accept()
