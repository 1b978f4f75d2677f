"""Evaluation: what can be scored, the job that does it, and its page, whose places can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Base64Bytes

from pathoview.core.geometry import Rect
from pathoview.methods.library import LibraryModel, library
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind, MethodSpec
from pathoview.session import orders
from pathoview.session.notices import from_error
from pathoview.session.object_table import look_at_object
from pathoview.session.page_desk import PageDesk, Shown
from pathoview.session.run_desk import RunDesk

if TYPE_CHECKING:
    from pathoview.session.session import Session


class EvaluatedPlace(Shown):
    """An object or area that was judged."""

    image: str
    x: float
    y: float
    width: float
    height: float
    kind: str
    amount: float
    unit: str
    cells: tuple[tuple[int, int], ...]
    png: Base64Bytes = b""
    """Empty: no picture was made."""

    @property
    def rect_l0(self) -> Rect:
        return Rect(self.x - self.width / 2, self.y - self.height / 2, self.width, self.height)


class EvaluatedTable(Shown):
    """Scores as they are shown."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Confusion(Shown):
    """What was taken for what: truth in rows, answers in columns."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]


class EvaluatedPage(Shown):
    """All that was found."""

    title: str
    n: int
    warnings: tuple[str, ...]
    tables: tuple[EvaluatedTable, ...]
    confusion: Confusion
    worst: tuple[EvaluatedPlace, ...]
    places: tuple[EvaluatedPlace, ...]
    """Those behind the cells of the matrix, the worst first."""
    paths: dict[str, str]
    """Where each image lies."""
    words: dict[str, str]
    """What kinds of places are called."""

    def of_cell(self, row: int, column: int) -> list[EvaluatedPlace]:
        """Return the places behind a cell of the matrix."""
        return [one for one in self.places if (row, column) in one.cells]


@dataclass(frozen=True, slots=True)
class Choice:
    """A method, or a model, that can be scored."""

    title: str
    kind: Kind
    said: Mapping[str, str]
    """``method`` or ``model``, as the order names it."""
    classes: tuple[str, ...] = ()

    @property
    def is_map(self) -> bool:
        """Whether it tells classes of pixels, if only pathology from everything else."""
        return self.kind in (Kind.PIXEL, Kind.SYNTHESIS)

    @property
    def name(self) -> str:
        """How it is named as the second one."""
        return next(iter(self.said.values()))


class EvaluateDesk(PageDesk[EvaluatedPage]):
    """Scores in a worker, and shows the places of the page on the canvas."""

    def __init__(self, session: Session, runs: RunDesk) -> None:
        super().__init__(session, runs, EvaluatedPage, "evaluation")
        self.choices: Sequence[Choice] = _choices([])
        """Models first, the newest first."""
        self._awaited: tuple[Path, Rect] | None = None
        """A place to look at when its image is open."""
        session.slide_changed.connect(self._on_slide_changed)

    def look(self) -> None:
        """Look which models there are; `changed` follows."""
        self._session.scheduler.submit(library, self._on_library)

    def _on_library(self, models: list[LibraryModel] | None, error: BaseException | None) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))
        self.choices = _choices(models or [])
        self.changed.emit()

    @property
    def labels_source(self) -> dict[str, Any]:
        """The labels that are at hand, as the order names them; empty: there are none.

        A study is scored against whole; without one, the open slide's private labels are.
        """
        session = self._session
        study = session.studies.study
        if session.studies.is_named and study is not None:
            return {"study": str(study.path)}
        if session.slide is None:
            return {}
        stated = orders.stated_scale(session.slide)
        return {"slides": [str(session.slide.path)], "mpp": stated}

    def evaluate(self, choice: Choice, said: Mapping[str, Any]) -> None:
        """Begin; ``said``: what is scored against, and what else the order may say."""
        numerics = self._session.settings.numerics
        payload = {**choice.said, "numerics": numerics, **said}
        order = partial(orders.evaluation, payload, choice.title)
        self.begin(order, reads_study="images" not in said)

    def fly(self, place: EvaluatedPlace) -> None:
        """Look at a place; its image is opened first if it is not the open one."""
        assert self.page is not None
        path = Path(self.page.paths[place.image])
        if self._session.path == path:
            look_at_object(self._session, place.rect_l0)
            return
        self._awaited = path, place.rect_l0
        self._session.open(path)

    def _on_slide_changed(self) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None and self._session.path == awaited[0]:
            look_at_object(self._session, awaited[1])


def _choices(models: Sequence[LibraryModel]) -> list[Choice]:
    own = sorted(models, key=lambda one: one.card.created, reverse=True)
    taught = [
        Choice(
            one.card.title,
            METHODS.get(one.card.method).kind,
            {"model": str(one.path)},
            tuple(each.name for each in one.card.classes),
        )
        for one in own
        if one.card.method in METHODS and _is_scored_here(METHODS.get(one.card.method))
    ]
    ready = [
        Choice(spec.title, spec.kind, {"method": spec.name})
        for spec in METHODS
        if not spec.needs_model and _is_scored_here(spec)
    ]
    return [*taught, *ready]


def _is_scored_here(spec: MethodSpec) -> bool:
    """Say whether what a method finds is compared with annotations; whole slides are not."""
    return spec.kind is not Kind.BAG
