"""One run, one SQLite file: its record, its tiles of detections or of a map, and other objects.

A task writes it tile by tile; a committed tile is a finished tile, whatever happens next. The
window reads the same file meanwhile, from other processes and threads.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import ValidationError

from pathoview.annotations.detections import Detections, concatenate, empty_detections
from pathoview.annotations.feature import Feature
from pathoview.annotations.geojson_object import feature_object, parse_objects
from pathoview.core.errors import StorageError
from pathoview.core.paths import data_folder
from pathoview.core.translation import _
from pathoview.study.annotation_rows import COLUMNS, to_features, to_rows
from pathoview.study.bag_rows import BagRows
from pathoview.study.database import (
    closed_on_error,
    connect,
    read_stamp,
    sentences,
)
from pathoview.study.packing import PackedDataError, pack, unpack
from pathoview.study.raster_rows import MapRows
from pathoview.study.records import RunRecord
from pathoview.study.sqlite_file import SqliteFile, new_file
from pathoview.study.synthesis_rows import SynthesisRows

SUFFIX = ".run"
_APPLICATION = 0x50565231  # "PVR1"
_VERSION = 1
_FEATURES_AT_ONCE = 2000
_KEY_LETTERS = 12
_ID_LETTERS = 8
_SCHEMA = (
    "CREATE TABLE record (id INTEGER PRIMARY KEY CHECK (id = 1), json BLOB NOT NULL)",
    "CREATE TABLE tile (row INTEGER, col INTEGER, data BLOB NOT NULL, PRIMARY KEY (row, col))",
    "CREATE TABLE feature (number INTEGER PRIMARY KEY, json BLOB NOT NULL)",
    "CREATE TABLE dropped (id BLOB PRIMARY KEY) WITHOUT ROWID",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
)

_ANNOTATIONS = (
    "CREATE TABLE IF NOT EXISTS annotation (number INTEGER PRIMARY KEY,"
    " id BLOB, class INTEGER, wkb BLOB, more BLOB)"
)
"""Made in files that bring annotations for a study."""

log = logging.getLogger(__name__)


class RunFile(SqliteFile):
    """The result file of a run. One process writes; any thread may call any reading method."""

    @classmethod
    def create(cls, path: Path, record: RunRecord) -> Self:
        """Make a new file, whole or not at all; raise `StorageError` when that cannot be done."""
        with new_file(path) as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO record VALUES (1, ?)", (_json(record),))
        return cls.open(path, writable=True)

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> Self:
        """Open a file; raise `StorageError` when it is none of ours, or of a newer version."""
        with sentences(path):
            connection = connect(path, writable=writable)
            with closed_on_error(connection):
                _check_format(connection, path.name)
        return cls(path, connection)

    @property
    def record(self) -> RunRecord:
        """The record as it is on disk now."""
        try:
            return RunRecord.model_validate_json(self._rows("SELECT json FROM record")[0][0])
        except (ValidationError, IndexError) as error:
            raise self._damaged() from error

    def update_record(self, **changes: Any) -> RunRecord:
        """Change members of the record and return the new one."""
        old = self.record
        record = RunRecord.model_validate(old.model_dump() | changes)
        with self._writing() as connection:
            connection.execute("UPDATE record SET json = ?", (_json(record),))
        return record

    def add_tile(self, col: int, row: int, detections: Detections) -> None:
        """Store a finished tile; when this returns, it is on disk."""
        data = pack(detections)
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO tile VALUES (?, ?, ?)", (row, col, data))

    def finished_tiles(self) -> set[tuple[int, int]]:
        """Return the (column, row) of every stored tile."""
        return {(col, row) for row, col in self._rows("SELECT row, col FROM tile")}

    def tile(self, col: int, row: int) -> Detections:
        """Return a tile's detections, less those dropped; empty when it is not stored."""
        return self._tile(col, row, self.dropped())

    def tiles_since(self, number: int) -> list[tuple[int, int, int]]:
        """Return (number, column, row) of the tiles stored after the one with a number; 0: all."""
        query = "SELECT rowid, col, row FROM tile WHERE rowid > ? ORDER BY rowid"
        return [(int(one), col, row) for one, col, row in self._rows(query, number)]

    def tiles(self, places: Iterable[tuple[int, int]] | None = None) -> Iterator[Detections]:
        """Yield tiles less what was dropped, one in memory at a time.

        ``places`` are (column, row); None: all, row by row.
        """
        dropped = self.dropped()
        if places is None:
            rows = self._rows("SELECT row, col FROM tile ORDER BY row, col")
            places = ((col, row) for row, col in rows)
        for col, row in places:
            yield self._tile(col, row, dropped)

    def all(self) -> Detections:
        """Return every detection, row by row of tiles."""
        return concatenate(list(self.tiles()))

    def drop(self, ids: npt.NDArray[np.uint8]) -> None:
        """Leave out the objects with these ids, (n, 16) uint8, from now on."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO dropped VALUES (?)", ((one.tobytes(),) for one in ids)
            )

    def add_features(self, features: Sequence[Feature]) -> int:
        """Store objects that do not fit in columns, in one transaction; return how many.

        What leaves nothing on a grid of 0.01 px is not stored.
        """
        with self._writing() as connection:
            return _add_features(connection, features)

    def features(self) -> Iterator[Feature]:
        """Yield the stored features in the order they came, less those dropped."""
        features, last = self.features_since(0)
        while last is not None:
            yield from features
            features, last = self.features_since(last)

    def features_since(self, number: int) -> tuple[list[Feature], int | None]:
        """Return some features stored after the one with a number, and the number of the last.

        Dropped ones are left out; None: there are no more. 0 begins with the first.
        """
        query = "SELECT number, json FROM feature WHERE number > ? ORDER BY number LIMIT ?"
        rows = self._rows(query, number, _FEATURES_AT_ONCE)
        if not rows:
            return [], None
        dropped = {one.tobytes() for one in self.dropped()}
        features = [
            feature
            for place, data in rows
            for feature in parse_objects(orjson.loads(data), place, log.warning)
            if feature.id.bytes not in dropped
        ]
        return features, int(rows[-1][0])

    def map_rows(self) -> MapRows:
        """Return the map of probabilities of a run of a pixel method."""
        record = self.record
        return MapRows(
            record.tile_px, len(record.classes), self._rows, self._writing, self._damaged
        )

    def synthesis_rows(self) -> SynthesisRows:
        """Return the pseudo-healthy picture and the pathology of a run that made them."""
        return SynthesisRows(self.record.tile_px, self._rows, self._writing, self._damaged)

    def bag_rows(self) -> BagRows:
        """Return what a run of a method for whole slides says of each tile."""
        return BagRows(len(self.record.classes), self._rows, self._writing, self._damaged)

    # -- annotations on their way into a study ---------------------------------------------------

    def add_annotations(self, features: Sequence[Feature]) -> None:
        """Store annotations that are to be taken into a study, in one transaction."""
        rows = to_rows(features, {})
        with self._writing() as connection:
            connection.execute(_ANNOTATIONS)
            connection.executemany(f"INSERT INTO annotation ({COLUMNS}) VALUES (?, ?, ?, ?)", rows)

    def annotations(self) -> list[Feature]:
        """Return the annotations that wait to be taken, once the record says that there are."""
        if not self.record.n_annotations:
            return []
        return to_features(self._rows(f"SELECT {COLUMNS} FROM annotation ORDER BY number"), {})

    def remove_annotations(self) -> RunRecord:
        """Forget the annotations: a study has them; return the new record."""
        with self._writing() as connection:
            record = self.record
            left = record.n_objects - record.n_annotations
            return _without_annotations(connection, record, n_objects=left)

    def keep_annotations(self) -> RunRecord:
        """Have the annotations as features of the run for good; return the new record."""
        with self._writing() as connection:
            _add_features(connection, self.annotations())
            return _without_annotations(connection, self.record)

    def _tile(self, col: int, row: int, dropped: npt.NDArray[np.uint8]) -> Detections:
        rows = self._rows("SELECT data FROM tile WHERE row = ? AND col = ?", row, col)
        if not rows:
            return empty_detections()
        try:
            return unpack(rows[0][0]).without(dropped)
        except PackedDataError as error:
            raise self._damaged() from error

    def dropped(self) -> npt.NDArray[np.uint8]:
        """Return the ids of the objects that are left out, (n, 16)."""
        data = b"".join(row[0] for row in self._rows("SELECT id FROM dropped"))
        return np.frombuffer(data, np.uint8).reshape(-1, 16)

    def _damaged(self) -> StorageError:
        return StorageError(
            _("The result “{name}” is damaged.").format(name=self.path.name),
            _("Run the analysis again."),
        )


def _check_format(connection: sqlite3.Connection, name: str) -> None:
    application, version = read_stamp(connection)
    if application != _APPLICATION:
        raise StorageError(
            _("“{name}” is not a result file of PathoView.").format(name=name),
            _("Choose another file."),
        )
    if version > _VERSION:
        raise StorageError(
            _("“{name}” was written by a newer PathoView.").format(name=name),
            _("Update PathoView to open it."),
        )


def _add_features(connection: sqlite3.Connection, features: Iterable[Feature]) -> int:
    written = (feature_object(feature) for feature in features)
    rows = [(orjson.dumps(one),) for one in written if one is not None]
    connection.executemany("INSERT INTO feature (json) VALUES (?)", rows)
    return len(rows)


def _without_annotations(
    connection: sqlite3.Connection, record: RunRecord, **changes: Any
) -> RunRecord:
    changed = record.model_copy(update={"n_annotations": 0, **changes})
    connection.execute(_ANNOTATIONS)
    connection.execute("DELETE FROM annotation")
    connection.execute("UPDATE record SET json = ?", (_json(changed),))
    return changed


def _json(record: RunRecord) -> bytes:
    return record.model_dump_json().encode()


def runs_folder(slide_hash: str) -> Path:
    """Return the folder of a slide's runs; it is made when missing."""
    folder = _all_runs() / slide_hash
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _all_runs() -> Path:
    return data_folder() / "runs"


def new_run_path(record: RunRecord) -> Path:
    """Return where a run's file belongs; names sort by time and tell the run's key."""
    started = record.started[:19].replace("-", "").replace(":", "")
    name = f"{started}-{record.key[:_KEY_LETTERS]}-{record.id[:_ID_LETTERS]}{SUFFIX}"
    return runs_folder(record.slide_hash) / name


def remove_run(path: Path) -> None:
    """Delete a run's file, and what SQLite left beside it."""
    for ending in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(OSError):  # another program may still show it
            path.with_name(path.name + ending).unlink(missing_ok=True)


def find_runs(slide_hash: str) -> list[tuple[Path, RunRecord]]:
    """Return a slide's runs, newest first; files that cannot be read are skipped and logged."""
    return _readable(runs_folder(slide_hash).glob(f"*{SUFFIX}"))


def find_run(run_id: str) -> Path | None:
    """Return the file of a run by the first eight letters of its id, or more; None: no such run."""
    if not run_id.isalnum():
        return None
    found = _readable(_all_runs().glob(f"*/*-{run_id[:_ID_LETTERS]}{SUFFIX}"))
    return next((path for path, record in found if record.id.startswith(run_id)), None)


def slides_with_runs() -> set[str]:
    """Return the hashes of all slides that have runs, whatever is in them."""
    return {path.parent.name for path in _all_runs().glob(f"*/*{SUFFIX}")}


def find_unfinished(key: str) -> Path | None:
    """Return the newest analysis with this key that has not ended, to be resumed."""
    for path, record in _readable(_all_runs().glob(f"*/*-{key[:_KEY_LETTERS]}-*{SUFFIX}")):
        if record.key == key and record.kind == "analysis" and record.state != "done":
            return path
    return None


def _readable(paths: Iterable[Path]) -> list[tuple[Path, RunRecord]]:
    found = []
    for path in paths:
        try:
            with RunFile.open(path) as run:
                found.append((path, run.record))
        except StorageError as error:
            log.warning("skipped a result file: %s", error)
    return sorted(found, key=lambda item: (item[1].started, item[0].name), reverse=True)
