"""The slides of the study that a model takes for most like the open one, none of its patient."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pathoview.methods.registry import METHODS
from pathoview.session import orders
from pathoview.session.asking import Answered, Asking
from pathoview.session.run_desk import RunDesk
from pathoview.session.runs import RunView
from pathoview.session.tile_review import TileReview

if TYPE_CHECKING:
    from pathoview.session.session import Session

Rgb = tuple[int, int, int]


class SimilarCase(Answered):
    """One of them; see `tasks.similar_cases`."""

    slide_hash: str
    pseudonym: str
    similarity: float
    state: str
    """Empty: nobody says."""


class StateCount(Answered):
    """How many of those that are listed are of a state."""

    name: str
    n: int
    color: Rgb | None
    """None: the model does not tell it."""


class CaseWords(Answered):
    """What there is to know, as sentences; see `tasks.case_words`."""

    first: str
    """Empty: all of those that are listed are among the first."""
    count: str
    notes: tuple[str, ...]
    precision: str

    @property
    def counts(self) -> str:
        """How many are of each state, of the first and of all, a line each."""
        return "\n".join(filter(None, (self.first, self.count)))


class CasesFound(Answered):
    """All of them, the most similar first."""

    slide_hash: str
    """Of the slide that they are like."""
    n_without: int
    """Slides of the study that were never described for the model."""
    states: tuple[StateCount, ...]
    words: CaseWords
    similar: tuple[SimilarCase, ...]

    @property
    def colors(self) -> dict[str, Rgb]:
        """Colours of states, of those that have one."""
        return {one.name: one.color for one in self.states if one.color is not None}


def searches_cases(run: RunView) -> bool:
    """Say whether the method of a run tells which cases are alike."""
    method = run.record.method
    return method in METHODS and METHODS.get(method).looks_at_whole


class SimilarCases(Asking[CasesFound]):
    """Looks for them in a worker, and opens one."""

    def __init__(self, session: Session, review: TileReview, runs: RunDesk) -> None:
        super().__init__(session, review, runs, CasesFound)
        self.methods = [spec.title for spec in METHODS if spec.looks_at_whole]
        """What those are called that tell which cases are alike."""
        self._submit = runs.submit
        self._study: Path | None = None
        """Among whose slides was searched."""
        session.studies.changed.connect(self._on_study_changed)

    @property
    def run(self) -> RunView | None:
        """The shown run whose model searches, the one looked at first; None: there is none."""
        runs = [one for one in (self._review.run, *self._review.runs) if one is not None]
        return next(filter(searches_cases, runs), None)

    @property
    def can_find(self) -> bool:
        return self.run is not None and self._session.studies.is_named and not self.is_busy

    def find(self, *, describe: bool = False) -> None:
        """Search among the slides of the study; `changed` follows.

        ``describe``: also those that were never described, which is a job that may take long.
        """
        run, slide, study = self.run, self._session.slide, self._session.studies.study
        if not self.can_find or run is None or slide is None or study is None:
            return
        order = orders.similar_cases(
            slide, study.path, run, describe=describe, names=not self._session.slides.is_blinded
        )
        self._study = study.path
        key = slide.content_hash
        self._send(order, partial(self._submit, slide_hash=key) if describe else None)

    def open(self, slide_hash: str) -> None:
        """Show a slide of the study, unless it is the open one."""
        slide = self._session.slide
        if slide is None or slide.content_hash != slide_hash:
            self._session.slides.open(slide_hash)

    def _on_study_changed(self) -> None:
        """Drop what was found among the slides of another study."""
        study = self._session.studies.study
        if self._study is not None and (study is None or study.path != self._study):
            self._study = None
            self.forget()
            self.changed.emit()
