"""Asks what a file holds and where on the slide it lies, when the file does not tell."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QWidget

from pathoview.core.affine import Affine
from pathoview.core.translation import _
from pathoview.layers.file_layer import FILE_KINDS, FileKind, Guess
from pathoview.layers.placement import stated_placement
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.text import size_text
from pathoview.ui.widgets import button, label, roomy, row

_WIDTH = 480
_LARGEST = 1e6
_KINDS: dict[FileKind, str] = {
    "slide": _("Second slide, to be laid on the first"),
    "heatmap": _("Heatmap: measured numbers, such as probabilities"),
    "class_map": _("Class map: each number is a class"),
    "labels": _("Labels: each number is one object, 0 is none"),
    "synthetic": _("Synthetic picture, made by a method"),
}


class OpenLayerDialog(Dialog):
    """Kind, scale and offset of a file; what was guessed is filled in."""

    def __init__(self, session: Session, guess: Guess, parent: QWidget | None = None) -> None:
        super().__init__(_("Open as layer"), parent)
        self._session = session
        self._guess = guess
        self.kind = QComboBox()
        self.kind.setAccessibleName(_("What the numbers mean"))
        for kind in FILE_KINDS:
            self.kind.addItem(_KINDS[kind], kind)
        self.kind.setCurrentIndex(FILE_KINDS.index(guess.kind))
        self.scale = _number(_("Scale"), _(" slide px a pixel"), 1 / 1024, 4)
        self.offset_x, self.offset_y = (
            _number(_("Offset to the right"), _(" px"), -_LARGEST, 1),
            _number(_("Offset downwards"), _(" px"), -_LARGEST, 1),
        )
        place = guess.placement or Affine()
        self.scale.setValue(place.scale)
        self.offset_x.setValue(place.x0)
        self.offset_y.setValue(place.y0)
        self._covers = label("", "muted")
        self._lay_out()
        for number in (self.scale, self.offset_x, self.offset_y):
            number.valueChanged.connect(self._refresh)
        self._refresh()

    def _lay_out(self) -> None:
        guess = self._guess
        self.body.addWidget(label(guess.path.name, "title"))
        self.body.addWidget(label(size_text(guess.width, guess.height), "muted"))
        if guess.problem:
            self.body.addWidget(label(guess.problem))
        form = QFormLayout()
        form.setSpacing(theme.GRID)
        form.addRow(_("Kind"), self.kind)
        form.addRow(_("Scale"), self.scale)
        form.addRow(_("Offset"), row(self.offset_x, self.offset_y))
        self.body.addLayout(form)
        self.body.addWidget(self._covers)
        self.body.addStretch(1)
        self.accept_button = button(_("Open"), self.accept, primary=True)
        self.accept_button.setDefault(True)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setMinimumWidth(_WIDTH)

    def _refresh(self) -> None:
        """Say which part of the slide would be covered."""
        slide = self._session.slide
        if slide is None:
            return
        scale, guess = self.scale.value(), self._guess
        covered = size_text(round(guess.width * scale), round(guess.height * scale))
        whole = size_text(slide.info.width, slide.info.height)
        text = _("Covers {covered} of the slide’s {whole}.")
        self._covers.setText(text.format(covered=covered, whole=whole))

    def accept(self) -> None:
        """Open the file as it was stated."""
        place = self._placement()
        self._session.layer_desk.open_as(self._guess.path, self.kind.currentData(), place)
        super().accept()

    def _placement(self) -> Affine:
        """Return the guess where it was left as it is: it may be finer than what is shown."""
        guess, boxes = self._guess.placement, (self.scale, self.offset_x, self.offset_y)
        scale, x, y = (box.value() for box in boxes)
        if guess is not None:
            guessed = zip((guess.scale, guess.x0, guess.y0), boxes, strict=True)
            if [round(value, box.decimals()) for value, box in guessed] == [scale, x, y]:
                return guess
        return stated_placement(scale, (x, y))


def _number(words: str, unit: str, lowest: float, decimals: int) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    roomy(box)
    box.setDecimals(decimals)
    box.setRange(lowest, _LARGEST)
    box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setSuffix(unit)
    box.setAccessibleName(words)
    box.setToolTip(words)
    return box
