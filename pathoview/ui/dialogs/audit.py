"""Who did what to the study, and when: lines to be searched."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.session.study_upkeep import AuditLine
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.text import count_text
from pathoview.ui.widgets import button, label

_SIZE = (760, 520)
_MOST_SHOWN = 5000
"""The newest; a search looks at all."""


class AuditDialog(Dialog):
    """The newest line first; slides are named as in the list."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Audit trail"), parent)
        self._session = session
        self._lines: list[AuditLine] = []
        self.search = QLineEdit()
        self.search.setPlaceholderText(_("Search"))
        self.search.setAccessibleName(_("Search the audit trail"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _text: self._refresh())
        self.list = QTreeWidget()
        self.list.setAccessibleName(_("Audit trail"))
        self.list.setHeaderLabels([_("Time (UTC)"), _("Who"), _("Slide"), _("What")])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.count = label(_("Reading…"), "muted")
        self.body.addWidget(self.search)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self.count)
        self.copy = button(_("Copy"), self._copy, "copy")
        self.add_buttons(self.copy)
        self.add_close()
        self.resize(*_SIZE)
        self._is_closed = False
        self.finished.connect(self._on_finished)
        session.study_files.upkeep.read_audit(self._on_read)

    def _on_finished(self, _result: int) -> None:
        self._is_closed = True

    def _on_read(self, lines: list[AuditLine]) -> None:
        if not self._is_closed:
            self._lines = lines[::-1]
            self._refresh()

    def _refresh(self) -> None:
        words = self.search.text().casefold().split()
        named = [
            (time[:19].replace("T", "  "), who, self._name(slide), text)
            for time, who, slide, text in self._lines
        ]
        found = [line for line in named if all(word in _joined(line) for word in words)]
        self.list.clear()
        self.list.addTopLevelItems([QTreeWidgetItem([*line]) for line in found[:_MOST_SHOWN]])
        n = len(found)
        self.count.setText(ngettext("{n} line", "{n} lines", n).format(n=count_text(n)))

    def _name(self, slide_hash: str) -> str:
        row = self._session.slides.row(slide_hash)
        return slide_hash[:8] if row is None else row.name

    def _copy(self) -> None:
        """Copy the chosen lines, or all that are shown, as a table."""
        every = map(self.list.topLevelItem, range(self.list.topLevelItemCount()))
        items = self.list.selectedItems() or [item for item in every if item is not None]
        lines = ("\t".join(item.text(column) for column in range(4)) for item in items)
        QGuiApplication.clipboard().setText("\n".join(lines))


def _joined(line: AuditLine) -> str:
    return " ".join(line).casefold()
