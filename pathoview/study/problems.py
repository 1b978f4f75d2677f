"""Whether a study is sound: whole, with nothing that refers to nothing or makes no sense."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import ValidationError

from pathoview.core.translation import _, ngettext
from pathoview.study.annotation_rows import COLUMNS, to_readable_features
from pathoview.study.model import Block, Case, Record, SlideRecord, StudyInfo, record_class
from pathoview.study.step_rows import unpack_records, unpack_versions

_ROWS_AT_ONCE = 5000
_MOST_LINES = 5
"""Of what SQLite says: it goes on for pages."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a study."""

    text: str
    advice: str

    def __str__(self) -> str:
        return f"{self.text} {self.advice}".strip()


def find_problems(connection: sqlite3.Connection, *, is_known: bool = True) -> list[Problem]:
    """Return what is wrong with a study, none: it is sound; nothing is altered.

    ``is_known``: it is of the format of today, so that what it says can be looked at.
    """
    found: list[Problem] = []
    for check, advice in _CHECKS if is_known else _CHECKS[:1]:
        try:
            found += [Problem(text, advice()) for text in check(connection)]
        except sqlite3.DatabaseError as error:
            text = _("A part of the file is damaged: {why}.").format(why=error)
            found.append(Problem(text, _rescue()))
    return list(dict.fromkeys(found))


def readable_record(kind: str, data: bytes) -> Record | None:
    """Return a record, or None when it is damaged; one of an unknown kind only has to be JSON."""
    known = record_class(kind)
    try:
        return Record(**orjson.loads(data)) if known is None else known.from_json(data)
    except (ValidationError, ValueError, TypeError):
        return None


def readable_versions(data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Return the versions before and after a step, or None when they are damaged."""
    try:
        return unpack_versions(data)
    except (ValueError, TypeError, IndexError):
        return None


def _storage(connection: sqlite3.Connection) -> Iterator[str]:
    lines = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    for line in lines[:_MOST_LINES]:
        yield _("The file is damaged: {what}.").format(what=str(line).replace("\n", "; "))


def _shapes(connection: sqlite3.Connection) -> Iterator[str]:
    n_loose = connection.execute(
        "SELECT count(*) FROM live LEFT JOIN annotation USING (version, slide, id)"
        " WHERE wkb IS NULL"
    ).fetchone()[0]
    if n_loose:
        yield ngettext(
            "{n} annotation has lost its shape.", "{n} annotations have lost their shape.", n_loose
        ).format(n=n_loose)
    n_damaged = 0
    rows = connection.execute(f"SELECT {COLUMNS} FROM annotation")
    while part := rows.fetchmany(_ROWS_AT_ONCE):
        n_damaged += sum(one is None for one in to_readable_features(part, {}))
    if n_damaged:
        yield ngettext(
            "{n} version of an annotation cannot be understood.",
            "{n} versions of annotations cannot be understood.",
            n_damaged,
        ).format(n=n_damaged)


def _history(connection: sqlite3.Connection) -> Iterator[str]:
    known = np.array([row[0] for row in connection.execute("SELECT version FROM annotation")], int)
    n_wrong = sum(
        not is_whole_step(known, versions, records)
        for versions, records in connection.execute("SELECT versions, records FROM step")
    )
    if n_wrong:
        yield ngettext(
            "{n} step of the history cannot be taken back: what it changed is gone.",
            "{n} steps of the history cannot be taken back: what they changed is gone.",
            n_wrong,
        ).format(n=n_wrong)


def is_whole_step(known: npt.NDArray[np.int64], versions: bytes, records: bytes) -> bool:
    """Say whether a step can be taken back, where these versions of annotations are known."""
    named = readable_versions(versions)
    if named is None or not np.isin(np.concatenate(named), known).all():
        return False
    try:
        unpack_records(records)
    except (ValueError, TypeError, AttributeError):
        return False
    return True


def _records(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute("SELECT kind, key, json FROM record").fetchall()
    damaged: dict[str, int] = {}
    for kind, _key, data in rows:
        if readable_record(kind, data) is None:
            damaged[kind] = damaged.get(kind, 0) + 1
    for kind, n in damaged.items():
        yield ngettext(
            "{n} record of the kind “{kind}” cannot be understood.",
            "{n} records of the kind “{kind}” cannot be understood.",
            n,
        ).format(n=n, kind=kind)
    if not any(kind == StudyInfo.kind for kind, _key, _data in rows):
        yield _("The study has lost its name and its id.")


def _references(connection: sqlite3.Connection) -> Iterator[str]:
    found: dict[str, dict[str, Record]] = {}
    for kind, key, data in connection.execute("SELECT kind, key, json FROM record"):
        if record := readable_record(kind, data):
            found.setdefault(kind, {})[key] = record
    cases, blocks = found.get(Case.kind, {}), found.get(Block.kind, {})
    for block in blocks.values():
        if isinstance(block, Block) and block.case_id not in cases:
            yield _("The case of block “{name}” is gone.").format(name=block.name)
    for slide in found.get(SlideRecord.kind, {}).values():
        if isinstance(slide, SlideRecord) and slide.block_id and slide.block_id not in blocks:
            yield _("The block of slide “{name}” is gone.").format(
                name=slide.pseudonym or slide.slide_hash[:8]
            )
    numbers = {int(key) for key in found.get("class", {}) if key.isdecimal()}
    used = connection.execute(
        "SELECT class, count(*) FROM live JOIN annotation USING (version)"
        " WHERE class IS NOT NULL GROUP BY class"
    )
    n_classless = sum(count for number, count in used if number not in numbers)
    if n_classless:
        yield ngettext(
            "{n} annotation has a class that is gone; it is shown without one.",
            "{n} annotations have a class that is gone; they are shown without one.",
            n_classless,
        ).format(n=n_classless)


def _rescue() -> str:
    return _("Restore a backup, or rescue what can be read into a new study.")


def _assign() -> str:
    return _("Nothing is lost; say again in the window where it belongs.")


_CHECKS: tuple[tuple[Callable[[sqlite3.Connection], Iterator[str]], Callable[[], str]], ...] = (
    (_storage, _rescue),
    (_shapes, _rescue),
    (_history, _rescue),
    (_records, _rescue),
    (_references, _assign),
)
