"""A history of named steps that can be taken back and taken again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from psygnal import Signal


class Refused(Exception):
    """Raised by a step that cannot be taken now, after it has told the person why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the person did, as two functions that bring it about and take it back."""

    name: str
    do: Callable[[], None]
    undo: Callable[[], None]
    note: str = ""
    """Who did it and when; empty: just now."""


class History:
    """Steps in the order in which they were done; a new step forgets those taken back."""

    changed = Signal()

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def undo_name(self) -> str:
        """Name of the step that `undo` would take back; empty when there is none."""
        return self._done[-1].name if self._done else ""

    @property
    def redo_name(self) -> str:
        """Name of the step that `redo` would take again; empty when there is none."""
        return self._undone[-1].name if self._undone else ""

    @property
    def done(self) -> Sequence[Step]:
        """The steps that hold, oldest first."""
        return tuple(self._done)

    @property
    def undone(self) -> Sequence[Step]:
        """The steps that were taken back, the one to be taken again first first."""
        return tuple(reversed(self._undone))

    def load(self, done: Iterable[Step], undone: Iterable[Step]) -> None:
        """Put steps of earlier days before those of today; ``undone``: the next to redo first."""
        self._done[:0] = done
        if len(self._undone) == 0:
            self._undone = list(reversed(list(undone)))
        self.changed.emit()

    def do(self, step: Step) -> None:
        """Bring a step about and remember it; one that raises is not remembered."""
        step.do()
        self.remember(step)

    def remember(self, step: Step) -> None:
        """Remember a step that has come about already."""
        self._done.append(step)
        self._undone.clear()
        self.changed.emit()

    def undo(self) -> None:
        """Take back the last step, if there is one, and it does not refuse."""
        if self._done and _is_taken(self._done[-1].undo):
            self._undone.append(self._done.pop())
            self.changed.emit()

    def redo(self) -> None:
        """Take the last step again that was taken back, if there is one, and it does not refuse."""
        if self._undone and _is_taken(self._undone[-1].do):
            self._done.append(self._undone.pop())
            self.changed.emit()

    def clear(self) -> None:
        """Forget everything (another slide is opened)."""
        self._done.clear()
        self._undone.clear()
        self.changed.emit()


def _is_taken(way: Callable[[], None]) -> bool:
    try:
        way()
    except Refused:
        return False
    return True
