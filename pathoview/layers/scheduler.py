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
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
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
from pathoview.layers.wishes import Place, Wishes, place_of
from pathoview.layers.wishes import Wish as Wish

_logger = logging.getLogger(__name__)

Post = Callable[[Callable[[], None]], None]
T = TypeVar("T")

NOTHING: Rgba = np.empty((0, 0, 4), np.uint8)
"""The tile of a place where there is nothing to draw."""
_N_SIDE_THREADS = 2
"""Threads for `TileScheduler.submit`; tiles never wait for such work."""
_FIRST_RETRY_S, _LAST_RETRY_S = 1.0, 60.0


@dataclass(slots=True)
class _Failure:
    reason: str
    n_times: int
    retry_at: float


@dataclass(slots=True)
class _Reading:
    is_base: bool = False
    is_ahead: bool = False
    has_changed: bool = False
    """The content has changed since the reading began."""


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
        self._wishes = Wishes(
            lambda wish: self._is_fresh(*wish), lambda wish: cache.get(*wish) is not None
        )
        self._base: dict[Place, Wish] = {}
        """Tiles of the coarsest levels: read before all others, by one thread at most."""
        self._reading: dict[Place, _Reading] = {}
        self._failures: dict[Place, _Failure] = {}
        self._outbox: deque[Callable[[], None]] = deque()
        self._n_side = 0
        self.n_read = 0
        """Number of tiles read since the start, those that failed among them."""
        self._is_closed = False
        self._side = ThreadPoolExecutor(_N_SIDE_THREADS, thread_name_prefix="side")
        self._threads = [
            threading.Thread(target=self._work, name=f"tiles-{number}", daemon=True)
            for number in range(n_threads)
        ]
        for thread in self._threads:
            thread.start()

    # -- what is wanted --------------------------------------------------------------------------

    def request(
        self, wanted: Sequence[Wish], ahead: Sequence[Wish] = (), client: Hashable = None
    ) -> None:
        """Replace all wishes of a client, the first is the most urgent; older ones are forgotten.

        What is ``ahead`` is read when nothing wanted is left to read for anybody. Tiles that are
        there already, or being read, cost nothing.
        """
        for source in {id(wish[0]): wish[0] for wish in (*wanted, *ahead)}.values():
            self._attach(source)
        with self._state:
            self._wishes.set(client, wanted, self._fitting(wanted, ahead), self._reading)
            if self._wishes.wanted or self._wishes.ahead:
                self._state.notify_all()

    def forget_client(self, client: Hashable) -> None:
        """Forget the wishes of a client that is gone."""
        self.request((), (), client)

    def _fitting(self, wanted: Sequence[Wish], ahead: Sequence[Wish]) -> Sequence[Wish]:
        """Return as many as do not push out of the cache what is seen now."""
        room = self._cache.memory.max_bytes // 2 - sum(map(_most_bytes, wanted))
        sizes = accumulate(map(_most_bytes, ahead))
        return [wish for wish, size in zip(ahead, sizes, strict=True) if size <= room]

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
            for places in (self._base, self._failures):
                for place in [place for place in places if place[0] == id(source)]:
                    del places[place]
            self._cache.forget(source)
            self._wishes.drop(source)
        if relay is not None:
            source.changed.disconnect(relay)

    def _attach(self, source: TileSource) -> None:
        relay = partial(self._on_changed, source)
        with self._state:
            if self._sources.setdefault(id(source), (source, relay))[1] is not relay:
                return
        source.changed.connect(relay)  # not under our lock: a signal has one of its own

    def _is_fresh(self, source: TileSource, key: TileKey) -> bool:
        tile = self._cache.get(source, key)
        return tile is not None and tile.is_fresh and tile.style_version == source.style_version

    def _on_changed(self, source: TileSource, rect_l0: Rect | None) -> None:
        """Have all tiles that touch a rectangle painted again; they stand in until then."""
        coarsest = len(source.pyramid.levels) - 1
        with self._state:
            reading = [key for (owner, key) in self._reading if owner == id(source)]
            for key in _touched(source, reading, rect_l0):
                self._reading[id(source), key].has_changed = True
            for key in _touched(source, self._cache.keys(source), rect_l0):
                self._cache.outdate(source, key)
                if key.level == coarsest:
                    self._base[id(source), key] = source, key
            for place in [place for place in self._failures if place[0] == id(source)]:
                del self._failures[place]
            self._wishes.reopen()
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

    @property
    def has_failures(self) -> bool:
        """Whether any tile could not be read last time."""
        return bool(self._failures)

    def failure(self, source: TileSource, key: TileKey) -> str | None:
        """Return why a tile could not be read last time, as a sentence."""
        failure = self._failures.get((id(source), key))
        return None if failure is None else failure.reason

    @property
    def n_pending(self) -> int:
        """Number of tiles that are wanted and not there yet."""
        with self._state:
            return len(self._wishes.wanted.keys() | self._base.keys())

    @property
    def n_dropped(self) -> int:
        """Number of wishes that were forgotten before they were read, since the start."""
        return self._wishes.n_dropped

    # -- the threads -----------------------------------------------------------------------------

    def _work(self) -> None:
        while (wish := self._next()) is not None:
            self._read(*wish)
            with self._state:
                del self._reading[place_of(wish)]
                self.n_read += 1
                self._state.notify_all()

    def _next(self) -> Wish | None:
        """Wait for the most urgent tile; None: closed."""
        with self._state:
            while not self._is_closed:
                for places, reading in self._queues():
                    if (wish := self._first_ready(places)) is not None:
                        self._reading[place_of(wish)] = reading
                        return wish
                self._state.wait(self._until_retry())
        return None

    def _queues(self) -> Iterator[tuple[Mapping[Place, Wish], _Reading]]:
        """Yield what may be begun now, and what it is then."""
        if not any(reading.is_base for reading in self._reading.values()):
            yield self._base, _Reading(is_base=True)
        yield self._wishes.wanted, _Reading()
        # One thread stays free for what is wanted next.
        n_ahead = sum(reading.is_ahead for reading in self._reading.values())
        if n_ahead < max(1, len(self._threads) - 1):
            yield self._wishes.ahead, _Reading(is_ahead=True)

    def _first_ready(self, places: Mapping[Place, Wish]) -> Wish | None:
        now = time.monotonic()
        for place, wish in places.items():
            failure = self._failures.get(place)
            if place not in self._reading and (failure is None or failure.retry_at <= now):
                return wish
        return None

    def _until_retry(self) -> float | None:
        waiting = [
            failure.retry_at
            for place, failure in self._failures.items()
            if place in self._base or place in self._wishes.wanted or place in self._wishes.ahead
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
            tile.is_fresh = not (self._reading[place].has_changed or isinstance(result, Unfinished))
            if id(source) not in self._sources:
                return
            self._failures.pop(place, None)
            self._cache.put(source, key, tile)
            if self._is_fresh(source, key):
                self._base.pop(place, None)
                self._wishes.done(place)
            else:
                self._wishes.postpone(place)
        self._say(partial(self.ready.emit, source, key))

    def _note_failure(self, source: TileSource, key: TileKey, reason: str) -> None:
        place = id(source), key
        with self._state:
            if id(source) not in self._sources:
                return
            before = self._failures.get(place)
            n_times = 1 if before is None else before.n_times + 1
            pause = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2 ** (n_times - 1))
            self._failures[place] = _Failure(reason, n_times, time.monotonic() + pause)
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
        wishes = self._wishes
        waiting = (self._base.keys() | wishes.wanted.keys() | wishes.ahead.keys()) - (
            self._failures.keys()
        )
        return bool(waiting or self._reading or self._n_side)

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


def _most_bytes(wish: Wish) -> int:
    return wish[0].pyramid.tile_size ** 2 * 4


def _touched(
    source: TileSource, keys: Sequence[TileKey], rect_l0: Rect | None
) -> Iterable[TileKey]:
    if rect_l0 is None:
        return keys
    tiles = []
    for level in range(len(source.pyramid.levels)):
        rect = source.pyramid.to_level(rect_l0, level).scaled(1 / source.pyramid.tile_size)
        columns = range(math.floor(rect.x), math.ceil(rect.right))
        rows = range(math.floor(rect.y), math.ceil(rect.bottom))
        tiles.append((columns, rows))
    return [k for k in keys if k.col in tiles[k.level][0] and k.row in tiles[k.level][1]]
