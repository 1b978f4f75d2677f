"""Brings the tiles that are wanted now, and whatever comes nearest until they are there.

The canvas tells what it wants (`TileScheduler.request`), draws what is there
(`TileScheduler.pieces`), and draws again when `TileScheduler.ready` says so.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from psygnal import Signal

from pathoview.core.errors import PathoViewError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane, TileKey
from pathoview.core.translation import _
from pathoview.layers.cache import CachedTile, TileCache
from pathoview.layers.source import Rgba, TileSource, Unfinished
from pathoview.layers.stand_in import Piece, pieces_of, stand_in

_logger = logging.getLogger(__name__)

Wish = tuple[TileSource, TileKey]
Post = Callable[[Callable[[], None]], None]
T = TypeVar("T")

NOTHING: Rgba = np.empty((0, 0, 4), np.uint8)
"""The tile of a place where there is nothing to draw."""
_N_SIDE_THREADS = 2
"""Threads for `TileScheduler.submit`; tiles never wait for such work."""
_FIRST_RETRY_S, _LAST_RETRY_S = 1.0, 60.0

_Place = tuple[int, TileKey]


@dataclass(slots=True)
class _Failure:
    reason: str
    n_times: int
    retry_at: float


class TileScheduler:
    """Reads wanted tiles in threads. All methods may be called from any thread."""

    ready = Signal(object, object)
    """(source, TileKey): a tile can be drawn, better than before. Emitted through ``post``."""
    failed = Signal(object, object, str)
    """(source, TileKey, reason): a tile cannot be read for now. Emitted through ``post``."""

    def __init__(self, cache: TileCache, post: Post, n_threads: int = 3) -> None:
        self._cache = cache
        self._post = post
        self._state = threading.Condition()
        self._sources: dict[int, tuple[TileSource, Callable[[Rect | None], None]]] = {}
        self._wanted: tuple[Wish, ...] = ()
        self._todo: dict[_Place, Wish] = {}
        self._base: dict[_Place, Wish] = {}
        """Tiles of the coarsest levels: read ahead of all others, by one thread at most."""
        self._is_reading_base = False
        self._reading: dict[_Place, bool] = {}
        """True: the content has changed since the reading began."""
        self._failures: dict[_Place, _Failure] = {}
        self._outbox: deque[Callable[[], None]] = deque()
        self._n_busy = self._n_side = 0
        self._is_closed = False
        self._side = ThreadPoolExecutor(_N_SIDE_THREADS, thread_name_prefix="side")
        self._threads = [
            threading.Thread(target=self._work, name=f"tiles-{number}", daemon=True)
            for number in range(n_threads)
        ]
        for thread in self._threads:
            thread.start()

    # -- what is wanted --------------------------------------------------------------------------

    def request(self, wanted: Sequence[Wish]) -> None:
        """Replace all wishes, the first is the most urgent; older ones are forgotten unread.

        Tiles that are there already, or being read, cost nothing.
        """
        for source in {id(source): source for source, _key in wanted}.values():
            self._attach(source)
        with self._state:
            self._wanted = tuple(wanted)
            self._refill()
            self._state.notify_all()

    def add(self, source: TileSource, plane: Plane = Plane()) -> None:
        """Read the coarsest level of a source ahead of everything and keep it for good."""
        level = len(source.pyramid.levels) - 1
        columns, rows = source.pyramid.grid(level)
        self._attach(source)
        with self._state:
            self._cache.pin(source, level)
            for row in range(rows):
                for column in range(columns):
                    key = TileKey(level, column, row, plane)
                    if not self._is_fresh(source, key):
                        self._base[id(source), key] = source, key
            self._state.notify_all()

    def remove(self, source: TileSource) -> None:
        """Forget a source, its wishes and its tiles."""
        with self._state:
            _source, relay = self._sources.pop(id(source), (None, None))
            self._wanted = tuple(wish for wish in self._wanted if wish[0] is not source)
            for places in (self._todo, self._base, self._failures):
                for place in [place for place in places if place[0] == id(source)]:
                    del places[place]
            self._cache.forget(source)
        if relay is not None:
            source.changed.disconnect(relay)

    def _attach(self, source: TileSource) -> None:
        relay = partial(self._on_changed, source)
        with self._state:
            if self._sources.setdefault(id(source), (source, relay))[1] is not relay:
                return
        source.changed.connect(relay)  # not under our lock: a signal has one of its own

    def _refill(self) -> None:
        """Queue the wishes that are open; those with nothing to show yet come first."""
        open_wishes = [wish for wish in self._wanted if not self._is_fresh(*wish)]
        open_wishes.sort(key=lambda wish: self._cache.get(*wish) is not None)
        self._todo = {(id(source), key): (source, key) for source, key in open_wishes}

    def _is_fresh(self, source: TileSource, key: TileKey) -> bool:
        tile = self._cache.get(source, key)
        return tile is not None and tile.is_fresh and tile.style_version == source.style_version

    def _on_changed(self, source: TileSource, rect_l0: Rect | None) -> None:
        """Have all tiles that touch a rectangle painted again; they stand in until then."""
        coarsest = len(source.pyramid.levels) - 1
        with self._state:
            for level in range(coarsest + 1):
                reading = [
                    key
                    for (owner, key) in self._reading
                    if owner == id(source) and key.level == level
                ]
                for key in _touched(source, level, reading, rect_l0):
                    self._reading[id(source), key] = True
                for key in _touched(source, level, self._cache.keys(source, level), rect_l0):
                    self._cache.outdate(source, key)
                    if level == coarsest:
                        self._base[id(source), key] = source, key
            for place in [place for place in self._failures if place[0] == id(source)]:
                del self._failures[place]
            self._refill()
            self._state.notify_all()

    # -- what is there ---------------------------------------------------------------------------

    def get(self, source: TileSource, key: TileKey) -> Rgba | None:
        """Return the finished tile; None: not there yet; size 0: there is nothing to draw."""
        tile = self._cache.get(source, key)
        return tile.pixels if tile is not None and self._is_fresh(source, key) else None

    def pieces(self, source: TileSource, key: TileKey) -> tuple[Piece, ...]:
        """Return what to draw for a tile now; empty when there is nothing (yet).

        The tile itself when it is there, else what stands in for it: its outdated version, finer
        tiles that cover it, or coarser ones. Pieces never overlap.
        """
        tile = self._cache.get(source, key)
        if tile is not None:
            return pieces_of(tile, source.pyramid.tile_l0(key), self._is_fresh(source, key))
        return stand_in(self._cache, source, key)

    def best(self, source: TileSource, key: TileKey) -> Piece | None:
        """Return the first of `pieces`, or None."""
        return next(iter(self.pieces(source, key)), None)

    def failure(self, source: TileSource, key: TileKey) -> str | None:
        """Return why a tile could not be read last time, as a sentence."""
        failure = self._failures.get((id(source), key))
        return None if failure is None else failure.reason

    @property
    def n_pending(self) -> int:
        """Number of tiles that are wanted and not there yet."""
        with self._state:
            return len(self._todo.keys() | self._base.keys() | self._reading.keys())

    # -- the threads -----------------------------------------------------------------------------

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            wish, is_base = taken
            self._read(*wish)
            with self._state:
                self._is_reading_base = self._is_reading_base and not is_base
                self._n_busy -= 1
                self._state.notify_all()

    def _next(self) -> tuple[Wish, bool] | None:
        """Wait for the most urgent tile; None: closed."""
        with self._state:
            while not self._is_closed:
                wish = None if self._is_reading_base else self._pop(self._base)
                is_base = wish is not None
                wish = wish or self._pop(self._todo)
                if wish is not None:
                    self._is_reading_base |= is_base
                    self._n_busy += 1
                    return wish, is_base
                self._state.wait(self._until_retry())
        return None

    def _pop(self, places: dict[_Place, Wish]) -> Wish | None:
        now = time.monotonic()
        for place in places:
            failure = self._failures.get(place)
            if place not in self._reading and (failure is None or failure.retry_at <= now):
                wish = places.pop(place)
                self._reading[place] = False
                return wish
        return None

    def _until_retry(self) -> float | None:
        waiting = [
            failure.retry_at
            for place, failure in self._failures.items()
            if place in self._todo or place in self._base
        ]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _read(self, source: TileSource, key: TileKey) -> None:
        version = source.style_version
        try:
            result = source.read_tile(key)
        except PathoViewError as error:
            self._note_failure(source, key, str(error))
            return
        except Exception:
            _logger.exception("a tile of level %d cannot be painted", key.level)
            self._note_failure(source, key, _("A part of the picture cannot be drawn."))
            return
        pixels = result.pixels if isinstance(result, Unfinished) else result
        tile = CachedTile(NOTHING if pixels is None else pixels, version)
        place = id(source), key
        with self._state:
            has_changed = self._reading.pop(place)
            tile.is_fresh = not has_changed and not isinstance(result, Unfinished)
            if id(source) not in self._sources:
                return
            self._failures.pop(place, None)
            self._cache.put(source, key, tile)
            if not tile.is_fresh:
                self._refill()
                if key.level == len(source.pyramid.levels) - 1:
                    self._base[place] = source, key
        self._say(partial(self.ready.emit, source, key))

    def _note_failure(self, source: TileSource, key: TileKey, reason: str) -> None:
        place = id(source), key
        with self._state:
            del self._reading[place]
            if id(source) not in self._sources:
                return
            before = self._failures.get(place)
            n_times = 1 if before is None else before.n_times + 1
            pause = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2 ** (n_times - 1))
            self._failures[place] = _Failure(reason, n_times, time.monotonic() + pause)
            if (source, key) in self._wanted:
                self._todo[place] = source, key
        if before is None or before.reason != reason:
            self._say(partial(self.failed.emit, source, key, reason))

    # -- other background work -------------------------------------------------------------------

    def submit(
        self,
        work: Callable[[], T],
        done: Callable[[T | None, BaseException | None], None],
    ) -> None:
        """Do short background work; ``done(result, error)`` is called through ``post``."""
        with self._state:
            if self._is_closed:
                return
            self._n_side += 1
        self._side.submit(work).add_done_callback(partial(self._on_done, done))

    def _on_done(
        self, done: Callable[[T | None, BaseException | None], None], future: Future[T]
    ) -> None:
        if not future.cancelled():
            error = future.exception()
            result = None if error is not None else future.result()
            self._say(partial(done, result, error))
        with self._state:
            self._n_side -= 1
            self._state.notify_all()

    def _say(self, words: Callable[[], None]) -> None:
        """Have something called through ``post``; what gathers meanwhile goes in one go."""
        with self._state:
            self._outbox.append(words)
            if len(self._outbox) > 1 or self._is_closed:
                return
        self._post(self._deliver)

    def _deliver(self) -> None:
        with self._state:
            words = tuple(self._outbox)
            self._outbox.clear()
        for word in words:
            word()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is left to do; for tests and scripts. False: it took too long.

        Tiles that failed and wait for another try do not count.
        """
        deadline = time.monotonic() + timeout_s
        with self._state:
            while self._is_busy():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._state.wait(left)
        return True

    def _is_busy(self) -> bool:
        waiting = (self._todo.keys() | self._base.keys()) - self._failures.keys()
        return bool(waiting or self._n_busy or self._n_side)

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop the threads after what they are reading now; waits no longer than told."""
        with self._state:
            self._is_closed = True
            self._outbox.clear()
            self._state.notify_all()
        self._side.shutdown(wait=False, cancel_futures=True)
        for source, _relay in tuple(self._sources.values()):
            self.remove(source)
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))


def _touched(
    source: TileSource, level: int, keys: Sequence[TileKey], rect_l0: Rect | None
) -> Sequence[TileKey]:
    if rect_l0 is None or not keys:
        return keys
    rect = source.pyramid.to_level(rect_l0, level).scaled(1 / source.pyramid.tile_size)
    left, top = math.floor(rect.x), math.floor(rect.y)
    right, bottom = math.ceil(rect.right), math.ceil(rect.bottom)
    return [key for key in keys if left <= key.col < right and top <= key.row < bottom]
