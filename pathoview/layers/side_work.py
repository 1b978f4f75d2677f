"""Work beside the tiles: done in threads, its results handed to the thread of the listeners."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from pathoview.core.threads import work_in_background

Post = Callable[[Callable[[], None]], None]
"""Has something called later, in the thread of the listeners."""
T = TypeVar("T")

_N_THREADS = 2


class Outbox:
    """Has things called through ``post``; what gathers meanwhile goes in one go. Thread-safe."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._words: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._is_closed = False

    def say(self, words: Callable[[], None]) -> None:
        with self._lock:
            self._words.append(words)
            if len(self._words) > 1 or self._is_closed:
                return
        self._post(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            words = tuple(self._words)
            self._words.clear()
        for word in words:
            word()

    def close(self) -> None:
        """Say nothing any more."""
        with self._lock:
            self._is_closed = True
            self._words.clear()


class SideWork:
    """A few threads for short work other than tiles, which never wait for it."""

    def __init__(self, outbox: Outbox, on_done: Callable[[], None]) -> None:
        self._outbox = outbox
        self._on_done = on_done
        self._lock = threading.Lock()
        self._n_open = 0
        self._is_closed = False
        self._pool = ThreadPoolExecutor(_N_THREADS, "side", initializer=work_in_background)

    @property
    def is_busy(self) -> bool:
        return self._n_open > 0

    def submit(
        self, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]
    ) -> None:
        """Do some work; ``done(result, error)`` goes through the outbox."""
        with self._lock:
            if self._is_closed:
                return
            self._n_open += 1
            future = self._pool.submit(work)
        future.add_done_callback(partial(self._finish, done))

    def _finish(
        self, done: Callable[[T | None, BaseException | None], None], future: Future[T]
    ) -> None:
        if not future.cancelled():
            error = future.exception()
            result = None if error is not None else future.result()
            self._outbox.say(partial(done, result, error))
        with self._lock:
            self._n_open -= 1
        self._on_done()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
