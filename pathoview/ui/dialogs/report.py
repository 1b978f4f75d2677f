"""A page in a dialog: watched while it is worked on, shown, and saved as a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QProgressBar, QWidget

from pathoview.core.translation import _
from pathoview.session.page_desk import PageDesk
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.links import Links
from pathoview.ui.widgets import button, label


class ReportDialog(Dialog):
    """Shows what a desk says of its page; closing it stops the work and forgets the page."""

    found: QWidget | None = None
    """What shows the page; None: there is none yet."""
    kinds: str = _("HTML (*.html)")
    """Of the files it can be saved as, as a file dialog wants them."""

    def __init__(
        self, title: str, desk: PageDesk[Any], target: Path, parent: QWidget | None
    ) -> None:
        """``target``: where the report goes if one says nothing else."""
        super().__init__(title, parent)
        self._pages = desk
        self._target = target
        self._links = Links()
        self.problem = label("", "warning")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(_("Progress"))
        self.save = button(_("Save report…"), self._ask_target, "export")

    # -- what a dialog says ----------------------------------------------------------------------

    def _shown(self, page: Any) -> QWidget:
        """Return what shows a page."""
        raise NotImplementedError

    def _write(self, path: Path) -> None:
        """Save the report to a file."""
        self._pages.save(path)

    def _refresh(self) -> None:
        """Show what the desk says."""
        raise NotImplementedError

    # -- the same for all ------------------------------------------------------------------------

    def _watch(self) -> None:
        """Show what the desk says from now on, until the dialog is closed."""
        self._links.add(self._pages.changed, self._refresh)
        self.finished.connect(self._on_finished)

    def _on_finished(self, _result: int) -> None:
        self._links.cut()
        self._pages.forget()

    def _say(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def _show(self, page: Any) -> None:
        """Have a page shown below all else."""
        self.found = self._shown(page)
        self.body.addWidget(self.found, 1)
        self.found.setFocus()

    def _ask_target(self) -> None:
        dialog = QFileDialog(self, _("Save report"), str(self._target), self.kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(self._target.suffix[1:])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self._write(Path(name)))
        dialog.open()
