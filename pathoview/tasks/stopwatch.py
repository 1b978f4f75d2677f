"""Time that was worked: pauses do not count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_PAUSE_S = 0.02
"""A check that takes longer than this was a pause."""


class Stopwatch:
    """Measures from its making; `check` calls the given check and takes pauses out.

    Several threads wait in the same pause; it is counted once.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._started = self._counted = time.monotonic()
        self._paused_s = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started - self._paused_s

    def check(self) -> None:
        before = time.monotonic()
        try:
            self._check()
        finally:
            after = time.monotonic()
            if after - before > _PAUSE_S:
                with self._lock:
                    self._paused_s += max(0.0, after - max(before, self._counted))
                    self._counted = max(after, self._counted)
