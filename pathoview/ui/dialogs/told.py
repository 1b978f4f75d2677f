"""A page that is told without a question: waited for, shown, and saved as a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QProgressBar, QWidget

from pathoview.core.translation import _
from pathoview.session.page_desk import PageDesk
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.links import Links
from pathoview.ui.widgets import button, label


class ToldDialog(Dialog):
    """Begins to have the page told when it opens; closing it stops the work and forgets it."""

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
        self.problem = label("", "warning")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(_("Progress"))
        self.save = button(_("Save report…"), self._ask_target, "export")
        self.body.addWidget(self.problem)
        self.body.addWidget(self.bar)
        self._links = Links()
        self._links.add(desk.changed, self._refresh)
        self.finished.connect(self._on_finished)

    def tell(self, begin: Callable[[], None], *buttons: QWidget) -> None:
        """Have the desk begin, at the end of what makes the dialog; ``buttons`` are beside Save."""
        self.add_buttons(self.save, *buttons)
        self.add_close()
        begin()
        self._refresh()

    def _shown(self, page: Any) -> QWidget:
        """Return what shows a page."""
        raise NotImplementedError

    def _write(self, path: Path) -> None:
        """Save the report to a file."""
        self._pages.save(path)

    def _on_finished(self, _result: int) -> None:
        self._links.cut()
        self._pages.forget()

    def _refresh(self) -> None:
        page = self._pages.page
        self.bar.setVisible(self._pages.is_busy)
        self.problem.setText(self._pages.problem)
        self.problem.setVisible(bool(self._pages.problem))
        self.save.setEnabled(page is not None)
        if page is not None and self.found is None:
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
