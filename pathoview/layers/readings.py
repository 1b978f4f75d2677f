"""What is being read now, and whether another reading may begin beside it.

A disk that does not answer holds the threads that asked it. So those that have waited for long do
not count any more, others are begun in their place, and the source that is to blame gets no more
than its part.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from pathoview.core.pyramid import TileKey
from pathoview.layers.source import TileSource
from pathoview.layers.wishes import Place, Wish

_LATE_S = 2.0
"""Whoever reads for so long may be waiting for a disk that is gone."""
_HUNG_S = 10.0
"""After so long it is told, as if the reading had failed."""
_MOST_LATE = 8
"""Threads beyond the usual number."""


@dataclass(slots=True)
class Reading:
    """A tile that a thread is at."""

    source: TileSource
    key: TileKey
    is_base: bool = False
    is_ahead: bool = False
    has_changed: bool = False
    """The content has changed since the reading began."""
    is_late: bool = False
    is_hung: bool = False
    began: float = field(default_factory=time.monotonic)


class Readings:
    """At most ``n_threads`` at once, besides late ones. Not thread-safe: the scheduler locks.

    Who is late is noted by `look` alone, which is to be called before the others.
    """

    def __init__(self, n_threads: int) -> None:
        self._n_threads = n_threads
        self._readings: dict[Place, Reading] = {}

    def __contains__(self, place: object) -> bool:
        return place in self._readings

    def __getitem__(self, place: Place) -> Reading:
        return self._readings[place]

    def __len__(self) -> int:
        return len(self._readings)

    @property
    def most_threads(self) -> int:
        """How many threads there may be; one of them watches while the others read."""
        return self._n_threads + _MOST_LATE

    @property
    def n_threads(self) -> int:
        """How many threads are needed now: those that read, and one that watches."""
        return min(self._n_threads + 1 + self._n_late, self.most_threads)

    @property
    def _n_late(self) -> int:
        return sum(reading.is_late for reading in self._readings.values())

    @property
    def is_full(self) -> bool:
        """Whether no reading may begin now."""
        return len(self) - self._n_late >= self._n_threads

    @property
    def has_room_for_base(self) -> bool:
        """Whether nobody is busy with a coarsest level."""
        return not any(item.is_base and not item.is_late for item in self._readings.values())

    @property
    def has_room_for_ahead(self) -> bool:
        """Whether all disks answer, and one thread stays free for what is wanted next."""
        n_ahead = sum(item.is_ahead for item in self._readings.values())
        return not self._n_late and n_ahead < max(1, self._n_threads - 1)

    def blocked(self) -> frozenset[int]:
        """Return the sources that must not be asked for more: they have hardly answered so far.

        The last thread of all is for those that do answer.
        """
        late = {id(item.source) for item in self._readings.values() if item.is_late}
        if not late:
            return frozenset()
        n_of = Counter(id(item.source) for item in self._readings.values())
        is_last = len(self) >= self.most_threads - 1
        return frozenset(owner for owner in late if is_last or n_of[owner] > self._n_threads)

    def begin(self, wish: Wish, *, is_base: bool, is_ahead: bool) -> None:
        self._readings[id(wish[0]), wish[1]] = Reading(*wish, is_base, is_ahead)

    def end(self, place: Place) -> None:
        del self._readings[place]

    def of(self, source: TileSource) -> list[TileKey]:
        """Return the tiles of a source that are being read."""
        return [item.key for item in self._readings.values() if item.source is source]

    def look(self, now: float) -> list[Reading]:
        """Note who is late; return those who hang since the last look."""
        hung = []
        for item in self._readings.values():
            item.is_late = now >= item.began + _LATE_S
            if now >= item.began + _HUNG_S and not item.is_hung:
                item.is_hung = True
                hung.append(item)
        return hung

    def next_look(self) -> float | None:
        """Return when somebody will be late or hang."""
        times = [
            item.began + (_HUNG_S if item.is_late else _LATE_S)
            for item in self._readings.values()
            if not item.is_hung
        ]
        return min(times, default=None)
