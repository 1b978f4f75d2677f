"""Erasing a case: no table, no step, no line of the audit and no byte of the file tells of it.

Copies and backups are files of their own: those that are known are named, for whoever erases to
delete them too.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pathoview.core.errors import InputError, StorageError
from pathoview.core.paths import data_folder
from pathoview.core.translation import _, ngettext
from pathoview.study.audit import add_audit
from pathoview.study.backups import SUFFIX, list_backups
from pathoview.study.copying import remove_study
from pathoview.study.database import transaction
from pathoview.study.model import Block, Case, RunEntry, SlideRecord
from pathoview.study.step import RecordChange
from pathoview.study.step_rows import pack_records, unpack_records
from pathoview.study.study_file import SUFFIX as STUDY_SUFFIX
from pathoview.study.upkeep import having_alone, reading, shrink

_SHORTEST_WORD = 3
"""Shorter texts of a slide would blank ordinary words; the case's names always go."""
_GONE = "…"


@dataclass(frozen=True, slots=True)
class ErasePlan:
    """What is erased with a case."""

    case_id: str
    blocks: frozenset[str]
    slides: frozenset[str]
    """Hashes; also of slides that have left the study, if they were of this case last."""
    words: frozenset[str]
    """Names, paths, pseudonyms and patients' ids, which no text may hold any more."""
    n_annotations: int
    n_steps: int
    files: tuple[Path, ...]
    """Results, private studies, bookmarks and what was seen of the slides: not deleted here."""
    backups: tuple[Path, ...]
    """Of this study: they hold the case still, and are not deleted here."""

    @property
    def text(self) -> str:
        """What is erased, without a name."""
        counts = (
            ngettext("{n} slide", "{n} slides", len(self.slides)).format(n=len(self.slides)),
            ngettext("{n} annotation", "{n} annotations", self.n_annotations).format(
                n=self.n_annotations
            ),
            ngettext("{n} step of the history", "{n} steps of the history", self.n_steps).format(
                n=self.n_steps
            ),
        )
        return ", ".join(counts)

    @property
    def ids(self) -> frozenset[str]:
        return self.blocks | self.slides | {self.case_id}


def plan_erase(path: Path, case: str) -> ErasePlan:
    """Return what erasing a case (its id or name) would remove, while the study may be open.

    Raises `InputError` when there is no such case, or several, and `StorageError`.
    """
    with reading(path) as connection:
        return _plan(connection, path, case)


def erase_case(path: Path, case: str, author: str = "") -> ErasePlan:
    """Erase a case (its id or name) and return what that was; no backup is made.

    Raises `InputError` when there is no such case, or several, and `StorageError`, also when
    somebody has the study open.
    """
    with having_alone(path) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        with transaction(connection):
            plan = _plan(connection, path, case)
            _erase_slides(connection, plan.slides)
            _erase_records(connection, plan.ids)
            scrub = _scrubber(plan.words)
            _scrub_steps(connection, plan.ids, scrub)
            _scrub_audit(connection, plan.slides, scrub)
            add_audit(connection, author, "", _("A case was erased"))
        shrink(connection)
    return plan


def delete_files(files: Iterable[Path]) -> None:
    """Delete files that tell of a case; raises `StorageError` at the first that stays."""
    for file in files:
        try:
            remove_study(file)
        except OSError as error:
            raise StorageError(
                _("“{name}” could not be deleted: {why}.").format(
                    name=file.name, why=error.strerror or type(error).__name__
                ),
                _("Delete it yourself: it tells of the case that was erased."),
            ) from error


# -- what belongs to the case --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """A record as it is, or as it once was."""

    kind: str
    key: str
    members: dict[str, Any]
    is_current: bool


def _plan(connection: sqlite3.Connection, path: Path, case: str) -> ErasePlan:
    said = [*_all_said(connection)]
    case_id = _case_id(said, case)
    blocks = _last_in(said, Block.kind, "case_id", {case_id})
    slides = _last_in(said, SlideRecord.kind, "block_id", blocks)
    marks = f"({', '.join('?' * len(slides))})"
    n_annotations, n_steps = (
        int(
            connection.execute(
                f"SELECT count(*) FROM {table} WHERE slide IN {marks}", [*slides]
            ).fetchone()[0]
        )
        for table in ("live", "step")
    )
    return ErasePlan(
        case_id,
        frozenset(blocks),
        frozenset(slides),
        frozenset(_words(said, {case_id}, blocks, slides)),
        n_annotations,
        n_steps,
        tuple(sorted({*_files(said, slides)})),
        tuple(one.path for one in list_backups(path)) + _backups_beside(path),
    )


def _backups_beside(path: Path) -> tuple[Path, ...]:
    """Return what migrations and restored backups have left beside a study."""
    beside = path.parent.glob(f"*{SUFFIX}")
    return tuple(sorted(one for one in beside if one.name.startswith(f"{path.stem}-")))


def _all_said(connection: sqlite3.Connection) -> Iterator[_Said]:
    """Yield all records as the history has them, oldest first, then as they are."""
    for row in connection.execute("SELECT records FROM step ORDER BY number"):
        for change in unpack_records(row[0]):
            for data in (change.before, change.after):
                if data is not None:
                    yield _Said(change.kind, change.key, orjson.loads(data), False)
    for kind, key, data in connection.execute("SELECT kind, key, json FROM record"):
        yield _Said(kind, key, orjson.loads(data), True)


def _case_id(said: Iterable[_Said], wanted: str) -> str:
    cases = [one for one in said if one.kind == Case.kind and one.is_current]
    found = [one.key for one in cases if wanted in (one.key, one.members.get("name"))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            _("There is no case “{name}”.").format(name=wanted),
            _("The study has: {names}.").format(
                names=", ".join(sorted(str(one.members.get("name")) for one in cases)) or "–"
            ),
        )
    raise InputError(
        _("There are {n} cases “{name}”.").format(n=len(found), name=wanted),
        _("Give the id of one: {ids}.").format(ids=", ".join(found)),
    )


def _last_in(said: Iterable[_Said], kind: str, member: str, owners: set[str]) -> set[str]:
    """Return the keys of records that belong to one of the owners, or did before they went."""
    last = {one.key: one for one in said if one.kind == kind}
    return {key for key, one in last.items() if one.members.get(member) in owners}


def _words(
    said: Iterable[_Said], cases: set[str], blocks: set[str], slides: set[str]
) -> Iterator[str]:
    """Yield all texts that name the case, its blocks or its slides, or ever did."""
    for one in said:
        if one.kind == Case.kind and one.key in cases:
            yield one.members["name"]
        texts: list[str] = []
        if one.kind == Block.kind and one.key in blocks:
            texts = [one.members["name"]]
        elif one.kind == SlideRecord.kind and one.key in slides:
            path = Path(one.members.get("path", ""))
            texts = [str(path), path.name, path.stem]
            texts += [one.members.get(member, "") for member in ("pseudonym", "patient_id")]
        yield from (text for text in texts if len(text) >= _SHORTEST_WORD)


def _files(said: Iterable[_Said], slides: set[str]) -> Iterator[Path]:
    for one in said:
        if one.kind == RunEntry.kind and one.members["slide_hash"] in slides:
            yield Path(one.members["path"])
    for slide in slides:
        for kept in (data_folder() / name for name in ("bookmarks", "coverage", "review")):
            yield from kept.glob(f"{slide}.*")
        yield from (data_folder() / "runs" / slide).glob("*.run")
        yield from (data_folder() / "features" / slide).glob("*.features")
        yield from (data_folder() / "studies").glob(f"{slide}{STUDY_SUFFIX}")


# -- taking it away ------------------------------------------------------------------------------


def _erase_slides(connection: sqlite3.Connection, slides: Iterable[str]) -> None:
    for slide in slides:
        for table in ("live", "annotation", "step"):
            connection.execute(f"DELETE FROM {table} WHERE slide = ?", (slide,))


def _erase_records(connection: sqlite3.Connection, ids: frozenset[str]) -> None:
    for kind, key, data in connection.execute("SELECT kind, key, json FROM record").fetchall():
        left = _left(RecordChange(kind, key, None, data), ids)
        if left is None:
            connection.execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, key))
        elif left.after != data:
            connection.execute(
                "UPDATE record SET json = ? WHERE kind = ? AND key = ?", (left.after, kind, key)
            )


def _left(change: RecordChange, ids: frozenset[str]) -> RecordChange | None:
    """Return what a change of a record says beside what is erased; None: nothing."""
    sides = [change.before, change.after]
    members = [{} if side is None else orjson.loads(side) for side in sides]
    owners = {one.get(name) for one in members for name in ("slide_hash", "case_id")}
    if change.key in ids or owners & ids:
        return None
    before, after = (
        side if side is None or (clean := _without(said, ids)) == said else orjson.dumps(clean)
        for side, said in zip(sides, members, strict=True)
    )
    return RecordChange(change.kind, change.key, before, after)


def _without(value: Any, ids: frozenset[str]) -> Any:
    """Return JSON with no mention of the ids: a slide that has moved on was in no block before."""
    if isinstance(value, dict):
        return {key: _without(one, ids) for key, one in value.items() if key not in ids}
    if isinstance(value, list):
        return [_without(one, ids) for one in value if not (isinstance(one, str) and one in ids)]
    return "" if isinstance(value, str) and value in ids else value


def _scrub_steps(
    connection: sqlite3.Connection, ids: frozenset[str], scrub: Callable[[str], str]
) -> None:
    """Clean steps that tell of other slides, or of none."""
    rows = connection.execute("SELECT number, name, records, command FROM step").fetchall()
    for number, name, records, command in rows:
        left = [one for one in (_left(one, ids) for one in unpack_records(records)) if one]
        told = orjson.dumps(_scrubbed(_without(orjson.loads(command), ids), scrub))
        new = scrub(name), pack_records(left), told
        if new != (name, records, command):
            connection.execute(
                "UPDATE step SET name = ?, records = ?, command = ? WHERE number = ?",
                (*new, number),
            )


def _scrubbed(value: Any, scrub: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _scrubbed(one, scrub) for key, one in value.items()}
    if isinstance(value, list):
        return [_scrubbed(one, scrub) for one in value]
    return scrub(value) if isinstance(value, str) else value


def _scrub_audit(
    connection: sqlite3.Connection, slides: frozenset[str], scrub: Callable[[str], str]
) -> None:
    """Leave of each line that something was done, and when; of what, only what may be told."""
    rows = connection.execute("SELECT number, slide, text FROM audit").fetchall()
    for number, slide, text in rows:
        new = ("", _GONE) if slide in slides else (slide, scrub(text))
        if new != (slide, text):
            connection.execute(
                "UPDATE audit SET slide = ?, text = ? WHERE number = ?", (*new, number)
            )


def _scrubber(words: Iterable[str]) -> Callable[[str], str]:
    """Return what takes the words out of a text, the longest first, where they stand alone."""
    known = sorted((re.escape(word) for word in words if word), key=len, reverse=True)
    if not known:
        return lambda text: text
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(known)})(?!\w)", re.IGNORECASE)
    return lambda text: pattern.sub(_GONE, text)
