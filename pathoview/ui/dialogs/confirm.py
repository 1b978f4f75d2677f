"""Asks before something that is hard to take back; *Cancel* is the first choice."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPushButton, QWidget

from pathoview.core.translation import _
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label

_WIDTH = 480


class ConfirmDialog(Dialog):
    """A sentence, what follows from it, and the ways there are."""

    def __init__(self, title: str, text: str, more: str, parent: QWidget | None) -> None:
        super().__init__(title, parent)
        self.body.addWidget(label(text, "title"))
        if more:
            self.body.addWidget(label(more, "muted"))
        self.cancel = button(_("Cancel"), self.reject)
        self.cancel.setDefault(True)
        self.add_buttons(1, self.cancel)
        self.setFixedWidth(_WIDTH)
        self.cancel.setFocus()

    def add_way(self, text: str, do: Callable[[], object], *, primary: bool = False) -> QPushButton:
        """Add a button that closes the dialog and does something."""

        def go() -> None:
            self.accept()
            do()

        made = button(text, go, primary=primary)
        self.add_buttons(made)
        return made
