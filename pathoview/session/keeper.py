"""Writing small things to disk as they change, in the background and never out of order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from psygnal import Signal

from pathoview.core.errors import StorageError
from pathoview.layers.scheduler import TileScheduler

_logger = logging.getLogger(__name__)

Write = Callable[[], None]


class Keeper:
    """Each thing is written as it was last; one write at a time, the newest state wins."""

    failed = Signal(object)
    """(exception): something could not be written; it is tried again with the next change."""

    def __init__(self, scheduler: TileScheduler) -> None:
        self._scheduler = scheduler
        self._waiting: dict[str, Write] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def keep(self, name: str, write: Write) -> None:
        """Have ``write`` called soon, instead of what still waits under that name."""
        with self._lock:
            self._waiting[name] = write
        self._scheduler.submit(self._write_waiting, self._on_written)

    def flush(self) -> None:
        """Write now what still waits: the program ends."""
        try:
            self._write_waiting()
        except StorageError as error:
            _logger.warning("not kept: %s", error)

    def _write_waiting(self) -> None:
        with self._writing:
            while (write := self._next()) is not None:
                write()

    def _next(self) -> Write | None:
        with self._lock:
            return self._waiting.pop(next(iter(self._waiting))) if self._waiting else None

    def _on_written(self, _nothing: None, error: BaseException | None) -> None:
        if error is not None:
            self.failed.emit(error)
