"""Getting at a study file for its upkeep: to read it as it lies, or to have it for oneself."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pathoview.core.errors import StorageError
from pathoview.core.translation import _
from pathoview.study.database import connect, sentences
from pathoview.study.study import Study, read_only_error
from pathoview.study.study_file import VERSION, format_version


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a study of the format of today to read its rows; raises `StorageError`."""
    with _damage_told(path), contextlib.closing(connect(path, writable=False)) as connection:
        version = format_version(connection, path.name)
        if version != VERSION:
            raise _other_version(path.name, is_newer=version > VERSION)
        yield connection


@contextlib.contextmanager
def having_alone(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a study to write what nobody else may see half done; transactions are the caller's.

    Raises `StorageError`, saying who has it open, when somebody has.
    """
    with contextlib.closing(Study(path, lambda *_told: None)) as study:
        if study.is_read_only:
            raise read_only_error(study)
        with _damage_told(path), contextlib.closing(connect(path, writable=True)) as connection:
            yield connection


def shrink(connection: sqlite3.Connection) -> None:
    """Have a file hold what it says and nothing else; the bytes of what is gone are gone too.

    Raises `sqlite3.Error`.
    """
    connection.execute("VACUUM")
    is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if is_busy:
        raise StorageError(
            _("The study is still being read by another program: old bytes remain in its log."),
            _("Close it there, then compact the study."),
        )


@contextlib.contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        with sentences(path):
            yield
    except ValueError as error:  # what is kept is JSON or numbers, and this was not
        raise StorageError(
            _("“{name}” is damaged.").format(name=path.name),
            _("Restore a backup, or rescue what can be read into a new study."),
        ) from error


def _other_version(name: str, *, is_newer: bool) -> StorageError:
    if is_newer:
        return StorageError(
            _("“{name}” was written by a newer PathoView.").format(name=name),
            _("Update PathoView, then try again."),
        )
    return StorageError(
        _("“{name}” was written by an older PathoView.").format(name=name),
        _("Open it once in the window: it is brought to the format of today."),
    )
