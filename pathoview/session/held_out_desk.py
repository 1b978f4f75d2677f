"""What a model of whole slides did on slides held out: asked for, and its slides opened."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.methods.library import LibraryModel
from pathoview.session import orders
from pathoview.session.evaluate_desk import Confusion, EvaluatedTable
from pathoview.session.notices import Notice
from pathoview.session.page_desk import PageDesk, Shown
from pathoview.session.run_desk import RunDesk

if TYPE_CHECKING:
    from pathoview.session.session import Session


class RocCurve(Shown):
    """One predictor's, or one class's."""

    name: str
    auroc: float | None
    interval: tuple[float, float] | None
    """95 %, over patients."""
    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]


class PrecisionRecallCurve(Shown):
    name: str
    average_precision: float
    recall: tuple[float, ...]
    precision: tuple[float, ...]


class Reliability(Shown):
    """How often what was said was right, by how certain it was; None: nothing was so certain."""

    n: tuple[int, ...]
    confidence: tuple[float | None, ...]
    accuracy: tuple[float | None, ...]
    expected_calibration_error: float | None


class HeldOutSlide(Shown):
    """A slide as it was predicted out of fold."""

    slide_hash: str
    name: str
    """Its pseudonym."""
    fold: int
    label: str
    """What it is, in words."""
    said: str
    probability: float
    """Of what was said."""
    classes: tuple[int, ...]
    """Rows of the confusion matrix: what it is."""
    cells: tuple[tuple[int, int], ...]
    """Row and column of the confusion matrix that it is in; with several labels one a label."""
    is_right: bool


class HeldOutPage(Shown):
    """All that is told."""

    title: str
    meaning: str
    research_use: str
    n: int
    n_patients: int
    n_folds: int
    notes: tuple[str, ...]
    scores: EvaluatedTable
    confusion: Confusion
    roc: tuple[RocCurve, ...]
    pr: tuple[PrecisionRecallCurve, ...]
    reliability: Reliability
    slides: tuple[HeldOutSlide, ...]

    def wrong(self) -> list[HeldOutSlide]:
        """Return the slides that were taken for something else, the most certain first."""
        found = [one for one in self.slides if not one.is_right]
        return sorted(found, key=lambda one: -one.probability)

    def of_cell(self, row: int, column: int) -> list[HeldOutSlide]:
        """Return the slides behind a cell of the matrix, the most certain first."""
        found = [one for one in self.slides if (row, column) in one.cells]
        return sorted(found, key=lambda one: -one.probability)


class HeldOutDesk(PageDesk[HeldOutPage]):
    """Has the results of one model told at a time."""

    def __init__(self, session: Session, runs: RunDesk) -> None:
        super().__init__(session, runs, HeldOutPage, "held-out")

    def tell(self, model: LibraryModel) -> None:
        """Begin; `changed` follows, and `page` or `problem` is there in the end."""
        order = partial(orders.held_out, model.path, model.card.title)
        self.begin(order, reads_study=False)

    def name_of(self, slide: HeldOutSlide) -> str:
        """Return what a slide may be called: as in the list, else its pseudonym."""
        row = self._session.slides.row(slide.slide_hash)
        return slide.name if row is None else row.name

    def open(self, slide: HeldOutSlide) -> None:
        """Show a slide of the open study; a notice tells when it is of another one."""
        if self._session.slides.row(slide.slide_hash) is None:
            text = _("“{name}” is not in the open study.").format(name=slide.name)
            self._session.notice.emit(Notice(text, "warning"))
        else:
            self._session.slides.open(slide.slide_hash)
