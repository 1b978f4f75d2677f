"""All objects of the open slide as a table: filtered, sorted, and linked with what is chosen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from psygnal import Signal

from pathoview.annotations.change import Change
from pathoview.annotations.columns import Column, Rows
from pathoview.annotations.detection_rows import CLASS, KIND, DetectionRows
from pathoview.annotations.feature import Feature
from pathoview.annotations.object_filter import ObjectFilter, Order, arranged
from pathoview.annotations.objects import Objects, RunObjects, columns_of
from pathoview.core.errors import Cancelled
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.layers.detection_source import DetectionSource
from pathoview.session.notices import from_error
from pathoview.session.runs import RunView
from pathoview.session.selection import choose_detection
from pathoview.study.labelled_slides import not_looked_for
from pathoview.study.model import LabelClass

if TYPE_CHECKING:
    from pathoview.session.session import Session

_logger = logging.getLogger(__name__)

DEFAULT_COLUMNS = (
    *("Kind", "Class", "Name", "Parent"),
    *("Area µm²", "Area px²", "Perimeter µm", "Perimeter px", "Circularity"),
    *("Centroid X µm", "Centroid Y µm", "Centroid X px", "Centroid Y px", "Detections inside"),
)
"""Columns that are shown, as far as there are any of these names."""
COLUMNS_SHARE = 0.8
"""How far one is with a table when its columns are there, and only writing is left."""
_AROUND = 4.0
"""How much of the slide is seen around an object that one flies to, in its own size."""


@dataclass(frozen=True)
class TableView:
    """What the table shows: some columns of some objects, in order."""

    objects: Objects
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: Rows
    """The rows of the objects that are shown, in order."""
    kinds: tuple[str, ...]
    classes: tuple[str, ...]
    """Those that occur; an empty one: unclassified."""

    @cached_property
    def _places(self) -> Rows:
        places = np.full(len(self.objects), -1, np.intp)
        places[self.rows] = np.arange(len(self.rows))
        return places

    def place_of(self, row: int | None) -> int | None:
        """Return the place in the table of a row of the objects; None: it is not shown."""
        if row is None:
            return None
        place = int(self._places[row])
        return None if place < 0 else place


@dataclass(frozen=True, slots=True)
class TableWish:
    """What is to be computed; made on the session's thread, and not changed later."""

    features: tuple[Feature, ...]
    runs: tuple[RunObjects, ...]
    mpp: tuple[float, float] | None
    columns: tuple[str, ...] | None
    """Names of those that are shown, as far as there are any; None: all."""
    filter: ObjectFilter
    order: Order
    not_looked_for: frozenset[str] = frozenset()
    """Names of the classes that mean so."""


class ObjectTable:
    """Follows the session while `is_live`. All methods are called on the session's thread.

    Columns, filter and order are computed in another thread; `view` stays as it was until then.
    """

    changed = Signal()
    """`view` or `is_busy`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.view = TableWork(TableWish((), (), None, (), ObjectFilter(), Order()), None)()
        self.filter = ObjectFilter()
        self.order = Order()
        self._is_live = False
        self._is_stale = True
        self._annotations: dict[UUID, Feature] = {}
        self._running: TableWork | None = None
        self._objects: Objects | None = None
        """What was computed last, be it not all."""
        session.annotations.changed.connect(self._on_annotations_changed)
        session.runs_changed.connect(self._renew)
        session.studies.records_changed.connect(self._on_records_changed)
        session.slide_changed.connect(self._renew)
        self._on_annotations_changed(None)

    @property
    def is_busy(self) -> bool:
        """Whether something else will be shown soon."""
        return self._running is not None

    @property
    def is_live(self) -> bool:
        return self._is_live

    @is_live.setter
    def is_live(self, is_live: bool) -> None:
        """Follow the session, or rest: a table that nobody sees costs nothing."""
        self._is_live = is_live
        if is_live and self._is_stale:
            self._renew()

    # -- what is shown ---------------------------------------------------------------------------

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns that are wanted, whether there are any of these names or not."""
        return tuple(self._session.settings.table_columns) or DEFAULT_COLUMNS

    def show_columns(self, names: Iterable[str]) -> None:
        """Show other columns, and remember them; none: those one begins with."""
        self._session.settings.table_columns = list(names)
        self._wish_again()

    def set_filter(self, wanted: ObjectFilter) -> None:
        if wanted != self.filter:
            self.filter = wanted
            self._wish_again()

    def sort(self, order: Order) -> None:
        if order != self.order:
            self.order = order
            self._wish_again()

    def _on_annotations_changed(self, change: Change | None) -> None:
        if change is None:
            document = self._session.annotations.document
            self._annotations = {} if document is None else {one.id: one for one in document}
        else:
            coming = {one.id for one in change.after}
            for feature in change.before:
                if feature.id not in coming:
                    del self._annotations[feature.id]
            self._annotations |= {one.id: one for one in change.after}
        self._renew()

    def _on_records_changed(self, kind: str) -> None:
        if kind == LabelClass.kind:
            self._renew()

    def _wish_again(self) -> None:
        """Compute what is wished for now; older wishes are given up."""
        if self._running is not None:
            self._running.control.cancel()
        self._renew()

    def _renew(self) -> None:
        """Compute anew, after what is being computed."""
        self._is_stale = True
        if self._is_live and self._running is None:
            self._is_stale = False
            self._running = TableWork(self.wish(self.filter), self._objects)
            self._session.scheduler.submit(self._running, self._on_computed)
            self.changed.emit()

    def wish(self, wanted: ObjectFilter, *, all_columns: bool = False) -> TableWish:
        """Return what is to be computed to show the objects as they are now."""
        slide = self._session.slide
        return TableWish(
            tuple(self._annotations.values()),
            run_objects(self._session.runs),
            None if slide is None else slide.info.mpp,
            None if all_columns else self.column_names,
            wanted,
            self.order,
            frozenset(not_looked_for(self._session.studies.records.classes)),
        )

    def _on_computed(self, view: TableView | None, error: BaseException | None) -> None:
        if self._running is not None:
            self._objects = self._running.objects or self._objects
        self._running = None
        if view is not None:
            self.view = view
        elif not isinstance(error, Cancelled) and error is not None:
            _logger.error("the table of objects failed", exc_info=error)
            self._session.notice.emit(from_error(error))
        if self._is_stale:
            self._renew()
        self.changed.emit()

    # -- what is chosen --------------------------------------------------------------------------

    def chosen(self) -> list[int]:
        """Return the places of what is chosen in the session, as far as it is shown."""
        objects, session = self.view.objects, self._session
        rows = [objects.row_of_feature(one) for one in session.annotations.selected_ids]
        if session.selection is not None:
            rows.append(objects.row_of_detection(session.selection.source, session.selection.index))
        places = (self.view.place_of(row) for row in rows)
        return sorted(place for place in places if place is not None)

    def choose(self, places: Rows, current: int | None) -> None:
        """Choose annotations by their places; of detections the current one only."""
        rows = self.view.rows[places]
        self._session.annotations.select(self.view.objects.features_in(rows))
        if current is not None:
            part, row = self.view.objects.part_of(int(self.view.rows[current]))
            if isinstance(part, DetectionRows) and current in places:
                assert isinstance(part.owner, DetectionSource)
                choose_detection(self._session, part.owner, part.index_of(row))
                return
        self._session.clear_selection()

    def fly(self, place: int) -> None:
        """Look at the object at a place, near enough to see it whole and what is around it."""
        part, row = self.view.objects.part_of(int(self.view.rows[place]))
        look_at_object(self._session, part.bounds_l0(row))


def look_at_object(session: Session, rect_l0: Rect) -> None:
    """Bring an object into the middle; the zoom stays where it does for seeing it."""
    viewport = session.viewport
    side = max(rect_l0.width, rect_l0.height, 1.0)
    room = min(viewport.size_view)
    fitting = room / (_AROUND * side)
    is_seen = fitting / 4 <= viewport.scale <= room / side
    viewport.look_at(*rect_l0.center, None if is_seen else min(fitting, 1.0))


def run_objects(runs: Sequence[RunView]) -> tuple[RunObjects, ...]:
    """Return what runs have found, each under a title of its own."""
    titles = [run.record.title for run in runs]
    return tuple(
        RunObjects(
            title if titles.count(title) == 1 else f"{title} {run.record.started}",
            run.source,
            run.source.tables,
            run.features.features,
        )
        for title, run in zip(titles, runs, strict=True)
    )


class TableWork:
    """Computes what is wished for; in another thread."""

    def __init__(
        self, wish: TableWish, before: Objects | None, progress: SilentProgress | None = None
    ) -> None:
        self._wish = wish
        self._before = before
        self._progress = progress or SilentProgress()
        self.control = self._progress.control
        self.objects: Objects | None = None

    def __call__(self) -> TableView:
        """Return what was wished for; raise `Cancelled` when it is given up."""
        wish = self._wish
        said = wish.features, wish.runs, wish.mpp, self._before, wish.not_looked_for
        objects = self.objects = Objects(*said)
        self._before = None
        names = objects.names if wish.columns is None else wish.columns
        columns = columns_of(objects, names, self._progress, COLUMNS_SHARE)
        self._progress.check()
        rows = arranged(objects, wish.filter, wish.order)
        words = map(objects.words, (KIND, CLASS))
        return TableView(objects, tuple(columns), tuple(columns.values()), rows, *words)
