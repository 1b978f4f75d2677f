"""Asks what to score against what, has it scored, and shows what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QWidget,
)

from pathoview.core.translation import _
from pathoview.session.evaluate_desk import Choice, EvaluateDesk, EvaluatedPage
from pathoview.session.session import Session
from pathoview.ui.dialogs.evaluate_result import EvaluateResult
from pathoview.ui.dialogs.leaks import PathRow
from pathoview.ui.dialogs.page import PageDialog
from pathoview.ui.widgets import roomy, shrinkable

_SIZE = (980, 680)
_DEFAULT_MPP = 0.25
_LABELS, _FOLDERS = "labels", "folders"


class EvaluateQuestion(QWidget):
    """What is scored: a model or method, perhaps against another, and by which truth."""

    def __init__(self, desk: EvaluateDesk) -> None:
        super().__init__()
        self._desk = desk
        self._choices: Sequence[Choice] = ()
        self.model, self.second = _box(_("Model or method")), _box(_("Compared with"))
        self.source, self.positive = _box(_("Scored against")), _box(_("Images show"))
        if desk.labels_source:
            title = _("Labels of this study") if "study" in desk.labels_source else _("My labels")
            self.source.addItem(title, _LABELS)
        self.source.addItem(_("Folders of images and labels"), _FOLDERS)
        self.images, self.labels = PathRow(_("Folder of images")), PathRow(_("Folder of labels"))
        self.mpp = QDoubleSpinBox()
        roomy(self.mpp)
        self.mpp.setAccessibleName(_("Scale of the images"))
        self.mpp.setDecimals(4)
        self.mpp.setRange(0.001, 1000.0)
        self.mpp.setSingleStep(0.05)
        self.mpp.setValue(_DEFAULT_MPP)
        self.mpp.setSuffix(" " + _("µm per px"))
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for box in (self.model, self.second, self.source):
            self._layout.addRow(box.accessibleName(), box)
        for one in (self.images, self.labels):
            self._layout.addRow(one.line.accessibleName(), one)
        for editor in (self.mpp, self.positive):
            self._layout.addRow(editor.accessibleName(), editor)
        self.positive.setToolTip(_("Which class label images without classes.json show."))
        self.model.currentIndexChanged.connect(lambda _place: self._on_model_changed())
        self.source.currentIndexChanged.connect(lambda _place: self._show_rows())
        self.refresh()

    def refresh(self) -> None:
        """Take the models that there are; what is chosen stays chosen."""
        if list(self._desk.choices) == list(self._choices):
            return
        chosen = self.choice
        self._choices = self._desk.choices
        self.model.blockSignals(True)
        self.model.clear()
        for one in self._choices:
            self.model.addItem(one.title)
        if chosen is not None and chosen in self._choices:
            self.model.setCurrentIndex(list(self._choices).index(chosen))
        self.model.blockSignals(False)
        self._on_model_changed()

    @property
    def choice(self) -> Choice | None:
        """What is scored."""
        place = self.model.currentIndex()
        return self._choices[place] if 0 <= place < len(self._choices) else None

    def _on_model_changed(self) -> None:
        choice = self.choice
        self.second.clear()
        self.second.addItem(_("Nothing"), "")
        self.positive.clear()
        if choice is not None:
            for one in self._choices:
                if one.kind is choice.kind and one is not choice:
                    self.second.addItem(one.title, one.name)
            self.positive.addItem(_("its only class"), "")
            for name in choice.classes:
                self.positive.addItem(name, name)
        self._show_rows()

    def _show_rows(self) -> None:
        is_folder = self.source.currentData() == _FOLDERS
        for part in (self.images, self.labels, self.mpp):
            self._layout.setRowVisible(part, is_folder)
        choice = self.choice
        is_map = choice is not None and choice.is_map
        self._layout.setRowVisible(self.positive, is_folder and is_map)

    def said(self) -> dict[str, Any]:
        """Return what the order says of it; empty: not enough was named."""
        common = {"against": self.second.currentData() or ""}
        if self.source.currentData() == _LABELS:
            return {**self._desk.labels_source, **common}
        if not (self.images.path and self.labels.path):
            return {}
        return {
            "images": self.images.path,
            "labels": self.labels.path,
            "mpp": self.mpp.value(),
            "positive": self.positive.currentData() or "",
            **common,
        }


class EvaluateDialog(PageDialog):
    """What is scored against what, then the scores."""

    found: EvaluateResult | None = None

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self._desk = session.evaluation
        target = session.study_files.suggested_folder / "evaluation.html"
        super().__init__(_("Evaluate"), self._desk, target, parent)
        self.question = EvaluateQuestion(self._desk)
        self.resize(*_SIZE)
        self._desk.look()
        text = _(
            "Compares what a model finds with what is known. Slides it has learned from are left "
            "out where there are others."
        )
        self.ask(text, self.question, start=_("Evaluate"), again=_("Evaluate again"))

    def _start(self) -> None:
        said, choice = self.question.said(), self.question.choice
        if said and choice is not None:
            self._desk.evaluate(choice, said)
        else:
            self._say(_("Name a folder of images and one of labels."))

    def _refresh(self) -> None:
        self.question.refresh()
        super()._refresh()

    def _shown(self, page: EvaluatedPage) -> EvaluateResult:
        return EvaluateResult(page, self._desk.fly)


def _box(name: str) -> QComboBox:
    box = shrinkable(QComboBox())
    box.setAccessibleName(name)
    return box
