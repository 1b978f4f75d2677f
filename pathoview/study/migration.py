"""Bringing an older study to the schema of today, with a backup of what it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pathoview.study.database import closed_on_error, connect, create, sentences, transaction
from pathoview.study.study_file import VERSION, format_version

MIGRATIONS: Mapping[int, Sequence[str]] = {}
"""The statements that lead from a version to the next one."""


def migrate(path: Path) -> Path | None:
    """Bring a study to the version of today; return the backup that was made, if one was needed.

    Raises `StorageError`; the study is then as it was.
    """
    with sentences(path):
        connection = connect(path, writable=True)
        with closed_on_error(connection):
            version = format_version(connection, path.name)
            if version >= VERSION:
                connection.close()
                return None
            backup = path.with_name(
                f"{path.stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}-v{version}.backup"
            )
            copy_database(connection, backup)
            with transaction(connection):
                for step in range(version, VERSION):
                    for statement in MIGRATIONS[step]:
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.close()
    return backup


def copy_database(connection: sqlite3.Connection, target: Path) -> None:
    """Write all that a connection sees to a new file. Raises `sqlite3.Error`, `OSError`."""
    copy = create(target)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, to be sent or put away
    except BaseException:
        copy.close()
        target.unlink(missing_ok=True)
        raise
    copy.close()
