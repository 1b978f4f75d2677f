"""A page that is told without a question: waited for, shown, and saved as a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QWidget

from pathoview.session.page_desk import PageDesk
from pathoview.ui.dialogs.report import ReportDialog


class ToldDialog(ReportDialog):
    """Begins to have the page told when it opens."""

    def __init__(
        self, title: str, desk: PageDesk[Any], target: Path, parent: QWidget | None
    ) -> None:
        """``target``: where the report goes if one says nothing else."""
        super().__init__(title, desk, target, parent)
        self.bar.setRange(0, 0)
        self.body.addWidget(self.problem)
        self.body.addWidget(self.bar)
        self.body.addStretch()  # while there is no page, the bar stays above and buttons below

    def tell(self, begin: Callable[[], None], *buttons: QWidget) -> None:
        """Have the desk begin, at the end of what makes the dialog; ``buttons`` are beside Save."""
        self.add_buttons(self.save, *buttons)
        self.add_close()
        self._watch()
        begin()
        self._refresh()

    def _refresh(self) -> None:
        page = self._pages.page
        self.bar.setVisible(self._pages.is_busy)
        self._say(self._pages.problem)
        self.save.setEnabled(page is not None)
        if page is not None and self.found is None:
            self._show(page)
