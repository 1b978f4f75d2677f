"""A question whose answer is a page: asked, worked on, shown, and saved as a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from pathoview.core.translation import _
from pathoview.session.page_desk import PageDesk
from pathoview.ui.dialogs.report import ReportDialog
from pathoview.ui.widgets import button, column, label


class PageDialog(ReportDialog):
    """First the question, then the page."""

    def __init__(
        self, title: str, desk: PageDesk[Any], target: Path, parent: QWidget | None
    ) -> None:
        """``target``: where the report goes if one says nothing else."""
        super().__init__(title, desk, target, parent)
        self._page: Any = None
        self._asked: Sequence[QWidget] = ()
        self.said = label("", "muted")
        self.stop = button(_("Stop"), desk.cancel, "cancel")
        self.leave = button(_("Close"), self.close)

    def ask(self, text: str, *parts: QWidget, start: str, again: str) -> None:
        """Lay out the question, at the end of what makes it; then watch the work.

        ``text`` says what it is about, ``start`` and ``again`` are what the buttons say.
        """
        self.start = button(start, self._start, "analyze", primary=True)
        self.again = button(again, self._ask_again, "reset")
        self._asked = (*parts, self.start)
        self._asking = column(label(text, "muted"), *parts, self.problem, 1, self.bar, self.said)
        self.body.addWidget(self._asking, 1)
        self.add_buttons(self.save, self.again, 1, self.leave, self.stop, self.start)
        self._watch()
        self._refresh()

    # -- what a dialog says ----------------------------------------------------------------------

    def _start(self) -> None:
        """Have the work begin, or `_say` what is missing."""
        raise NotImplementedError

    # -- the same for all ------------------------------------------------------------------------

    def _ask_again(self) -> None:
        self._pages.forget()
        self._refresh()

    def _refresh(self) -> None:
        job, page, is_busy = self._pages.job, self._pages.page, self._pages.is_busy
        self.bar.setVisible(is_busy)
        self.bar.setValue(round(100 * job.fraction) if job is not None else 0)
        self.said.setText(job.text if job is not None else "")
        self._say(self._pages.problem)
        for part in self._asked:
            part.setEnabled(not is_busy)
        self._replace(page)
        for part, is_shown in (
            (self.start, page is None),
            (self.stop, is_busy),
            (self.leave, not is_busy),
            (self.save, page is not None),
            (self.again, page is not None),
        ):
            part.setVisible(is_shown)

    def _replace(self, page: Any) -> None:
        """Show a page in place of the question, or of the page before; None: the question."""
        if page is self._page:
            return
        self._page = page
        self._asking.setVisible(page is None)
        if self.found is not None:
            self.body.removeWidget(self.found)
            self.found.deleteLater()
            self.found = None
        if page is not None:
            self._show(page)
