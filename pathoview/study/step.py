"""One thing a person did, as it is kept: what was before, what is after, and how to say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pathoview.annotations.change import NO_CHANGE, Change
from pathoview.annotations.feature import Feature
from pathoview.study.model import LabelClass, Record


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record before (None: there was none) and after (None: it is gone)."""

    kind: str
    key: str
    before: bytes | None
    after: bytes | None

    @classmethod
    def of(cls, before: Record | None, after: Record | None) -> RecordChange:
        """Return the change between two records of the same kind and key, not both None."""
        said = after or before
        assert said is not None
        old, new = (None if one is None else one.to_json() for one in (before, after))
        return cls(said.kind, said.key, old, new)

    @property
    def inverse(self) -> RecordChange:
        """What takes this change back.

        A class that came only leaves the palette: annotations of other slides may have it by now.
        """
        before = self.before
        if before is None and self.after is not None and self.kind == LabelClass.kind:
            update = {"is_listed": False, "shortcut": ""}
            before = LabelClass.from_json(self.after).model_copy(update=update).to_json()
        return RecordChange(self.kind, self.key, self.after, before)


@dataclass(frozen=True, slots=True)
class StudyStep:
    """A named step of the history of one slide (or of the study, when no slide was open)."""

    number: int
    """Counts all steps of a study."""
    slide_hash: str
    """Empty: no slide was open."""
    name: str
    time: str = ""
    author: str = ""
    change: Change = NO_CHANGE
    records: tuple[RecordChange, ...] = ()
    command: Mapping[str, Any] = field(default_factory=dict)
    """How to repeat it on another slide: ``verb`` and its arguments; empty: it cannot be."""
    is_undone: bool = False

    def mapped(self, to: Callable[[Feature], Feature]) -> StudyStep:
        """Return the step with every feature replaced, of the same ids."""
        before, after = (tuple(map(to, side)) for side in (self.change.before, self.change.after))
        return replace(self, change=Change(before, after))
