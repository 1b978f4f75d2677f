"""Steps of the history as rows of the study file: done, taken back, taken again.

All functions work inside a transaction that the writer has begun.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson

from pathoview.annotations.feature import Feature
from pathoview.core.translation import _
from pathoview.study.annotation_rows import to_rows
from pathoview.study.audit import add_audit
from pathoview.study.step import RecordChange, StudyStep

Versions = npt.NDArray[np.int64]
"""(n,) numbers of rows in the table of annotations."""


@dataclass(frozen=True, slots=True)
class _Live:
    """An annotation as it is now."""

    version: int
    number: int
    """Its place in the order of drawing: the number of its first version."""


def do_step(connection: sqlite3.Connection, step: StudyStep) -> None:
    """Write a new step and what it changed; steps of its slide that were taken back are gone."""
    connection.execute("DELETE FROM step WHERE slide = ? AND is_undone = 1", (step.slide_hash,))
    put_records(connection, step.records)  # classes first: annotations name them by number
    before = _live(connection, step.slide_hash, step.change.before)
    after = _add_versions(connection, step, before)
    _make_live(connection, step.slide_hash, step.change.before, step.change.after, after)
    packed = pack_versions(
        np.array([before[feature.id.bytes].version for feature in step.change.before], np.int64),
        after,
    )
    add_audit(connection, step.author, step.slide_hash, step.name)
    connection.execute(
        "INSERT INTO step VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)",
        (
            *(step.number, step.slide_hash, step.name, step.time, step.author, packed),
            *(pack_records(step.records), orjson.dumps(dict(step.command))),
        ),
    )


def undo_step(connection: sqlite3.Connection, number: int, author: str) -> None:
    """Take a step back."""
    _turn(connection, number, author, is_undone=True)


def redo_step(connection: sqlite3.Connection, number: int, author: str) -> None:
    """Take a step again."""
    _turn(connection, number, author, is_undone=False)


def _turn(connection: sqlite3.Connection, number: int, author: str, *, is_undone: bool) -> None:
    slide, name, versions, records = connection.execute(
        "SELECT slide, name, versions, records FROM step WHERE number = ?", (number,)
    ).fetchone()
    words = _("Taken back: {name}") if is_undone else _("Taken again: {name}")
    add_audit(connection, author, slide, words.format(name=name))
    before, after = unpack_versions(versions)
    going, coming = (after, before) if is_undone else (before, after)
    connection.executemany(
        "DELETE FROM live WHERE slide = ? AND id = (SELECT id FROM annotation WHERE version = ?)",
        ((slide, version) for version in going.tolist()),
    )
    connection.executemany(
        "INSERT INTO live SELECT slide, id, version FROM annotation WHERE version = ?",
        ((version,) for version in coming.tolist()),
    )
    changes = unpack_records(records)
    put_records(connection, [one.inverse for one in reversed(changes)] if is_undone else changes)
    connection.execute("UPDATE step SET is_undone = ? WHERE number = ?", (is_undone, number))


def _live(
    connection: sqlite3.Connection, slide_hash: str, features: Sequence[Feature]
) -> Mapping[bytes, _Live]:
    """Return, by id, the present versions of some annotations."""
    query = (
        "SELECT live.id, version, number FROM live JOIN annotation USING (version)"
        " WHERE live.slide = ?"
    )
    if len(features) > 1000:  # all at once is quicker than many one by one
        rows = connection.execute(query, (slide_hash,)).fetchall()
    else:
        one = f"{query} AND live.id = ?"
        rows = [
            row
            for feature in features
            for row in connection.execute(one, (slide_hash, feature.id.bytes))
        ]
    return {identifier: _Live(version, number) for identifier, version, number in rows}


def _add_versions(
    connection: sqlite3.Connection, step: StudyStep, before: Mapping[bytes, _Live]
) -> Versions:
    """Write a version for each feature that comes, and return their numbers."""
    features = step.change.after
    last = connection.execute("SELECT coalesce(max(version), 0) FROM annotation").fetchone()[0]
    numbers = {
        orjson.loads(json)["name"]: int(key)
        for json, key in connection.execute("SELECT json, key FROM record WHERE kind = 'class'")
    }
    versions: Versions = last + 1 + np.arange(len(features), dtype=np.int64)
    rows = zip(versions.tolist(), to_rows(features, numbers), strict=True)
    connection.executemany(
        "INSERT INTO annotation (version, slide, number, id, class, wkb, more)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                version,
                step.slide_hash,
                before[row[0]].number if row[0] in before else version,
                *row,
            )
            for version, row in rows
        ),
    )
    return versions


def _make_live(
    connection: sqlite3.Connection,
    slide_hash: str,
    before: Iterable[Feature],
    after: Iterable[Feature],
    versions: Versions,
) -> None:
    connection.executemany(
        "DELETE FROM live WHERE slide = ? AND id = ?",
        ((slide_hash, feature.id.bytes) for feature in before),
    )
    connection.executemany(
        "INSERT INTO live VALUES (?, ?, ?)",
        (
            (slide_hash, feature.id.bytes, version)
            for feature, version in zip(after, versions.tolist(), strict=True)
        ),
    )


def put_records(connection: sqlite3.Connection, changes: Iterable[RecordChange]) -> None:
    """Write records as they are after the changes."""
    for change in changes:
        if change.after is None:
            connection.execute(
                "DELETE FROM record WHERE kind = ? AND key = ?", (change.kind, change.key)
            )
        else:
            connection.execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?)",
                (change.kind, change.key, change.after),
            )


def pack_versions(before: Versions, after: Versions) -> bytes:
    """Return two lists of versions as bytes: the length of the first, then both; 64 bit, little."""
    return np.concatenate([[len(before)], before, after]).astype("<i8").tobytes()


def unpack_versions(data: bytes) -> tuple[Versions, Versions]:
    """Return the two lists that `pack_versions` was given."""
    numbers = np.frombuffer(data, "<i8").astype(np.int64)
    return numbers[1 : 1 + numbers[0]], numbers[1 + numbers[0] :]


def pack_records(changes: Iterable[RecordChange]) -> bytes:
    """Return changes of records as JSON."""
    return orjson.dumps(
        [[one.kind, one.key, _text(one.before), _text(one.after)] for one in changes]
    )


def unpack_records(data: bytes) -> tuple[RecordChange, ...]:
    """Return the changes that `pack_records` was given."""
    return tuple(
        RecordChange(kind, key, _bytes(before), _bytes(after))
        for kind, key, before, after in orjson.loads(data)
    )


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
