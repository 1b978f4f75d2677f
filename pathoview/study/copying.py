"""Copies of a study: complete or not there at all, and made while the study is being written."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

from pathoview.core.errors import StorageError
from pathoview.core.translation import _
from pathoview.study.audit import add_audit
from pathoview.study.database import choose_journal, connect, sentences, transaction
from pathoview.study.lock import StudyLock, lock_path
from pathoview.study.migration import copy_database
from pathoview.study.model import StudyInfo
from pathoview.study.study_file import VERSION, StudyFile, format_version

_BESIDE = ("-wal", "-shm", "-journal")
"""Files that SQLite keeps beside a file."""


def save_copy(path: Path, target: Path, author: str = "", *, replace: bool = False) -> None:
    """Write all that is on disk of a study to another file, under that file's name.

    The copy has the id of the original, so that it is known as a copy when they are merged; it is
    never private. ``replace``: a study that is there already gives way, unless it is open. Raises
    `StorageError`; nothing is then altered.
    """
    refuse_target(path, target, replace=replace)
    with copied(path, target) as copy:
        choose_journal(copy, target.parent)
        if format_version(copy, path.name) > VERSION:
            return  # what a newer PathoView wrote is none of our business
        with transaction(copy):
            info = _info(copy).model_copy(update={"name": target.stem, "is_private": False})
            copy.execute("UPDATE record SET json = ? WHERE kind = 'study'", (info.to_json(),))
            add_audit(copy, author, "", _("Saved as a copy"))


def keep_private(path: Path, target: Path, author: str = "", *, replace: bool = False) -> None:
    """Turn a private study, which nobody has open, into a named one; raises `StorageError`."""
    taken = StudyLock.take(path)
    if not isinstance(taken, StudyLock):
        raise _is_open(path)
    try:
        save_copy(path, target, author, replace=replace)
        remove_study(path)
    finally:
        taken.release()


def refuse_target(path: Path, target: Path, *, replace: bool) -> None:
    """Raise `StorageError` when ``target`` must not be written."""
    if not target.exists():
        return
    if path.exists() and target.samefile(path):
        raise StorageError(
            _("“{name}” is the study itself.").format(name=target.name),
            _("Choose another name for the copy."),
        )
    if not replace:
        raise StorageError(
            _("“{name}” exists already.").format(name=target.name), _("Choose another name.")
        )
    StudyFile.open(target).close()  # only a study is replaced by one
    taken = StudyLock.take(target)
    if not isinstance(taken, StudyLock):
        raise _is_open(target)
    taken.release()


@contextlib.contextmanager
def copied(path: Path, target: Path) -> Iterator[sqlite3.Connection]:
    """Yield a copy of a study, to be altered; it takes the target's place if all goes well.

    Raises `StorageError`, also when ``path`` is no study.
    """
    with made_beside(target) as temporary:
        with sentences(path), contextlib.closing(connect(path, writable=False)) as connection:
            format_version(connection, path.name)
            copy_database(connection, temporary)
        with contextlib.closing(connect(temporary, writable=True)) as copy:
            yield copy


@contextlib.contextmanager
def made_beside(target: Path) -> Iterator[Path]:
    """Yield a name for a new study, which takes the target's place if all goes well."""
    temporary = target.with_name(f".{target.name[:40]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with sentences(target):
            yield temporary
            for beside in _BESIDE:  # they would be taken for those of the new file
                _beside(target, beside).unlink(missing_ok=True)
            temporary.replace(target)
    finally:
        with contextlib.suppress(OSError):
            remove_study(temporary)


def move_study(path: Path, target: Path) -> None:
    """Rename a study that nobody has open, whole or damaged. Raises `OSError`."""
    path.rename(target)
    for beside in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            _beside(path, beside).rename(_beside(target, beside))


def remove_study(path: Path) -> None:
    """Delete a study file and what lies beside it. Raises `OSError`."""
    path.unlink(missing_ok=True)
    for beside in _BESIDE:
        _beside(path, beside).unlink(missing_ok=True)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _info(connection: sqlite3.Connection) -> StudyInfo:
    row = connection.execute("SELECT json FROM record WHERE kind = 'study'").fetchone()
    return StudyInfo.from_json(row[0]) if row else StudyInfo()


def _is_open(path: Path) -> StorageError:
    return StorageError(
        _("“{name}” is open.").format(name=path.name),
        _("Close it first; if nobody has it open, delete “{lock}” beside it.").format(
            lock=lock_path(path).name
        ),
    )
