"""The end of the log file, to be copied into a report of a problem."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from pathoview.core.logs import log_file
from pathoview.core.privacy import scrub
from pathoview.core.translation import _
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label

_TAIL_BYTES = 200_000
_SIZE = (860, 560)


class LogDialog(Dialog):
    """Slides appear by pseudonym only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_("Log"), parent)
        self.text = QPlainTextEdit(log_tail())
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(_("Log"))
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        self.body.addWidget(label(_("Slides are named by pseudonyms in here."), "muted"))
        self.body.addWidget(self.text, 1)
        copy = button(_("Copy"), self._copy, "copy")
        close = button(_("Close"), self.close)
        self.add_buttons(copy, 1, close)
        self.resize(*_SIZE)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())


def log_tail() -> str:
    """Return the end of the log."""
    file = log_file()
    if not file.is_file():
        return _("Nothing was logged yet.")
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        return scrub(opened.read().decode("utf-8", "replace"))
