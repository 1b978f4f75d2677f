"""Asks for the coordinates to look at, in px or µm."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.session.going import go_to
from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label

_WIDTH = 420


class GoToDialog(Dialog):
    """One line; what it cannot understand it says in a sentence, and stays."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Go to coordinates"), parent)
        self._session = session
        self.place = QLineEdit(session.settings.last_place)
        self.place.setAccessibleName(_("Place"))
        self.place.setPlaceholderText(_("12,345, 6,789"))
        self.place.selectAll()
        self.problem = label("", "warning")
        self.problem.hide()
        self.place.textEdited.connect(self.problem.hide)
        self.accept_button = button(_("Go"), self.accept, primary=True)
        self.accept_button.setDefault(True)
        self.body.addWidget(label(_("Where on the slide?"), "title"))
        self.body.addWidget(self.place)
        self.body.addWidget(self.problem)
        self.body.addWidget(
            label(
                _("x and y in px, or with µm or mm behind them; “@ 20×” also sets the zoom."),
                "muted",
            )
        )
        self.body.addStretch(1)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setFixedWidth(_WIDTH)
        self.place.setFocus()

    def accept(self) -> None:
        """Go there and close, or say what is wrong."""
        try:
            go_to(self._session, self.place.text())
        except UsageError as error:
            self.problem.setText(error.full_text)
            self.problem.show()
            self.adjustSize()
            return
        super().accept()
