"""What is to be learned from labels of slides: which classes, by which method, on which tiles."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.session.slide_label_counts import MOST_FOLDS, SlideLabelSummary
from pathoview.session.slide_plan import SlidePlan
from pathoview.session.viewport import OBJECTIVE_MPP
from pathoview.ui import theme
from pathoview.ui.dialogs.leaks import PathRow
from pathoview.ui.dialogs.train_slides_more import TrainSlidesMore
from pathoview.ui.forms import ParamForm
from pathoview.ui.text import magnification_text
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import clear_layout, column, label, roomy, row, shrinkable

_SCALES = (0.1, 10.0)
_TILES = (16, 2048)


class TrainSlidesQuestion(QWidget):
    """Says what there is, what is missing, and makes a plan of what is chosen."""

    changed = Signal()
    """`plan`"""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._learning = session.models.learning
        self._left_out: set[tuple[str, str]] = set()
        """(grade, class): those that are not to be told apart."""
        self._folds_chosen = False
        self.target = _box(_("Told apart"))
        self._boxes = QVBoxLayout()
        self._boxes.setSpacing(theme.GRID // 2)
        self.classes: dict[str, QCheckBox] = {}
        self.looked_for = _box(_("Looked for"))
        self.looked_for.setToolTip(
            _("Sensitivity is how many of these are found; the threshold is set for them.")
        )
        self.words, self.rest = label("", "title"), label("", "muted")
        self.advice = label("", "muted")
        self.method, self._method_words = _box(_("Method")), label("", "muted")
        self.encoder, self.licence = _box(_("Encoder")), label("", "muted")
        self.weights = PathRow(_("File of weights"), is_table=True)
        self.mpp, self.tile, self.folds = QDoubleSpinBox(), QSpinBox(), QSpinBox()
        self._forms = {
            one.name: ParamForm(self._learning.form(one)) for one in self._learning.methods
        }
        self.more = TrainSlidesMore(self._learning, self._forms)
        self._fill()
        self._lay_out()
        self._connect()
        self.refresh()

    def _fill(self) -> None:
        for spec in self._learning.methods:
            self.method.addItem(spec.title, spec.name)
        for one in self._learning.encoders:
            self.encoder.addItem(f"{one.name} · {one.licence}", one.name)
        for name, form in self._forms.items():
            form.set_values(self._session.settings.teach_params.get(name, {}))
        for spin, name in (
            (self.mpp, _("Scale of the tiles")),
            (self.tile, _("Side of a tile")),
            (self.folds, _("Folds")),
        ):
            roomy(spin)
            ignore_wheel(spin)
            spin.setAccessibleName(name)
        self.mpp.setRange(*_SCALES)
        self.mpp.setSingleStep(0.25)
        self.tile.setRange(*_TILES)
        self.tile.setSuffix(" " + _("px"))
        self.folds.setRange(2, MOST_FOLDS)
        self.folds.setToolTip(
            _("Each part of the patients is held out once and predicted by what the others taught.")
        )
        self._take_tiles()
        self._restore()

    def _restore(self) -> None:
        """Take what was chosen last."""
        last = self._session.settings.slide_training
        for box, name in ((self.method, last.method), (self.encoder, last.encoder)):
            if box.findData(name) >= 0:
                box.setCurrentIndex(box.findData(name))
        if last.encoder == self.encoder.currentData():
            self._take_tiles()
            self.weights.line.setText(last.weights)
            self.mpp.setValue(last.mpp[0] if last.mpp else self.mpp.value())
            if last.tile_px and self.tile.isEnabled():
                self.tile.setValue(last.tile_px)
        self.more.restore(last.mpp, last.more)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(theme.GRID)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for editor in (self.method, self.encoder, self.weights, self.mpp, self.tile, self.folds):
            name = editor.line if isinstance(editor, PathRow) else editor
            form.addRow(name.accessibleName(), editor)
            if editor is self.method:
                form.addRow("", self._method_words)
            if editor is self.encoder:
                form.addRow("", self.licence)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, theme.GRID, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(label(_("Labels of slides"), "heading"))
        for part in (self.target, self.words, column(self._boxes)):
            layout.addWidget(part)
        self._positive = QWidget()
        self._positive.setLayout(row(label(_("Looked for")), self.looked_for, 1))
        for part in (self._positive, self.rest, self.advice):
            layout.addWidget(part)
        layout.addWidget(label(_("How it is learned"), "heading"))
        layout.addLayout(form)
        layout.addWidget(self.more)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.target.currentIndexChanged.connect(lambda _place: self.refresh())
        self.looked_for.currentIndexChanged.connect(lambda _place: self.changed.emit())
        self.method.currentIndexChanged.connect(lambda _place: self._show_method())
        self.encoder.currentIndexChanged.connect(lambda _place: self._take_tiles())
        self.weights.line.textChanged.connect(lambda _text: self._on_encoder())
        self.folds.valueChanged.connect(lambda _n: self._on_folds())
        self.more.changed.connect(self._on_more)
        self.mpp.valueChanged.connect(lambda _mpp: self._show_scale())
        self.tile.valueChanged.connect(lambda _px: self.changed.emit())

    # -- what is chosen --------------------------------------------------------------------------

    @property
    def grade(self) -> str:
        """What is graded; empty: classes are told apart."""
        return str(self.target.currentData() or "")

    @property
    def chosen(self) -> tuple[str, ...]:
        """The classes that are told apart, in their order; of two, the one looked for is last."""
        names = [name for name, box in self.classes.items() if box.isChecked()]
        if len(names) == 2 and not self.grade and self.looked_for.currentText() == names[0]:
            names.reverse()
        return tuple(names)

    @property
    def summary(self) -> SlideLabelSummary:
        return self._learning.summary(self.chosen, self.grade, self.method.currentData())

    @property
    def plan(self) -> SlidePlan:
        """How one wants to learn."""
        method = self.method.currentData()
        return SlidePlan(
            method,
            self.chosen,
            self.grade,
            self.encoder.currentData(),
            self.weights.line.text().strip(),
            self.more.scales(round(self.mpp.value(), 3)),
            self.tile.value(),
            self.folds.value(),
            self._forms[method].values(),
            self.more.more,
            self.more.start,
            self.more.anew.isChecked(),
        )

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what there is to learn from now; what was chosen stays chosen."""
        self._fill_targets()
        self._fill_classes(self._learning.classes(self.grade))
        self._show_method()
        self._show_scale()

    def _fill_targets(self) -> None:
        targets = [("", _("Classes")), *((one, one) for one in self._learning.grades)]
        shown = [self.target.itemData(place) for place in range(self.target.count())]
        if [grade for grade, _title in targets] != shown:
            chosen = self.target.currentData()
            self.target.blockSignals(True)
            self.target.clear()
            for grade, title in targets:
                self.target.addItem(
                    title if not grade else _("Grade: {name}").format(name=title), grade
                )
            self.target.setCurrentIndex(max(0, self.target.findData(chosen)))
            self.target.blockSignals(False)
        self.target.setVisible(len(targets) > 1)

    def _fill_classes(self, names: Sequence[str]) -> None:
        if list(self.classes) == list(names):
            return
        clear_layout(self._boxes)
        self.classes = {}
        for name in names:
            box = self.classes[name] = QCheckBox(name)
            box.setChecked((self.grade, name) not in self._left_out)
            box.toggled.connect(lambda _on: self._on_class())
            self._boxes.addWidget(box)

    def _fill_looked_for(self, found: SlideLabelSummary) -> None:
        """Offer the two classes of which one is looked for, the second unless one says another."""
        names = [name for name, box in self.classes.items() if box.isChecked()]
        shown = [self.looked_for.itemText(place) for place in range(self.looked_for.count())]
        if shown != names:
            self.looked_for.blockSignals(True)
            self.looked_for.clear()
            self.looked_for.addItems(names)
            self.looked_for.setCurrentIndex(len(names) - 1)
            self.looked_for.blockSignals(False)
        is_one = len(names) == 2 and not self.grade and not found.has_several
        self._positive.setVisible(is_one)

    def _on_class(self) -> None:
        for name, box in self.classes.items():
            (self._left_out.discard if box.isChecked() else self._left_out.add)((self.grade, name))
        self._count()

    def _count(self) -> None:
        """Say how many labels there are, what is left out, and what would help."""
        found = self.summary
        self._fill_looked_for(found)
        self.words.setText(found.words)
        self.words.setVisible(bool(found.words))
        for name, box in self.classes.items():
            n, n_patients = found.counts.get(name, 0), found.patients.get(name, 0)
            slides = ngettext("{n:,} slide", "{n:,} slides", n).format(n=n)
            patients = ngettext("{n:,} patient", "{n:,} patients", n_patients)
            text = f"{name}: {slides}, {patients.format(n=n_patients)}"
            box.setText(text if box.isChecked() else name)
        self.rest.setText("\n".join(found.rest))
        self.rest.setVisible(bool(found.rest))
        self.advice.setText("\n".join(found.advice))
        self.advice.setVisible(bool(found.advice))
        self.mpp.setEnabled(found.has_scale)
        why_not = _("Frames and whole pictures are looked at whatever their scale.")
        self.mpp.setToolTip("" if found.has_scale else why_not)
        self.folds.setMaximum(found.most_folds)
        if not self._folds_chosen:
            self.folds.blockSignals(True)
            self.folds.setValue(found.good_folds)
            self.folds.blockSignals(False)
        self._on_more()

    def _on_folds(self) -> None:
        self._folds_chosen = True
        self.changed.emit()

    def _show_method(self) -> None:
        chosen = self.method.currentData()
        for spec in self._learning.methods:
            if spec.name == chosen:
                self._method_words.setText(spec.summary)
                self.method.setToolTip(f"<p>{spec.reference}</p>")
        self.more.show_method(chosen)
        self._count()  # a method may take several labels of a slide

    def _show_scale(self) -> None:
        power = magnification_text(OBJECTIVE_MPP / self.mpp.value())
        self.mpp.setSuffix(" " + _("µm per px ({power})").format(power=power))
        self.more.show_scale(self.mpp.value())
        self.changed.emit()

    def _on_more(self) -> None:
        """Say of which sites slides are; folds are of patients only."""
        self.folds.setEnabled(self.more.more.hold_out == "patients")
        self.more.show_sites(self.summary.sites, len(self.chosen))
        self.changed.emit()

    def _take_tiles(self) -> None:
        """Take the tiles that the chosen encoder was made for."""
        one = self._learning.encoders[self.encoder.currentIndex()]
        self.mpp.setValue(one.mpp)
        self.tile.setValue(one.tile_px)
        self.tile.setEnabled(not one.only_tile_px)
        self._on_encoder()

    def _on_encoder(self) -> None:
        """Say whose the weights are, and under which licence."""
        one = self._learning.encoders[self.encoder.currentIndex()]
        licence = one.licence
        if self.weights.line.text().strip():
            licence = one.file_licence or _("that of your file")
        said = [_("{origin}. Licence: {licence}, which binds the model as well.")]
        if one.is_bundled:
            text = _("came with the program")
        elif one.hub == "":
            text = _("a file is needed")
        else:
            text = _("are fetched from the internet")
        self.weights.line.setPlaceholderText(text)
        if one.wants_gpu:
            said.append(_("Without a GPU it takes seconds for each tile."))
        self.licence.setText(" ".join(said).format(origin=one.origin, licence=licence))
        self.changed.emit()


def _box(name: str) -> QComboBox:
    box = shrinkable(QComboBox())
    box.setAccessibleName(name)
    ignore_wheel(box)
    return box
