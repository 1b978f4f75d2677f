"""The ordered writer: one thread that brings what was done to disk, in the order it was done.

What could not be written stays, and everything behind it waits: it is tried again, less and less
often, until it can be. So a full disk or a lost network folder costs nothing but time.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from pathoview.core.errors import StorageError
from pathoview.study.database import sentences, transaction

_logger = logging.getLogger(__name__)

Write = Callable[[sqlite3.Connection], None]
"""Works in a transaction; after a failure it is called again, on what was there before."""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_MOST_AT_ONCE = 64
"""Writes in one transaction: each costs the disk as much as many."""


class OrderedWriter:
    """Writes one file. `submit` and `flush` may be called on any thread."""

    def __init__(
        self,
        path: Path,
        connect: Callable[[], sqlite3.Connection],
        told: Callable[[int, StorageError | None], None],
    ) -> None:
        """``connect`` opens, or makes, the file; it is called on the writer's thread.

        ``told`` is called there too: with the number of writes that are on disk, and what keeps the
        next from it, if anything.
        """
        self._path = path
        self._connect = connect
        self._told = told
        self._connection: sqlite3.Connection | None = None
        self._waiting: deque[Write] = deque()
        self._changed = threading.Condition()
        self._n_submitted = self._n_written = 0
        self._is_closing = False
        self._is_urgent = False
        """Try at once, however lately it failed."""
        self._error: StorageError | None = None
        self._thread: threading.Thread | None = None

    @property
    def n_submitted(self) -> int:
        return self._n_submitted

    @property
    def n_waiting(self) -> int:
        """How many writes are not on disk yet."""
        with self._changed:
            return self._n_submitted - self._n_written

    @property
    def error(self) -> StorageError | None:
        """What keeps the next write from the disk, if anything."""
        return self._error

    def submit(self, write: Write) -> int:
        """Have something written after all that waits already; return its number, from 1."""
        with self._changed:
            self._n_submitted += 1
            self._waiting.append(write)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return self._n_submitted

    def flush(self, timeout_s: float) -> bool:
        """Wait until all is on disk, or until trying has failed once more; return whether it is."""
        with self._changed:
            self._is_urgent, self._error = True, None
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._n_written == self._n_submitted or self._error is not None, timeout_s
            )
            return self._n_written == self._n_submitted

    def close(self, timeout_s: float = 30.0) -> bool:
        """Write what waits, and end; return whether all is on disk."""
        is_written = self.flush(timeout_s)
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return is_written

    def waiting(self) -> tuple[int, tuple[Write, ...]]:
        """Return how many writes are on disk, and those that are not."""
        with self._changed:
            return self._n_written, tuple(self._waiting)

    def give_up(self) -> None:
        """Forget what waits: it was brought to another disk."""
        with self._changed:
            self._waiting.clear()
            self._n_submitted, self._error = self._n_written, None
            self._changed.notify_all()

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        n_at_once = _MOST_AT_ONCE
        while (batch := self._next(n_at_once)) is not None:
            error = self._try(batch)
            with self._changed:
                if error is None:
                    for write in batch:
                        if self._waiting and self._waiting[0] is write:  # not given up meanwhile
                            self._waiting.popleft()
                            self._n_written += 1
                self._error = error
                n_written = self._n_written
                self._changed.notify_all()
            self._told(n_written, error)
            if error is None:
                pause_s, n_at_once = _FIRST_PAUSE_S, _MOST_AT_ONCE
            else:
                n_at_once = 1  # the others must not wait for a reason of their own
                self._rest(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        if self._connection is not None:
            self._connection.close()

    def _next(self, n_at_once: int) -> list[Write] | None:
        """Return what is to be written now; None: the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            gives_up = self._is_closing and (self._error is not None or not self._waiting)
            return None if gives_up else [*self._waiting][:n_at_once]

    def _rest(self, pause_s: float) -> None:
        with self._changed:
            self._is_urgent = False
            self._changed.wait_for(lambda: self._is_urgent or self._is_closing, pause_s)

    def _try(self, batch: list[Write]) -> StorageError | None:
        try:
            with sentences(self._path):
                self._connection = self._connection or self._connect()
                with transaction(self._connection):
                    for write in batch:
                        write(self._connection)
        except StorageError as error:
            _logger.warning("not written yet: %s", error)
            return error
        except Exception as error:
            # Whatever it is: nothing that was drawn may be dropped, and the person must be told.
            _logger.exception("a write failed")
            return StorageError(str(error) or type(error).__name__)
        return None
