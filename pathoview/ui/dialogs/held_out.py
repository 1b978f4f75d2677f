"""The results of a cross-validation: scores, curves, the confusion matrix, and slides to open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from pathoview.core.translation import _, ngettext
from pathoview.session.held_out_desk import HeldOutDesk, HeldOutPage, HeldOutSlide
from pathoview.session.model_desk import LibraryModel
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.evaluate_result import confusion_table, score_table
from pathoview.ui.dialogs.told import ToldDialog
from pathoview.ui.panels.line_plot import LinePlot, NamedLine
from pathoview.ui.widgets import ElidedLabel, button, column, label, row, scrolled

_SIZE = (1120, 760)
_SIDES_PX = (800, 280)


def show_results(session: Session, model: LibraryModel, window: QWidget | None) -> None:
    """Show the results of a model, in place of another one's."""
    for other in [] if window is None else window.findChildren(HeldOutDialog):
        other.close()
    HeldOutDialog(session, model, window).show()


class HeldOutDialog(ToldDialog):
    """Has the results of a model told, and shows them."""

    found: HeldOutResult | None

    def __init__(self, session: Session, model: LibraryModel, parent: QWidget | None) -> None:
        self._desk = session.models.results
        target = session.study_files.suggested_folder / "cross-validation.html"
        super().__init__(_("Results on slides held out"), self._desk, target, parent)
        self.resize(*_SIZE)
        self.tell(partial(self._desk.tell, model))

    def _shown(self, page: HeldOutPage) -> HeldOutResult:
        return HeldOutResult(page, self._desk)


class HeldOutResult(QWidget):
    """Scores, curves and matrix on the left; slides on the right, those of a cell or the wrong."""

    def __init__(self, page: HeldOutPage, desk: HeldOutDesk) -> None:
        super().__init__()
        self.page = page
        self._desk = desk
        self._slides: Sequence[HeldOutSlide] = ()
        self.scores = score_table(page.scores)
        self.plots = [_roc(page), _pr(page), _calibration(page)]
        self.matrix = confusion_table(page.confusion)
        self.matrix.cellClicked.connect(self.show_cell)
        self.matrix.cellActivated.connect(self.show_cell)
        self.matrix.verticalHeader().sectionClicked.connect(self.show_row)
        self.heading = ElidedLabel("", "heading")
        self.wrong = button(_("Wrong ones"), self.show_wrong)
        self.list = QListWidget()
        self.list.setAccessibleName(_("Slides"))
        self.setFocusProxy(self.list)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_chosen)
        self.list.itemActivated.connect(self._on_chosen)
        self._lay_out()
        self.show_wrong()

    def _lay_out(self) -> None:
        page = self.page
        head = row()
        head.addWidget(self.heading, 1)
        head.addWidget(self.wrong)
        hint = label(_("Click a slide, or press Enter on it, to open it."), "muted")
        beside = QSplitter()
        beside.addWidget(self._left())
        beside.addWidget(column(head, self.list, hint))
        beside.setHandleWidth(2 * theme.GRID)
        beside.setSizes(list(_SIDES_PX))
        beside.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(label(page.title, "title"))
        layout.addWidget(label(_numbers(page), "muted"))
        for text in page.notes:
            layout.addWidget(label(text, "warning"))
        layout.addWidget(label(page.meaning))
        layout.addWidget(beside, 1)
        layout.addWidget(label(page.research_use, "muted"))

    def _left(self) -> QWidget:
        plots = row(spacing=2 * theme.GRID)
        for one in self.plots:
            plots.addWidget(one, 1)
        text = _(
            "Rows: the label. Columns: what was said. Click a cell or a row to see its slides."
        )
        return scrolled(
            column(
                plots,
                label(_("What was taken for what"), "heading"),
                self.matrix,
                label(text, "muted"),
                label(self.page.scores.title, "heading"),
                self.scores,
                1,
            )
        )

    def show_wrong(self) -> None:
        """List the slides that were taken for something else."""
        self.wrong.setVisible(False)
        self._show(_("Taken for something else"), self.page.wrong())

    def show_cell(self, line: int, column_number: int) -> None:
        """List what is behind a cell of the matrix, the most certain first."""
        said = self.page.confusion
        self.wrong.setVisible(True)
        heading = f"{said.rows[line]} → {said.columns[column_number]}"
        self._show(heading, self.page.of_cell(line, column_number))

    def show_row(self, line: int) -> None:
        """List all slides of a label."""
        self.wrong.setVisible(True)
        found = [one for one in self.page.slides if line in one.classes]
        self._show(self.page.confusion.rows[line], found)

    def _show(self, heading: str, slides: Sequence[HeldOutSlide]) -> None:
        n = ngettext("{n} slide", "{n} slides", len(slides)).format(n=len(slides))
        self.heading.set_text(f"{heading} · {n}")
        self._slides = slides
        self.list.clear()
        for one in slides:
            self.list.addItem(QListWidgetItem(self._words(one)))
        self.list.setCurrentRow(0)

    def _words(self, one: HeldOutSlide) -> str:
        said = _("{label} → {said}, {share:.1%}, fold {fold}").format(
            label=one.label, said=one.said, share=one.probability, fold=one.fold
        )
        return f"{self._desk.name_of(one)}\n{said}"

    def _on_chosen(self, item: QListWidgetItem) -> None:
        self._desk.open(self._slides[self.list.row(item)])


def _numbers(page: HeldOutPage) -> str:
    return " · ".join(
        [
            ngettext("{n} slide", "{n} slides", page.n).format(n=page.n),
            ngettext("{n} patient", "{n} patients", page.n_patients).format(n=page.n_patients),
            ngettext("{n} fold", "{n} folds", page.n_folds).format(n=page.n_folds),
            _("predicted out of fold"),
        ]
    )


def _roc(page: HeldOutPage) -> LinePlot:
    lines = []
    for one in page.roc:
        name = one.name if one.auroc is None else f"{one.name}, {one.auroc:.3f}"
        if one.interval is not None:
            name += " ({:.3f} – {:.3f})".format(*one.interval)
        lines.append(NamedLine(name, one.false_positive_rate, one.true_positive_rate))
    axes = _("1 - specificity"), _("Sensitivity")
    return LinePlot(_("ROC: AUROC, 95 % interval"), axes, lines, has_diagonal=True)


def _pr(page: HeldOutPage) -> LinePlot:
    lines = [
        NamedLine(f"{one.name}, {one.average_precision:.3f}", one.recall, one.precision)
        for one in page.pr
    ]
    return LinePlot(_("Precision and recall: AUPRC"), (_("Recall"), _("Precision")), lines)


def _calibration(page: HeldOutPage) -> LinePlot:
    said = page.reliability
    pairs = zip(said.confidence, said.accuracy, strict=True)
    known = [(x, y) for x, y in pairs if x is not None and y is not None]
    name = _("calibration error {error:.3f}").format(error=said.expected_calibration_error or 0.0)
    line = NamedLine(name, [x for x, _y in known], [y for _x, y in known], has_marks=True)
    axes = _("Certainty"), _("Share that is right")
    return LinePlot(_("Calibration"), axes, [line], has_diagonal=True)
