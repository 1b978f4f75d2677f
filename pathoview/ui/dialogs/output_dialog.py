"""What all dialogs share that write a file or a folder: where it goes, and how far it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QLabel, QLayout, QLineEdit, QProgressBar, QWidget

from pathoview.core.errors import UsageError
from pathoview.core.paths import resources_folder
from pathoview.core.progress import WatchedProgress
from pathoview.core.translation import _
from pathoview.session.notices import Notice, from_error
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label, row

_WIDTH = 560
_POLL_MS = 100


def suggested_folder(session: Session) -> Path:
    """Return the folder of the slide, or the user's home where nothing can be put beside it."""
    folder = session.slides.shown_path.parent
    is_ours = folder.is_relative_to(resources_folder())
    return folder if os.access(folder, os.W_OK) and not is_ours else Path.home()


def suggested_file(session: Session, ending: str) -> Path:
    """Return a name for a file about the slide, in the suggested folder."""
    return suggested_folder(session) / f"{session.slides.shown_path.stem}{ending}"


def name_hint() -> QLabel:
    """Return a warning of what the suggested name can tell."""
    return label(
        _("The suggested name is the slide's: change it if it can carry a patient's name."), "muted"
    )


class OutputDialog(Dialog):
    """One file, or folder, and the choices of a subclass; closing it stops the writing."""

    def __init__(self, session: Session, title: str, parent: QWidget | None) -> None:
        super().__init__(title, parent)
        self._session = session
        self._progress: WatchedProgress | None = None
        self._is_closed = False
        self._asked: Path | None = None
        """The file of which the dialog says that it exists."""
        self.file = QLineEdit()
        self.file.setAccessibleName(_("File"))
        self.file_row = row(self.file, button(_("Browse…"), self._browse, "open"))
        self.problem = label("", "warning")
        self.problem.hide()
        self.bar = QProgressBar()
        self.bar.setAccessibleName(_("Progress"))
        self.bar.setTextVisible(False)
        self.bar.hide()
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._show_progress)
        self.cancel_button = button(_("Cancel"), self.reject)
        self.accept_button = button(_("Export"), self.accept, "export", primary=True)
        self.accept_button.setDefault(True)
        self.setMinimumWidth(_WIDTH)

    # -- what a subclass says --------------------------------------------------------------------

    def _kinds(self) -> str:
        """Return the kinds of files as `QFileDialog` takes them."""
        return ""

    def _checked(self, path: Path) -> Path:
        """Return the path to write to; raises `UsageError` when nothing can be written there."""
        return path

    def _write(self, path: Path) -> WatchedProgress | None:
        """Begin to write, ``_on_done`` follows; None: others go on with it, the dialog closes.

        Raises `UsageError`, which the dialog shows.
        """
        raise NotImplementedError

    def _done_text(self, name: str, _result: Any) -> str:
        """Return what is said of a file that is written."""
        return _("“{name}” is written.").format(name=name)

    def _lay_out(
        self, above: Sequence[QWidget | QLayout], below: Sequence[QWidget | QLayout]
    ) -> None:
        """Fill the body with two groups; the progress is seen below them."""
        for part in (*above, *below, self.bar):
            if isinstance(part, QWidget):
                self.body.addWidget(part)
            else:
                self.body.addLayout(part)
        self.body.insertSpacing(len(above), theme.GRID)
        self.body.addStretch(1)
        self.add_buttons(1, self.cancel_button, self.accept_button)

    # -- writing ---------------------------------------------------------------------------------

    def accept(self) -> None:
        """Begin to write; an existing file is only replaced at the second asking."""
        if self._progress is not None:
            return
        path = Path(self.file.text().strip()).expanduser()
        if not path.name or not path.parent.is_dir():
            self._say(_("There is no such folder. Choose one with Browse."))
            return
        try:
            path = self._checked(path)
            if path.is_file() and path != self._asked:
                self._say(_("This file exists. Click Export again to replace it."), path)
                return
            self._progress = self._write(path)
        except UsageError as error:
            self._say(error.full_text)
            return
        if self._progress is None:
            super().accept()
        else:
            self._set_busy(True)

    def done(self, result: int) -> None:
        """Stop what is being written, and close."""
        self._is_closed = True
        if self._progress is not None:
            self._progress.control.cancel()
        super().done(result)

    def _on_done(self, result: Any, error: BaseException | None) -> None:
        self._progress = None
        if self._is_closed:
            return
        if error is None:
            text = self._done_text(Path(self.file.text()).name, result)
            self._session.notice.emit(Notice(text))
            super().accept()
            return
        self._set_busy(False)
        self._say(from_error(error).text)

    def _set_busy(self, is_busy: bool) -> None:
        self.accept_button.setEnabled(not is_busy)
        self.bar.setVisible(is_busy)
        self.problem.hide()
        (self._timer.start if is_busy else self._timer.stop)()

    def _show_progress(self) -> None:
        if self._progress is not None:
            self.bar.setValue(round(100 * self._progress.fraction))

    def _say(self, text: str, asked: Path | None = None) -> None:
        self.problem.setText(text)
        self.problem.show()
        self._asked = asked
        size = self.size()
        self.adjustSize()
        self.resize(self.size().expandedTo(size))  # no smaller than somebody made it

    # -- choosing a file -------------------------------------------------------------------------

    def _browse(self) -> None:
        dialog = self._file_dialog()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_file_chosen)
        dialog.open()

    def _file_dialog(self) -> QFileDialog:
        dialog = QFileDialog(self, self.windowTitle(), self.file.text(), self._kinds())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        return dialog

    def _on_file_chosen(self, name: str) -> None:
        self.file.setText(name)
