"""Takes a table with one row a slide into the study; shows first what it would say."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHeaderView,
    QPlainTextEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from pathoview.core.errors import PathoViewError
from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.session.slide_editing import MEANINGS, MetadataPlan, SlideRecord, Table, read_table
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.panels.slide_words import change_words
from pathoview.ui.text import count_text
from pathoview.ui.widgets import button, column, label, scrolled

_SIZE = (780, 640)
_COLUMNS_PX = 180
_MOST_SHOWN = 500
_MEANING_WORDS = {
    "slide": _("names the slide"),
    "patient_id": _("patient"),
    "site_id": _("site"),
    "case": _("case"),
    "block": _("block"),
    "stain": _("stain"),
    "tags": _("tags"),
    "notes": _("notes"),
    "labels": _("labels of the slide"),
    "reviewed": _("reviewed: yes or no"),
    "metadata": _("metadata"),
    "ignored": _("is left out"),
}


class MetadataImportDialog(Dialog):
    """Columns with what they mean, rows with the slides they speak of."""

    def __init__(self, session: Session, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(_("Import metadata of slides"), parent)
        self._session = session
        self._plan: MetadataPlan | None = None
        self.boxes: dict[str, QComboBox] = {}
        self.said = label("")
        self.rows = QTreeWidget()
        self.rows.setAccessibleName(_("What the rows say"))
        self.rows.setHeaderLabels([_("Row"), _("Slide"), _("Becomes")])
        self.rows.setRootIsDecorated(False)
        self.rows.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.problems = QPlainTextEdit()
        self.problems.setReadOnly(True)
        self.problems.setFixedHeight(72)
        self.problems.setAccessibleName(_("What cannot be taken"))
        self.accept_button = button(_("Import"), self.accept, primary=True)
        self.accept_button.setDefault(True)
        self._table = self._read(path)
        self._lay_out(path)
        self._refresh()

    def _read(self, path: Path) -> Table | None:
        try:
            return read_table(path)
        except PathoViewError as error:
            self.said.setText(error.full_text)
            return None

    def _lay_out(self, path: Path) -> None:
        self.body.addWidget(label(path.name, "title"))
        if self._table is not None:
            form = QFormLayout()
            form.setSpacing(theme.GRID // 2)
            for name, meaning in self._table.meanings.items():
                form.addRow(name, self._box(name, meaning))
            columns = QWidget()
            columns.setLayout(form)
            area = scrolled(column(columns, 1))
            area.setMaximumHeight(_COLUMNS_PX)
            self.body.addWidget(label(_("What the columns mean"), "heading"))
            self.body.addWidget(area)
        self.body.addWidget(self.said)
        self.body.addWidget(self.rows, 1)
        self.body.addWidget(self.problems)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.resize(*_SIZE)

    def _box(self, name: str, meaning: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        for one in MEANINGS:
            box.addItem(_(_MEANING_WORDS[one]), one)
        box.setCurrentIndex(box.findData(meaning))
        box.currentIndexChanged.connect(lambda _index: self._refresh())
        self.boxes[name] = box
        return box

    def _refresh(self) -> None:
        """Say what would come of it."""
        if self._table is None:
            self.rows.hide()
            self.problems.hide()
            self.accept_button.setEnabled(False)
            return
        meanings = {name: box.currentData() for name, box in self.boxes.items()}
        plan = self._plan = self._session.slides.editing.plan_import(self._table, meanings)
        changed = [one for one in plan.matches if one.after != one.before]
        self.accept_button.setEnabled(bool(plan.changes))
        self.said.setText(_summary(plan, len(changed)))
        self.rows.clear()
        for one in changed[:_MOST_SHOWN]:
            name = self._name(one.before)
            becomes = "  ·  ".join(change_words(one))
            self.rows.addTopLevelItem(QTreeWidgetItem([one.said, name, becomes]))
        problems = [*plan.all_problems()]
        self.problems.setPlainText("\n".join(problems))
        self.problems.setVisible(bool(problems))

    def _name(self, record: SlideRecord) -> str:
        row = self._session.slides.row(record.slide_hash)
        return record.pseudonym if row is None else row.name

    def accept(self) -> None:
        """Take it over, as one step."""
        if self._plan is not None and self._session.slides.editing.import_metadata(self._plan):
            super().accept()


def _summary(plan: MetadataPlan, n_changed: int) -> str:
    n = len(plan.matches)
    found = ngettext("{n} slide is found", "{n} slides are found", n).format(n=count_text(n))
    text = _("{found}, {changed} of them change.").format(
        found=found, changed=count_text(n_changed)
    )
    n_lost = len(plan.unknown) + len(plan.doubtful)
    if n_lost:
        lost = ngettext("{n} row has no slide.", "{n} rows have no slide.", n_lost)
        text += " " + lost.format(n=count_text(n_lost))
    return text
