"""A study: one SQLite file with cases, slides, classes, labels, runs, bookmarks, history, audit.

What was done is kept as versions of annotations, which are never altered, and as steps, which name
the versions before and after. So a stroke costs one version, a deletion none, and the history is
kept for ever at no more than the price of what was drawn.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import orjson
from pydantic import ValidationError

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.errors import StorageError
from pathoview.core.translation import _
from pathoview.study.annotation_rows import COLUMNS, to_features
from pathoview.study.audit import add_audit
from pathoview.study.database import (
    closed_on_error,
    connect,
    read_stamp,
    sentences,
)
from pathoview.study.model import LabelClass, Record, StudyInfo
from pathoview.study.problems import Problem, find_problems
from pathoview.study.sqlite_file import SqliteFile, new_file
from pathoview.study.step import StudyStep
from pathoview.study.step_rows import unpack_records, unpack_versions

SUFFIX = ".pathoview"
APPLICATION = 0x50565331  # "PVS1"
VERSION = 1
_VERSIONS_AT_ONCE = 30_000
"""As many as a statement may have values, with room to spare."""
SCHEMA = (
    "CREATE TABLE record (kind TEXT, key TEXT, json BLOB NOT NULL, PRIMARY KEY (kind, key))"
    " WITHOUT ROWID",
    "CREATE TABLE annotation (version INTEGER PRIMARY KEY, slide TEXT NOT NULL,"
    " number INTEGER NOT NULL, id BLOB NOT NULL, class INTEGER, wkb BLOB NOT NULL, more BLOB)",
    "CREATE INDEX annotation_slide ON annotation (slide)",
    "CREATE TABLE live (slide TEXT, id BLOB, version INTEGER NOT NULL, PRIMARY KEY (slide, id))"
    " WITHOUT ROWID",
    "CREATE TABLE step (number INTEGER PRIMARY KEY, slide TEXT NOT NULL, name TEXT NOT NULL,"
    " time TEXT NOT NULL, author TEXT NOT NULL, is_undone INTEGER NOT NULL DEFAULT 0,"
    " versions BLOB NOT NULL, records BLOB NOT NULL, command BLOB NOT NULL)",
    "CREATE INDEX step_slide ON step (slide)",
    "CREATE TABLE audit (number INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL,"
    " author TEXT NOT NULL, slide TEXT NOT NULL, text TEXT NOT NULL)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)

R = TypeVar("R", bound=Record)
DrawnClasses = Mapping[int, DetectionClass]


def create_study(path: Path, info: StudyInfo, records: Sequence[Record] = ()) -> None:
    """Make a new study file with some records: the whole of it is there at once, or nothing.

    Raises `StorageError`.
    """
    with new_file(path) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
        connection.executemany(
            "INSERT INTO record VALUES (?, ?, ?)",
            ((one.kind, one.key, one.to_json()) for one in (info, *records)),
        )
        add_audit(connection, "", "", _("Study made"))


class StudyFile(SqliteFile):
    """Reads a study. Any thread may call any method; what is written is the writer's business."""

    def __init__(self, path: Path, connection: sqlite3.Connection, version: int) -> None:
        super().__init__(path, connection)
        self.version = version
        """Of the schema; a newer one than `VERSION` is read as far as it is understood."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a study to read; raise `StorageError` when it is none, or damaged."""
        with sentences(path):
            connection = connect(path, writable=False)
            with closed_on_error(connection):
                version = format_version(connection, path.name)
        return cls(path, connection, version)

    # -- records ---------------------------------------------------------------------------------

    @property
    def info(self) -> StudyInfo:
        return next(iter(self.records(StudyInfo)), StudyInfo())

    def records(self, kind: type[R]) -> list[R]:
        """Return all records of a kind, in the order of their keys."""
        rows = self._rows("SELECT json FROM record WHERE kind = ? ORDER BY key", kind.kind)
        try:
            return [kind.from_json(row[0]) for row in rows]
        except ValidationError as error:
            raise self._damaged() from error

    def record(self, kind: type[R], key: str) -> R | None:
        """Return one record, if there is one."""
        rows = self._rows("SELECT json FROM record WHERE kind = ? AND key = ?", kind.kind, key)
        try:
            return kind.from_json(rows[0][0]) if rows else None
        except ValidationError as error:
            raise self._damaged() from error

    def classes(self) -> list[LabelClass]:
        """Return all classes, listed or not, by their numbers."""
        return sorted(self.records(LabelClass), key=lambda one: one.number)

    # -- annotations -----------------------------------------------------------------------------

    def features(self, slide_hash: str, classes: DrawnClasses | None = None) -> list[Feature]:
        """Return the annotations of a slide as they are now, in the order of drawing.

        ``classes``: as they are called now; None: as they are on disk.
        """
        rows = self._rows(
            f"SELECT {COLUMNS.replace('id', 'annotation.id', 1)} FROM live"
            " JOIN annotation USING (version) WHERE live.slide = ? ORDER BY number",
            slide_hash,
        )
        return to_features(rows, self.drawn_classes() if classes is None else classes)

    def count_annotations(self) -> dict[str, int]:
        """Return the number of annotations a slide (by its hash) now."""
        return dict(self._rows("SELECT slide, count(*) FROM live GROUP BY slide"))

    def count_classes(self, slide_hash: str) -> dict[int, int]:
        """Return the number of annotations a class (number; 0: none) of a slide now."""
        return dict(
            self._rows(
                "SELECT coalesce(class, 0), count(*) FROM live JOIN annotation USING (version)"
                " WHERE live.slide = ? GROUP BY 1",
                slide_hash,
            )
        )

    def count_all_classes(self) -> dict[str, dict[int, int]]:
        """Return the number of annotations a class (number; 0: none), by slides' hashes, now."""
        counts: dict[str, dict[int, int]] = {}
        for slide, number, n in self._rows(
            "SELECT live.slide, coalesce(class, 0), count(*) FROM live"
            " JOIN annotation USING (version) GROUP BY 1, 2"
        ):
            counts.setdefault(slide, {})[number] = n
        return counts

    def drawn_classes(self) -> DrawnClasses:
        """Return name and colour of all classes, by their numbers."""
        return {one.number: one.drawn for one in self.classes()}

    def _features_of(
        self, versions: np.ndarray[Any, np.dtype[np.int64]], classes: DrawnClasses
    ) -> tuple[Feature, ...]:
        """Return the features of some versions (0: none, left out), in their order."""
        wanted = versions[versions > 0]
        found: dict[int, Feature] = {}
        for start in range(0, len(wanted), _VERSIONS_AT_ONCE):
            part = wanted[start : start + _VERSIONS_AT_ONCE].tolist()
            marks = ",".join("?" * len(part))
            rows = self._rows(
                f"SELECT {COLUMNS}, version FROM annotation WHERE version IN ({marks})", *part
            )
            features = to_features([row[:4] for row in rows], classes)
            found |= {row[4]: feature for row, feature in zip(rows, features, strict=True)}
        try:
            return tuple(found[version] for version in wanted.tolist())
        except KeyError as error:
            raise self._damaged() from error

    # -- history ---------------------------------------------------------------------------------

    def steps(self, slide_hash: str) -> list[StudyStep]:
        """Return the steps of a slide, oldest first, without their changes; see `step`."""
        rows = self._rows(
            "SELECT number, slide, name, time, author, is_undone FROM step"
            " WHERE slide = ? ORDER BY number",
            slide_hash,
        )
        return [
            StudyStep(number, slide, name, time, author, is_undone=bool(is_undone))
            for number, slide, name, time, author, is_undone in rows
        ]

    def step(self, number: int, classes: DrawnClasses | None = None) -> StudyStep:
        """Return a step with all that it changed; raise `StorageError` when there is none.

        ``classes`` as in `features`.
        """
        rows = self._rows(
            "SELECT slide, name, time, author, is_undone, versions, records, command FROM step"
            " WHERE number = ?",
            number,
        )
        if not rows:
            raise self._damaged()
        slide, name, time, author, is_undone, versions, records, command = rows[0]
        drawn = self.drawn_classes() if classes is None else classes
        sides = (self._features_of(side, drawn) for side in unpack_versions(versions))
        return StudyStep(
            *(number, slide, name, time, author),
            change=Change(*sides),
            records=unpack_records(records),
            command=orjson.loads(command),
            is_undone=bool(is_undone),
        )

    def count_steps(self) -> int:
        """Return the number of all steps, of all slides."""
        return int(self._rows("SELECT count(*) FROM step")[0][0])

    @property
    def data_version(self) -> int:
        """A number that is another one after each write of others; asking costs next to nothing."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def last_number(self) -> int:
        """Return the number of the newest step; 0: there is none."""
        return int(self._rows("SELECT coalesce(max(number), 0) FROM step")[0][0])

    def audit(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield (time, author, hash of the slide, text) of all lines, oldest first."""
        yield from self._rows("SELECT time, author, slide, text FROM audit ORDER BY number")

    def check(self) -> list[Problem]:
        """Return what is wrong, none: all is sound; of a newer study only whether it is whole."""
        with self._lock:
            return find_problems(self._connection, is_known=self.version == VERSION)

    def _damaged(self) -> StorageError:
        return StorageError(
            _("The study “{name}” is damaged.").format(name=self.path.name),
            _("Open its newest backup, which lies beside it."),
        )


def format_version(connection: sqlite3.Connection, name: str) -> int:
    """Return the version of a study's schema; raise `StorageError` when a file is no study."""
    application, version = read_stamp(connection)
    if application != APPLICATION:
        raise StorageError(
            _("“{name}” is not a study of PathoView.").format(name=name),
            _("Choose a file that ends in {suffix}.").format(suffix=SUFFIX),
        )
    return version
