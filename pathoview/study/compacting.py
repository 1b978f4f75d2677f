"""Making a study smaller: old history is dropped, after it was said what that is.

What is drawn now, and every step that stays, are as they were.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _, ngettext
from pathoview.study.audit import add_audit
from pathoview.study.backups import back_up
from pathoview.study.database import transaction
from pathoview.study.step_rows import unpack_versions
from pathoview.study.upkeep import having_alone, reading, shrink

_ROW_BYTES = 40
"""What a row costs beside its shape and what else it says."""


@dataclass(frozen=True, slots=True)
class CompactPlan:
    """What is dropped."""

    before: str
    """ISO date; older steps go."""
    steps: tuple[int, ...]
    """Numbers of steps that can no longer be taken back, nor again."""
    versions: tuple[int, ...]
    """Of annotations: those that are not drawn now, and that no remaining step brings back."""
    n_steps_kept: int
    n_bytes: int
    """About how much smaller the file becomes."""

    @property
    def text(self) -> str:
        """What is dropped, as a sentence."""
        steps = ngettext(
            "{n} step of the history from before {date}",
            "{n} steps of the history from before {date}",
            len(self.steps),
        ).format(n=len(self.steps), date=self.before)
        versions = ngettext(
            "{n} earlier version of an annotation",
            "{n} earlier versions of annotations",
            len(self.versions),
        ).format(n=len(self.versions))
        return _("{steps} and {versions}").format(steps=steps, versions=versions)


@dataclass(frozen=True, slots=True)
class _Step:
    number: int
    is_old: bool
    is_undone: bool


def plan_compact(path: Path, before: str) -> CompactPlan:
    """Return what compacting would drop, while the study may be open; raises `StorageError`.

    ``before`` is an ISO date (UTC): of each slide, the steps up to the first newer one go.
    """
    with reading(path) as connection:
        return _plan(connection, before)


def compact(path: Path, before: str, author: str = "") -> CompactPlan:
    """Drop what `plan_compact` says, after a backup, and return what that was.

    Raises `StorageError`, also when somebody has the study open; nothing is dropped then.
    """
    with having_alone(path) as connection:
        back_up(path, "compact")
        with transaction(connection):
            plan = _plan(connection, before)
            connection.executemany("DELETE FROM step WHERE number = ?", _singly(plan.steps))
            connection.executemany(
                "DELETE FROM annotation WHERE version = ?", _singly(plan.versions)
            )
            add_audit(connection, author, "", _("Compacted: {what}").format(what=plan.text))
        shrink(connection)
    return plan


def _plan(connection: sqlite3.Connection, before: str) -> CompactPlan:
    by_slide: dict[str, list[_Step]] = {}
    for slide, number, time, is_undone in connection.execute(
        "SELECT slide, number, time, is_undone FROM step ORDER BY number"
    ):
        is_old = bool(time) and time < before
        by_slide.setdefault(slide, []).append(_Step(number, is_old, bool(is_undone)))
    dropped = tuple(sorted(number for steps in by_slide.values() for number in _old(steps)))
    versions = _unnamed_versions(connection, frozenset(dropped))
    n_steps = sum(map(len, by_slide.values()))
    n_bytes = _n_bytes(connection, dropped, versions)
    return CompactPlan(before, dropped, versions, n_steps - len(dropped), n_bytes)


def _old(steps: list[_Step]) -> list[int]:
    """Return the numbers of the steps of a slide, in their order, that may go."""
    first_kept = next((n for n, step in enumerate(steps) if not step.is_old), len(steps))
    if first_kept < len(steps):  # without those taken back first, the later ones cannot come again
        first_undone = next((n for n, step in enumerate(steps) if step.is_undone), len(steps))
        first_kept = min(first_kept, first_undone)
    return [step.number for step in steps[:first_kept]]


def _unnamed_versions(connection: sqlite3.Connection, dropped: frozenset[int]) -> tuple[int, ...]:
    named = [_column(connection, "SELECT version FROM live")]
    for number, versions in connection.execute("SELECT number, versions FROM step"):
        if number not in dropped:
            named += unpack_versions(versions)
    every = _column(connection, "SELECT version FROM annotation")
    return tuple(np.setdiff1d(every, np.concatenate(named)).tolist())


def _column(connection: sqlite3.Connection, query: str) -> npt.NDArray[np.int64]:
    return np.fromiter((row[0] for row in connection.execute(query)), np.int64)


def _n_bytes(connection: sqlite3.Connection, steps: Iterable[int], versions: Iterable[int]) -> int:
    gone_steps, gone_versions = set(steps), set(versions)
    n_step_bytes = sum(
        n + _ROW_BYTES
        for number, n in connection.execute(
            "SELECT number, length(versions) + length(records) + length(command) FROM step"
        )
        if number in gone_steps
    )
    n_version_bytes = sum(
        n + 2 * _ROW_BYTES  # the hash of the slide is in the row and in the index
        for version, n in connection.execute(
            "SELECT version, length(wkb) + coalesce(length(more), 0) FROM annotation"
        )
        if version in gone_versions
    )
    free, size = (
        connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        for pragma in ("freelist_count", "page_size")
    )
    return int(n_step_bytes + n_version_bytes + free * size)


def _singly(numbers: Iterable[int]) -> Iterable[tuple[int]]:
    return ((number,) for number in numbers)
