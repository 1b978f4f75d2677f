"""All objects of a slide as one table, whose columns are computed when they are asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np
import numpy.typing as npt

from pathoview.annotations.columns import Column, IdColumn, NumberColumn, Rows, TextColumn, joined
from pathoview.annotations.detection_field import (
    DetectionField,
    centroids_of,
    class_of,
    is_detected,
)
from pathoview.annotations.detection_rows import ID, TEXTS, DetectionRows
from pathoview.annotations.detections import Detections
from pathoview.annotations.feature import Feature
from pathoview.annotations.feature_rows import FeatureRows
from pathoview.annotations.measures import measure_names
from pathoview.annotations.origin import all_stood_for, stands_for
from pathoview.annotations.parents import Parents
from pathoview.annotations.scores import is_scored
from pathoview.annotations.shapes import Mpp
from pathoview.core.progress import Progress

PARENT, PARENT_ID = "Parent", "Parent id"


Part = FeatureRows | DetectionRows


@dataclass(frozen=True, slots=True)
class RunObjects:
    """What a run has found."""

    title: str
    owner: object
    tables: Sequence[Detections]
    features: Sequence[Feature] = ()


class Objects:
    """Annotations and what runs have found, one below the other.

    A detection that an annotation stands for is not listed: the annotation is, and is counted in
    its place, unless it says that there is none: a point does, and so does a class that means what
    is not looked for, but for classes of a stain's score and those the run tells apart itself.

    Immutable but for what it remembers; any thread may ask.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        runs: Sequence[RunObjects],
        mpp: Mpp | None,
        before: Objects | None = None,
        not_looked_for: Collection[str] = (),
    ) -> None:
        """``mpp``: µm per level-0 px (x, y); None: unknown, all is told in px.

        ``not_looked_for``: names of the classes that mean so.

        ``before``: objects as they were, of which all is kept that is still true. Detections are
        counted inside annotations for the last run only: two runs would count everything twice.
        """
        self.mpp = mpp
        self._columns: dict[str, Column] = {}
        if before is not None and before.mpp != mpp:
            before = None
        covered = all_stood_for(one.origin for one in features)
        tables = _detection_parts(runs, mpp, covered, before)
        corrections = [one for one in features if one.origin and is_detected(one)]
        none = {name for name in not_looked_for if not is_scored(name)}
        self._fields: dict[int, DetectionField] = _fields_of(
            *(runs, tables, corrections, none, mpp), {} if before is None else before._fields
        )
        self.field = next(reversed(self._fields.values()), None)
        parts: list[Part] = [self._kept(features, before)]
        for run in runs:
            if run.features:
                parts.append(self._kept(run.features, before, run))
            parts += [part for part in tables if part.owner is run.owner]
        self.parts = tuple(part for part in parts if len(part))
        self._parents_before = None if before is None else before._known_parents
        self._starts = np.cumsum([0, *(len(part) for part in self.parts)]).tolist()
        self.names = self._names()

    @property
    def _known_parents(self) -> Parents | None:
        """What was found of parents last, be it of objects before these."""
        found: Parents | None = self.__dict__.get("_found_parents", self._parents_before)
        return found

    def _kept(
        self, features: Sequence[Feature], before: Objects | None, run: RunObjects | None = None
    ) -> FeatureRows:
        owner = None if run is None else run.owner
        old = None if before is None else before._features_of(owner)
        title = "" if run is None else run.title
        return FeatureRows(features, self.mpp, run=title, owner=owner, field=self.field, before=old)

    def _features_of(self, owner: object) -> FeatureRows | None:
        parts = (part for part in self.parts if isinstance(part, FeatureRows))
        return next((part for part in parts if part.owner is owner), None)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def _names(self) -> tuple[str, ...]:
        """Return the names of all columns there are, in the order in which one reads them."""
        stored = (name for part in self.parts for name in part.stored)
        inside = () if self.field is None else self.field.names
        measured = (*measure_names(self.mpp), *stored, *inside)
        return tuple(dict.fromkeys((*TEXTS, PARENT, *measured, ID, PARENT_ID)))

    @staticmethod
    def is_text(name: str) -> bool:
        return name in (*TEXTS, PARENT, ID, PARENT_ID)

    def column(self, name: str) -> Column:
        """Return a column of all objects; KeyError when there is none of that name."""
        if name not in self._columns:
            if name not in self.names:
                raise KeyError(name)
            self._columns[name] = self._computed(name)
        return self._columns[name]

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words that occur in a column of words, sorted."""
        column = self.column(name)
        return column.words() if isinstance(column, TextColumn) else ()

    def _computed(self, name: str) -> Column:
        if not self.parts:
            return TextColumn.constant("", 0) if self.is_text(name) else NumberColumn(np.empty(0))
        if name == PARENT:
            words = [_word_of(one) for one in self._holders]
            return TextColumn(self._parents.astype(np.int32), (*words, ""))
        if name == PARENT_ID:
            ids = [*(one.id.bytes for one in self._holders), bytes(16)]
            return IdColumn(np.frombuffer(b"".join(ids), np.uint8).reshape(-1, 16)[self._parents])
        return joined([part.column(name) for part in self.parts])

    # -- rows ------------------------------------------------------------------------------------

    def part_of(self, row: int) -> tuple[Part, int]:
        """Return the part in which a row lies, and the row in that part."""
        number = bisect_right(self._starts, row) - 1
        return self.parts[number], row - self._starts[number]

    def features_in(self, rows: Rows) -> list[UUID]:
        """Return the ids of the annotations of the document among some rows, in that order."""
        part = self._features_of(None)
        features = () if part is None else part.features
        return [features[row].id for row in rows[rows < len(features)].tolist()]

    def row_of_feature(self, feature_id: UUID) -> int | None:
        """Return the row of an annotation of the document, which all others come after."""
        part = self._features_of(None)
        return None if part is None else part.row_of(feature_id)

    def row_of_detection(self, owner: object, index: int) -> int | None:
        """Return the row of a detection by its number among those of its owner."""
        for part, start in zip(self.parts, self._starts, strict=False):
            if isinstance(part, DetectionRows) and part.owner is owner:
                row = part.row_of(index)
                if row is not None:
                    return int(start) + row
        return None

    # -- what holds what -------------------------------------------------------------------------

    @cached_property
    def _holders(self) -> list[Feature]:
        """Everything that may hold others."""
        parts = (part for part in self.parts if isinstance(part, FeatureRows))
        return [one for part in parts for one in part.features if not is_detected(one)]

    @cached_property
    def _found_parents(self) -> Parents:
        return Parents(self._holders, self._fields, self._parents_before)

    @cached_property
    def _parents(self) -> npt.NDArray[np.intp]:
        """(n,) the number, among the holders, of the annotation that holds an object; -1: none."""
        known = self._found_parents
        found, n_before = [], 0
        for part in self.parts:
            if isinstance(part, DetectionRows):
                found.append(known.of_detections[id(part.owner)][part.indices])
                continue
            parents = np.empty(len(part), np.intp)
            is_single = part.is_detected
            parents[is_single] = known.of_points(centroids_of(part.geometries[is_single].tolist()))
            n_after = n_before + int((~is_single).sum())
            parents[~is_single] = known.of_holders[n_before:n_after]
            n_before = n_after
            found.append(parents)
        return np.concatenate(found)


def columns_of(
    objects: Objects, names: Iterable[str], progress: Progress, until: float = 1.0
) -> dict[str, Column]:
    """Return columns by their names, those there are; ``until``: how far that is of the whole."""
    wanted = [name for name in names if name in objects.names]
    columns = {}
    for number, name in enumerate(wanted):
        progress.check()
        progress.report(until * number / len(wanted), name)
        columns[name] = objects.column(name)
    return columns


def _detection_parts(
    runs: Sequence[RunObjects],
    mpp: Mpp | None,
    covered: npt.NDArray[np.uint8],
    before: Objects | None,
) -> list[DetectionRows]:
    """Return the tables of runs as parts; those that are there already are taken again.

    ``covered``: ids, (n, 16) bytes, of what is not listed.
    """
    old = (
        {}
        if before is None
        else {
            (id(part.table), part.run): part
            for part in before.parts
            if isinstance(part, DetectionRows)
        }
    )
    parts = []
    for run in runs:
        start = 0
        for table in run.tables:
            part = old.get((id(table), run.title))
            if part is None or part.start != start:
                part = DetectionRows(table, mpp, run=run.title, owner=run.owner, start=start)
            parts.append(part.without(table.rows_of(covered)))
            start += len(table)
    return parts


def _fields_of(
    runs: Sequence[RunObjects],
    tables: Sequence[DetectionRows],
    corrections: Sequence[Feature],
    none: Collection[str],
    mpp: Mpp | None,
    before: Mapping[int, DetectionField],
) -> dict[int, DetectionField]:
    """Return the detections of each run that has some as points, by the id of the run's owner.

    A correction is among those of all runs that have found what it stands for. ``none``: classes
    of corrections that say that there is no object, unless a run has objects of such a class.
    """
    fields = {}
    for run in runs:
        parts = [part for part in tables if part.owner is run.owner]
        features = [one for one in run.features if is_detected(one)]
        gone = {one.tobytes() for part in parts for one in part.table.ids[part.gone]}
        own = {one.name for part in parts for one in part.table.classes}
        said = [one for one in corrections if class_of(one) in own or class_of(one) not in none]
        features += [one for one in said if not gone.isdisjoint(stands_for(one.origin))]
        if parts or features:
            key = id(run.owner)
            old = before.get(key)
            is_same = old is not None and old.is_of(parts, features)
            fields[key] = old if old and is_same else DetectionField(parts, features, mpp, old)
    return fields


def _word_of(feature: Feature) -> str:
    return feature.name or class_of(feature) or feature.object_type
