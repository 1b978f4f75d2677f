"""The labels of whole slides: listed, taken away, given."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.session.session import Session
from pathoview.session.slide_editing import (
    LABEL_KINDS,
    SlideLabel,
    SlideRecord,
    parse_label,
)
from pathoview.ui import theme
from pathoview.ui.panels.slide_words import KIND_WORDS, label_words
from pathoview.ui.widgets import button, icon_button, label, roomy, row

_LIST_PX = 72
_LARGEST = 1e9


class SlideLabelBox(QWidget):
    """Alters nothing itself: `added` and `removed` are what is asked for."""

    def __init__(self, session: Session, records: Sequence[SlideRecord]) -> None:
        super().__init__()
        self._session = session
        self.added: list[SlideLabel] = []
        self.removed: list[SlideLabel] = []
        self._kept = [
            one for one in records[0].labels if all(one in record.labels for record in records)
        ]
        """Those that all slides have."""
        self.list = QListWidget()
        self.list.setFixedHeight(_LIST_PX)
        self.list.setAccessibleName(_("Labels of the whole slide"))
        self.remove = icon_button("trash", _("Take label away"), self._remove)
        self.kind = QComboBox()
        self.kind.setAccessibleName(_("Kind of label"))
        for kind in LABEL_KINDS:
            self.kind.addItem(_(KIND_WORDS[kind]), kind)
        self.name = QComboBox()
        self.name.setEditable(True)
        self.name.setAccessibleName(_("Name of the label"))
        self.name.addItems(["", *(one.name for one in session.annotations.classes)])
        self.value = QDoubleSpinBox()
        self.value.setRange(-_LARGEST, _LARGEST)
        self.value.setAccessibleName(_("Value"))
        roomy(self.value)
        self.event_came = QCheckBox(_("Event"))
        self.event_came.setToolTip(_("Off: censored, the event was not seen until then"))
        self.frames = QLineEdit()
        self.frames.setPlaceholderText(_("all frames"))
        self.frames.setAccessibleName(_("Frames"))
        self.frames.setToolTip(_("First and last frame in time, such as 0-9; empty: all"))
        self.frames.setFixedWidth(12 * theme.GRID)
        self.add = button(_("Add"), self.add_pending)
        self.problem = ""
        self._problem = label("", "warning")
        self._lay_out()
        self.kind.currentIndexChanged.connect(lambda _index: self._show_fields())
        self.list.currentRowChanged.connect(lambda place: self.remove.setEnabled(place >= 0))
        self._show_fields()
        self._show_labels()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        listed = row(self.list, self.remove, spacing=4)
        listed.setStretchFactor(self.list, 1)
        first = row(self.kind, self.name, self.add)
        first.setStretchFactor(self.name, 1)
        second = row(self.value, self.event_came, self.frames, 1)
        for part in (listed, first, second):
            layout.addLayout(part)
        layout.addWidget(self._problem)

    def _show_fields(self) -> None:
        kind = self.kind.currentData()
        self.value.setVisible(kind != "class")
        self.value.setDecimals(0 if kind == "grade" else 3)
        self.value.setMinimum(0 if kind in ("grade", "survival") else -_LARGEST)
        self.value.setSuffix(_(" months") if kind == "survival" else "")
        self.event_came.setVisible(kind == "survival")

    def _show_labels(self) -> None:
        self.list.clear()
        self.list.addItems([label_words(one) for one in (*self._kept, *self.added)])
        self.remove.setEnabled(False)
        self._problem.setText(self.problem)
        self._problem.setVisible(bool(self.problem))

    def add_pending(self) -> None:
        """Take the label that is written in the fields, if any."""
        self.problem = ""
        name = self.name.currentText().strip()
        if name:
            try:
                made = self._session.slides.editing.signed(parse_label(self._text(name)))
            except UsageError as error:
                self.problem = error.full_text
            else:
                self.added.append(made)
                self.name.setCurrentText("")
                self.frames.clear()
        self._show_labels()

    def _text(self, name: str) -> str:
        """Return the label as it is written in a line."""
        kind = self.kind.currentData()
        text = f"{kind}:{name}"
        if kind != "class":
            text += f"={self.value.value():.12g}"
        if kind == "survival":
            text += ",event" if self.event_came.isChecked() else ",censored"
        frames = self.frames.text().strip().replace(" ", "").replace("–", "-")
        return f"{text}@{frames}" if frames else text

    def _remove(self) -> None:
        place = self.list.currentRow()
        if place >= len(self._kept):
            del self.added[place - len(self._kept)]
        elif place >= 0:
            self.removed.append(self._kept.pop(place))
        self._show_labels()
