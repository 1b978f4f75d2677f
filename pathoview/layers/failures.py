"""Tiles that could not be read: why, and when they are tried again."""

from __future__ import annotations

import time
from collections.abc import Container, KeysView
from dataclasses import dataclass

from pathoview.layers.wishes import Place

_FIRST_RETRY_S, _LAST_RETRY_S = 1.0, 60.0


@dataclass(slots=True)
class _Failure:
    reason: str
    n_times: int
    retry_at: float


class Failures:
    """Every further failure of a tile doubles the pause. Not thread-safe: the scheduler locks."""

    def __init__(self) -> None:
        self._failures: dict[Place, _Failure] = {}

    def __bool__(self) -> bool:
        return bool(self._failures)

    @property
    def places(self) -> KeysView[Place]:
        return self._failures.keys()

    def reason(self, place: Place) -> str | None:
        """Return a sentence; may be called without the lock."""
        failure = self._failures.get(place)
        return None if failure is None else failure.reason

    def note(self, place: Place, reason: str, *, is_over: bool = True) -> bool:
        """Note that a tile failed, or has not come yet; return whether that is news."""
        before = self._failures.get(place)
        n_times = int(is_over) + (0 if before is None else before.n_times)
        pause = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2 ** max(0, n_times - 1))
        self._failures[place] = _Failure(reason, n_times, time.monotonic() + pause)
        return before is None or before.reason != reason

    def may_try(self, place: Place, now: float) -> bool:
        failure = self._failures.get(place)
        return failure is None or failure.retry_at <= now

    def next_try(self, wanted: Container[Place], now: float) -> float | None:
        """Return when the next of the wanted tiles that must wait now may be tried again."""
        times = [
            failure.retry_at
            for place, failure in self._failures.items()
            if failure.retry_at > now and place in wanted
        ]
        return min(times, default=None)

    def retry(self, owner: int | None = None) -> None:
        """Have the tiles of a source, or of all, tried again at once."""
        for place, failure in self._failures.items():
            if owner in (None, place[0]):
                failure.retry_at = 0.0

    def clear(self, place: Place) -> None:
        """Note that a tile came; the disk is back, so the others of its source are tried, too."""
        if self._failures.pop(place, None) is not None:
            self.retry(place[0])

    def forget(self, owner: int) -> None:
        """Forget all failures of a source."""
        for place in [place for place in self._failures if place[0] == owner]:
            del self._failures[place]
