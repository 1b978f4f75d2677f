"""How long a job will still take, from how fast it went lately."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_S = 60.0
_SHORTEST_S = 1.0
"""Less than this says nothing about the speed."""


class TimeLeft:
    """Seconds left from the speed of the last minute.

    Pauses do not count, and neither does what was finished before: a resumed run starts at 70 %,
    say, and its speed is measured from there.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, float]] = deque()
        self._paused_s = 0.0
        self._paused_at: float | None = None

    def pause(self) -> None:
        self._paused_at = self._clock()

    def resume(self) -> None:
        if self._paused_at is not None:
            self._paused_s += self._clock() - self._paused_at
            self._paused_at = None

    def update(self, fraction: float) -> float | None:
        """Take the news that ``fraction`` (0–1) is done; return seconds left, None: unknown."""
        now = (self._clock() if self._paused_at is None else self._paused_at) - self._paused_s
        samples = self._samples
        if samples and fraction <= samples[0][1]:  # nothing has moved since the start
            samples.clear()
        samples.append((now, fraction))
        while len(samples) > 2 and samples[1][0] < now - _WINDOW_S:
            samples.popleft()
        seconds, gained = now - samples[0][0], fraction - samples[0][1]
        if seconds < _SHORTEST_S or gained <= 0:
            return None
        return max(0.0, 1 - fraction) * seconds / gained
