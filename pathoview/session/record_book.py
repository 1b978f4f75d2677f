"""What the open study says beside annotations: classes, cases, blocks, slides, runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

from psygnal import Signal

from pathoview.annotations.detections import DetectionClass
from pathoview.study.bookmarks import SlideBookmarks
from pathoview.study.model import (
    Block,
    Case,
    LabelClass,
    Record,
    RunEntry,
    SlideOrder,
    SlideRecord,
)
from pathoview.study.step import RecordChange
from pathoview.study.tile_verdicts import SlideVerdicts

KINDS: tuple[type[Record], ...] = (
    LabelClass,
    Case,
    Block,
    SlideRecord,
    SlideOrder,
    SlideBookmarks,
    SlideVerdicts,
    RunEntry,
)

R = TypeVar("R", bound=Record)


class RecordBook:
    """Records by kind and key, in memory."""

    changed = Signal(str)
    """(kind)"""

    def __init__(self) -> None:
        self._by_kind: dict[str, dict[str, Record]] = {kind.kind: {} for kind in KINDS}

    def all(self, kind: type[R]) -> list[R]:
        """Return all records of a kind, in no order."""
        return cast("list[R]", list(self._by_kind[kind.kind].values()))

    def get(self, kind: type[R], key: str) -> R | None:
        return cast("R | None", self._by_kind[kind.kind].get(key))

    @property
    def classes(self) -> Sequence[LabelClass]:
        """All classes, listed or not, by their numbers."""
        return sorted(self.all(LabelClass), key=lambda one: one.number)

    @property
    def drawn_classes(self) -> dict[int, DetectionClass]:
        """Name and colour of all classes, by their numbers."""
        return {one.number: one.drawn for one in self.all(LabelClass)}

    def everything(self) -> dict[type[Record], Sequence[Record]]:
        """Return all records there are now, for `load`."""
        return {kind: [*self._by_kind[kind.kind].values()] for kind in KINDS}

    def load(self, records: Mapping[type[Record], Sequence[Record]]) -> None:
        """Take all records of a study."""
        for kind, found in records.items():
            self._by_kind[kind.kind] = {one.key: one for one in found}
            self.changed.emit(kind.kind)

    def clear(self) -> None:
        """Forget everything: no study is open."""
        self.load(dict.fromkeys(KINDS, ()))

    def apply(self, changes: Iterable[RecordChange]) -> None:
        """Alter records as a step of the history does."""
        kinds = {kind.kind: kind for kind in KINDS}
        told = []
        for change in changes:
            here = self._by_kind[change.kind]
            if change.after is None:
                here.pop(change.key, None)
            else:
                here[change.key] = kinds[change.kind].from_json(change.after)
            told.append(change.kind)
        for kind in dict.fromkeys(told):
            self.changed.emit(kind)
