"""One connection to an SQLite file that any thread may read and write through."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pathoview.core.closing import Closing
from pathoview.study.database import closed_on_error, create, sentences, transaction


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[sqlite3.Connection]:
    """Make a file of what the block writes, whole or not at all; it is closed then.

    It is made under another name and renamed in the end, since a new file is there before its
    tables are. Raises `StorageError`, also when there is a file of this name.
    """
    unfinished = path.with_name(f".{path.stem[:40]}.{uuid.uuid4().hex[:8]}.part")
    with sentences(path):
        try:
            connection = create(unfinished)
            with closed_on_error(connection), transaction(connection):
                yield connection
            connection.close()
            if path.exists():
                raise FileExistsError(path)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


class SqliteFile(Closing):
    """An open file; what goes wrong with it becomes a `StorageError`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Commit what the block did, or none of it."""
        with sentences(self.path), self._lock, transaction(self._connection):
            yield self._connection

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with sentences(self.path), self._lock:
            return self._connection.execute(query, values).fetchall()
