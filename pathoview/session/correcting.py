"""Corrections of what a run has found.

Detections are never edited in place. A correction is an annotation like any other, with the place
it was copied from as its origin; the detections it stands for are covered in every run that has
them, as long as it is there. So undo, and opening the slide again, need nothing of their own.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass, Detections
from pathoview.annotations.feature import Feature, feature_at
from pathoview.annotations.origin import origin_of, stands_for
from pathoview.annotations.shapes import convex_hull, merge, split_by_line
from pathoview.core.translation import _, ngettext
from pathoview.session.selection import add_detection_at, choose_detections
from pathoview.study.model import LabelClass
from pathoview.study.records import now
from pathoview.study.step import RecordChange

if TYPE_CHECKING:
    from pathoview.session.runs import RunView
    from pathoview.session.session import Session

NO_NUCLEUS = _("No nucleus")
"""The class of points where a run has found something that is none."""
_NO_NUCLEUS_COLOR = (235, 80, 40)


class Corrections:
    """The corrections on the open slide. All methods are called on the session's thread.

    Each correction is one step of the history; what it does returns whether there was anything.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._desk = session.annotations
        self._counts: Counter[bytes] = Counter()
        self.covered: frozenset[bytes] = frozenset()
        """Ids, of 16 bytes, of all objects that annotations stand for."""
        self._desk.changed.connect(self._on_annotations_changed)
        self._desk.area_chosen.connect(self.choose_in)
        self._desk.added_at.connect(self._on_added_at)
        session.runs_changed.connect(self._cover)

    # -- what is covered -------------------------------------------------------------------------

    def _on_annotations_changed(self, change: Change | None) -> None:
        before = self._counts
        if change is None:
            self._counts = Counter(_ids_of(self._desk.document or ()))
        elif any(one.origin for one in (*change.before, *change.after)):
            self._counts = before.copy()
            self._counts.subtract(_ids_of(change.before))
            self._counts.update(_ids_of(change.after))
        if self._counts is not before:
            self._counts = +self._counts
            self.covered = frozenset(self._counts)
            self._cover()

    def _cover(self) -> None:
        for run in self._session.runs:
            run.source.cover(self.covered)
        chosen = self._session.selection
        if chosen is not None and chosen.source.selected is None:
            self._session.clear_selection()

    # -- what is chosen --------------------------------------------------------------------------

    @property
    def n_chosen(self) -> int:
        """How many detections are chosen."""
        chosen = self._session.selection
        return 0 if chosen is None else len(chosen.source.chosen)

    def choose_in(self, area: BaseGeometry, add: bool = False) -> None:
        """Choose the detections whose middle lies in an area, of the foremost run that has some."""
        for run in reversed(self._session.runs):
            rows = run.source.rows_in(area) if run.detection_layer.visible else ()
            if rows:
                before = run.source.chosen if add else ()
                rest = (row for row in rows if row not in set(before))
                choose_detections(self._session, run.source, (*before, *rest))
                return
        if not add:
            self._session.clear_selection()

    def _on_added_at(self, x_l0: float, y_l0: float) -> None:
        add_detection_at(self._session, x_l0, y_l0)

    def choose_inside(self) -> None:
        """Choose the detections in the chosen annotations, which are chosen no more."""
        areas = [one.geometry for one in self._desk.selected]
        whole = shapely.union_all([one for one in areas if shapely.get_dimensions(one) == 2])
        self._desk.select(())
        if not whole.is_empty:
            self.choose_in(whole)

    def _chosen(self) -> tuple[RunView, Detections] | None:
        chosen = self._session.selection
        for run in self._session.runs:
            if chosen is not None and run.source is chosen.source and run.source.chosen:
                return run, run.source.rows(run.source.chosen)
        return None

    # -- corrections -----------------------------------------------------------------------------

    def accept(self, *, is_uncertain: bool = False) -> bool:
        """Copy the chosen detections into the annotations, as they are."""
        chosen = self._chosen()
        if chosen is None:
            return False
        copies = [replace(one, is_uncertain=is_uncertain) for one in self._copies(*chosen)]
        n = len(copies)
        name = ngettext("Accept {n} nucleus", "Accept {n} nuclei", n)
        if is_uncertain:
            name = ngettext("Mark {n} nucleus as uncertain", "Mark {n} nuclei as uncertain", n)
        return self._put(name.format(n=n), copies)

    def reclass(self, number: int) -> bool:
        """Copy the chosen detections in a class (0: none); chosen annotations get it too."""
        chosen = self._chosen()
        if chosen is None:
            return False
        said = self._session.classes.get(number) if number else None
        drawn = None if said is None else said.drawn
        copies = [replace(one, classification=drawn) for one in self._copies(*chosen)]
        others = [one for one in self._desk.selected if not one.is_locked]
        edited = [replace(one, classification=drawn, changed=now()) for one in others]
        name = _("Set class {name}").format(name=_("none") if said is None else said.name)
        return self._put(name, [*copies, *edited], others)

    def delete(self) -> bool:
        """Say of the chosen detections that they are no nuclei; chosen annotations go too."""
        chosen = self._chosen()
        if chosen is None:
            return False
        run, table = chosen
        points = [
            self._new(run, [table.uuid(row)], shapely.Point(*place))
            for row, place in enumerate(np.round(table.centroids_l0(), 2).tolist())
        ]
        kind, records = self._no_nucleus()
        points = [replace(one, classification=kind) for one in points]
        others = [one for one in self._desk.selected if not one.is_locked]
        n = len(points)
        name = ngettext("Delete {n} nucleus", "Delete {n} nuclei", n).format(n=n)
        is_done = self._put(name, points, others, records)
        if is_done:
            self._desk.select(())
        return is_done

    def merge(self) -> bool:
        """Make one annotation of the chosen detections, of the class of the largest."""
        chosen = self._chosen()
        if chosen is None or len(chosen[1]) < 2:
            return False
        run, table = chosen
        parts = self._copies(run, table)
        shape = merge(one.geometry for one in parts)
        if shape is not None and shape.geom_type == "MultiPolygon":
            shape = convex_hull(shape)  # pieces of one nucleus may lie apart
        if shape is None:
            return False
        largest = max(parts, key=lambda one: one.geometry.area)
        ids = [table.uuid(row) for row in range(len(table))]
        whole = self._new(run, ids, shape, classification=largest.classification)
        return self._put(_("Merge {n} nuclei").format(n=len(parts)), [whole])

    def split(self, line: BaseGeometry) -> bool:
        """Cut the chosen detections along a line, or all that it crosses if it crosses none."""
        for run in reversed(self._session.runs):
            if not run.detection_layer.visible:
                continue
            crossed = run.source.rows_in(line)
            chosen = set(crossed).intersection(run.source.chosen)
            table = run.source.rows(sorted(chosen) or crossed) if crossed else None
            pieces = [] if table is None else list(self._pieces(run, table, line))
            if pieces:
                n = len({one.origin for one in pieces})
                name = ngettext("Split {n} nucleus", "Split {n} nuclei", n).format(n=n)
                return self._put(name, pieces)
        return False

    def _pieces(self, run: RunView, table: Detections, line: BaseGeometry) -> Iterable[Feature]:
        for row, whole in enumerate(self._copies(run, table)):
            shapes = split_by_line(whole.geometry, line)
            for shape in shapes if len(shapes) > 1 else ():
                ids = [table.uuid(row)]
                yield self._new(run, ids, shape, classification=whole.classification)

    # -- how it is done --------------------------------------------------------------------------

    def point_at(
        self, run_id: str, object_id: uuid.UUID, place_l0: tuple[float, float], **members: Any
    ) -> bool:
        """Add a point that answers a question about a run; see `Feature` for ``members``."""
        point = self._feature(
            origin_of(run_id, [object_id]), shapely.Point(*np.round(place_l0, 2)), **members
        )
        return self._put(_("Label a place"), [point])

    def _copies(self, run: RunView, table: Detections) -> list[Feature]:
        found = (feature_at(table, row) for row in range(len(table)))
        return [
            self._new(
                *(run, [one.id], one.geometry),
                classification=one.classification,
                measurements=one.measurements,
            )
            for one in found
        ]

    def _new(
        self, run: RunView, ids: Sequence[uuid.UUID], shape: BaseGeometry, **members: Any
    ) -> Feature:
        return self._feature(origin_of(run.record.id, ids), shape, **members)

    def _feature(self, origin: str, shape: BaseGeometry, **members: Any) -> Feature:
        author = self._session.studies.author
        return Feature(shape, origin=origin, author=author, created=now(), **members)

    def _no_nucleus(self) -> tuple[DetectionClass, list[RecordChange]]:
        """Return the class of what is no nucleus, and what adds it where there is none yet."""
        classes = self._session.classes
        known = classes.named(NO_NUCLEUS)
        if known is not None:
            return known.drawn, []
        new = LabelClass(
            number=classes.next_number(),
            name=NO_NUCLEUS,
            color=_NO_NUCLEUS_COLOR,
            meaning="negative",
        )
        return new.drawn, [RecordChange.of(None, new)]

    def _put(
        self,
        name: str,
        features: Sequence[Feature],
        before: Sequence[Feature] = (),
        records: Sequence[RecordChange] = (),
    ) -> bool:
        """Add annotations as one step, with the classes that the palette lacks; choose them."""
        classes = self._session.classes
        own = [classes.adopted(one) for one in features]
        if not records:
            records = classes.missing(one.classification for one in own)
        if not self._session.studies.do(name, Change(tuple(before), tuple(own)), records):
            return False
        self._desk.select(one.id for one in own)
        return True


def _ids_of(features: Iterable[Feature]) -> Iterable[bytes]:
    for one in features:
        yield from stands_for(one.origin)
