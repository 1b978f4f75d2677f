"""All that is said of a slide, or of several at once, to be altered in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.session.slide_desk import STAINS, SlideRow
from pathoview.session.slide_editing import SlideRecord, labelled, unlabelled
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.slide_labels import SlideLabelBox
from pathoview.ui.widgets import ElidedLabel, button, label

_WIDTH = 520
_NOTES_PX = 64
_TABLE_PX = 112
_TEXTS = (("patient_id", _("Patient")), ("site_id", _("Site")), ("tags", _("Tags")))


class SlideRecordDialog(Dialog):
    """Fields in which several slides differ are empty, and stay as they are unless written in."""

    def __init__(
        self, session: Session, hashes: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(_("Describe slide"), parent)
        self._session = session
        found = map(session.slides.row, hashes)
        self._rows: Sequence[SlideRow] = [row for row in found if row is not None]
        self._is_blinded = session.slides.is_blinded
        rows = self._rows
        self.case = _choice([case.name for case in session.slides.editing.cases])
        self.block = _choice(sorted({row.block for row in session.slides.rows} - {""}))
        self.stain = _choice(list(STAINS[1:]))
        self.texts = {name: QLineEdit() for name, _title in _TEXTS}
        self.notes = QPlainTextEdit()
        self.notes.setFixedHeight(_NOTES_PX)
        self.notes.setTabChangesFocus(True)
        self.reviewed = QCheckBox(_("Reviewed"))
        self.metadata = QTableWidget(0, 2)
        self.labels = SlideLabelBox(session, [row.record for row in rows])
        self._problem = label("", "warning")
        self._fill()
        self._before = self._said()
        self._lay_out()

    # -- filling in ------------------------------------------------------------------------------

    def _fill(self) -> None:
        rows = self._rows
        _show(_line_of(self.case), {row.case for row in rows})
        _show(_line_of(self.block), {row.block for row in rows})
        _show(_line_of(self.stain), {row.record.stain for row in rows})
        _show(self.texts["patient_id"], {row.record.patient_id for row in rows})
        _show(self.texts["site_id"], {row.record.site_id for row in rows})
        _show(self.texts["tags"], {", ".join(row.record.tags) for row in rows})
        notes = {row.record.notes for row in rows}
        self.notes.setPlainText(notes.pop() if len(notes) == 1 else "")
        self.notes.setPlaceholderText(_("various") if notes else "")
        states = {row.record.is_reviewed for row in rows}
        if len(states) > 1:
            self.reviewed.setTristate(True)
            self.reviewed.setCheckState(Qt.CheckState.PartiallyChecked)
        else:
            self.reviewed.setChecked(states == {True})
        self._fill_metadata()

    def _fill_metadata(self) -> None:
        self.metadata.setHorizontalHeaderLabels([_("Column"), _("Value")])
        self.metadata.verticalHeader().hide()
        self.metadata.setTabKeyNavigation(False)
        self.metadata.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.metadata.setFixedHeight(_TABLE_PX)
        self.metadata.setAccessibleName(_("Metadata"))
        said = self._rows[0].record.metadata if len(self._rows) == 1 else {}
        for pair in (*said.items(), ("", "")):
            self._add_line(*pair)
        self.metadata.itemChanged.connect(self._on_cell)

    def _add_line(self, name: str, value: str) -> None:
        place = self.metadata.rowCount()
        self.metadata.insertRow(place)
        for column, text in enumerate((name, value)):
            self.metadata.setItem(place, column, QTableWidgetItem(text))

    def _on_cell(self, item: QTableWidgetItem) -> None:
        """Have an empty line at the end."""
        if item.row() == self.metadata.rowCount() - 1 and item.text().strip():
            self._add_line("", "")

    def _lay_out(self) -> None:
        n = len(self._rows)
        title = self._rows[0].name if n == 1 else ngettext("{n} slide", "{n} slides", n).format(n=n)
        self.body.addWidget(ElidedLabel(title, "title"))
        form = QFormLayout()
        form.setSpacing(theme.GRID)
        entries: list[tuple[str, QWidget]] = [(_("Stain"), self.stain)]
        if self._is_blinded:
            text = _("The study is blinded: what tells of the patient is hidden.")
            self.body.addWidget(label(text, "muted"))
        else:
            entries[:0] = [(_("Case"), self.case), (_("Block"), self.block)]
            entries += [(title, self.texts[name]) for name, title in _TEXTS]
            entries += [(_("Notes"), self.notes)]
            entries += [(_("Metadata"), self.metadata)] if n == 1 else []
        for text, field in entries:
            field.setAccessibleName(text)
            form.addRow(text, field)
        self.texts["tags"].setToolTip(_("Separated by commas"))
        self.body.addLayout(form)
        self.body.addWidget(self.reviewed)
        self.body.addWidget(label(_("Labels of the whole slide"), "heading"))
        self.body.addWidget(self.labels)
        self.body.addStretch(1)
        self._problem.hide()
        self.body.addWidget(self._problem)
        self.accept_button = button(_("Done"), self.accept, primary=True)
        self.accept_button.setDefault(True)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setMinimumWidth(_WIDTH)

    # -- taking over -----------------------------------------------------------------------------

    def _said(self) -> dict[str, Any]:
        """Return what the fields say now."""
        tags = (tag.strip() for tag in self.texts["tags"].text().split(","))
        return {
            "case": self.case.currentText().strip(),
            "block": self.block.currentText().strip(),
            "stain": self.stain.currentText().strip(),
            "patient_id": self.texts["patient_id"].text().strip(),
            "site_id": self.texts["site_id"].text().strip(),
            "tags": tuple(dict.fromkeys(filter(None, tags))),
            "notes": self.notes.toPlainText(),
            "metadata": dict(self._pairs()),
            "is_reviewed": self.reviewed.checkState(),
        }

    def _pairs(self) -> Iterable[tuple[str, str]]:
        for place in range(self.metadata.rowCount()):
            cells = [self.metadata.item(place, column) for column in (0, 1)]
            name, value = ("" if cell is None else cell.text().strip() for cell in cells)
            if name:
                yield name, value

    def accept(self) -> None:
        """Take over what was altered, and nothing else."""
        self.labels.add_pending()
        if self.labels.problem:
            return
        after = self._said()
        changed = {name: value for name, value in after.items() if value != self._before[name]}
        place = changed.pop("case", None), changed.pop("block", None)
        if place[1] and not after["case"] and not all(row.case for row in self._rows):
            self._problem.setText(_("A block belongs to a case: name the case too."))
            self._problem.show()
            return
        if "is_reviewed" in changed:
            changed["is_reviewed"] = changed["is_reviewed"] == Qt.CheckState.Checked
        hashes = [row.slide_hash for row in self._rows]
        self._session.slides.editing.describe(
            hashes, _("Describe slide"), self._altering(changed), place
        )
        super().accept()

    def _altering(self, members: Mapping[str, Any]) -> Callable[[SlideRecord], SlideRecord]:
        added, removed = self.labels.added, self.labels.removed

        def to(record: SlideRecord) -> SlideRecord:
            altered = record.model_copy(update=dict(members))
            for one in removed:
                altered = unlabelled(altered, one)
            return labelled(altered, added) if added else altered

        return to


def _choice(names: Sequence[str]) -> QComboBox:
    """Return a field in which one of the names can be chosen, or another one written."""
    box = QComboBox()
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.addItems(["", *names])
    return box


def _line_of(box: QComboBox) -> QLineEdit:
    line = box.lineEdit()
    assert line is not None, "it is editable"
    return line


def _show(line: QLineEdit, texts: set[str]) -> None:
    """Show what all slides have in common."""
    line.setText(next(iter(texts)) if len(texts) == 1 else "")
    line.setPlaceholderText("" if len(texts) == 1 else _("various"))
