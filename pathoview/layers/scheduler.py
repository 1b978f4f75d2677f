"""Brings the tiles that are wanted now, and whatever comes nearest until they are there.

The canvas tells what it wants (`TileScheduler.request`), draws what is there
(`TileScheduler.pieces`), and draws again when `TileScheduler.ready` says so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import TypeVar

import cv2
import numpy as np
from psygnal import Signal

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import PathoViewError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane, TileKey
from pathoview.core.threads import work_in_background
from pathoview.core.translation import _
from pathoview.layers.cache import CachedTile, TileCache
from pathoview.layers.failures import Failures
from pathoview.layers.readings import Readings
from pathoview.layers.side_work import Outbox, Post, SideWork
from pathoview.layers.source import Rgba, TileSource, Unfinished
from pathoview.layers.stand_in import Piece, pieces_of, stand_in
from pathoview.layers.wishes import Place, Wish, Wishes, fitting, place_of

_logger = logging.getLogger(__name__)

T = TypeVar("T")

NOTHING: Rgba = np.empty((0, 0, 4), np.uint8)
"""The tile of a place where there is nothing to draw."""


class TileScheduler:
    """Reads wanted tiles in threads. All methods may be called from any thread."""

    ready = Signal(object, object)
    """(source, TileKey): a tile can be drawn, better than before. Emitted through ``post``."""
    failed = Signal(object, object, str)
    """(source, TileKey, reason): a tile cannot be read for now. Emitted through ``post``."""

    def __init__(self, cache: TileCache, post: Post, n_threads: int = 3) -> None:
        self._cache = cache
        self._state = threading.Condition()
        self._sources: dict[int, tuple[TileSource, Callable[[Rect | None], None]]] = {}
        self._wishes = Wishes(
            lambda wish: self._is_fresh(*wish), lambda wish: cache.get(*wish) is not None
        )
        self._base: dict[Place, Wish] = {}
        """Tiles of the coarsest levels: read before all others, by one thread at most."""
        self._readings = Readings(n_threads)
        self._failures = Failures()
        self._outbox = Outbox(post)
        self._side = SideWork(self._outbox, self._wake)
        self.n_read = 0
        """Number of tiles read since the start, those that failed among them."""
        self._is_closed = False
        self._threads: set[threading.Thread] = set()
        self._numbers = count()
        for _thread in range(n_threads):
            self._start_thread()

    @property
    def memory(self) -> ByteCache:
        """What holds the tiles, and other things that layers keep."""
        return self._cache.memory

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
        ahead = fitting(wanted, ahead, self._cache.memory.max_bytes // 2)
        with self._state:
            self._wishes.set(client, wanted, ahead, self._readings)
            if self._wishes.wanted or self._wishes.ahead:
                self._state.notify_all()

    def forget_client(self, client: Hashable) -> None:
        """Forget the wishes of a client that is gone."""
        self.request((), (), client)

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
            for place in [place for place in self._base if place[0] == id(source)]:
                del self._base[place]
            self._failures.forget(id(source))
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
        return _is_current(self._cache.get(source, key), source)

    def _on_changed(self, source: TileSource, rect_l0: Rect | None) -> None:
        """Have all tiles that touch a rectangle painted again; they stand in until then."""
        coarsest = len(source.pyramid.levels) - 1
        with self._state:
            touched = partial(source.pyramid.touched, rect_l0=rect_l0)
            for key in touched(self._readings.of(source)):
                self._readings[id(source), key].has_changed = True
            for key in touched(self._cache.keys(source)):
                self._cache.outdate(source, key)
                if key.level == coarsest:
                    self._base[id(source), key] = source, key
            self._failures.forget(id(source))
            self._wishes.reopen()
            self._state.notify_all()

    # -- what is there ---------------------------------------------------------------------------

    def get(self, source: TileSource, key: TileKey) -> Rgba | None:
        """Return the finished tile; None: not there yet; size 0: there is nothing to draw."""
        tile = self._cache.get(source, key)
        return tile.pixels if tile is not None and _is_current(tile, source) else None

    def pieces(self, source: TileSource, key: TileKey) -> tuple[Piece, ...]:
        """Return what to draw for a tile now; empty when there is nothing (yet).

        The tile itself when it is there, else what stands in for it: its outdated version, finer
        tiles that cover it, or coarser ones. Pieces never overlap.
        """
        tile = self._cache.get(source, key)
        if tile is not None:
            return pieces_of(tile, source.pyramid.tile_l0(key), _is_current(tile, source))
        return stand_in(self._cache, source, key)

    @property
    def has_failures(self) -> bool:
        """Whether any tile could not be read last time."""
        return bool(self._failures)

    def failure(self, source: TileSource, key: TileKey) -> str | None:
        """Return why a tile could not be read last time, as a sentence."""
        return self._failures.reason((id(source), key))

    def retry_failed(self) -> None:
        """Try all tiles that could not be read again at once."""
        with self._state:
            self._failures.retry()
            self._state.notify_all()

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

    def _start_thread(self) -> None:
        name = f"tiles-{next(self._numbers)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        work_in_background()
        while (wish := self._next()) is not None:
            self._read(*wish)
            with self._state:
                self._readings.end(place_of(wish))
                self.n_read += 1
                self._state.notify_all()
                if len(self._threads) > self._readings.n_threads:
                    break
        with self._state:
            self._threads.discard(threading.current_thread())

    def _next(self) -> Wish | None:
        """Wait for the most urgent tile; None: closed.

        One thread waits at any time, if only to see which of the others are late.
        """
        with self._state:
            while not self._is_closed:
                now = time.monotonic()
                self._tell_of_hung(now)
                wish = None if self._readings.is_full else self._begun(now)
                if wish is not None:
                    has_watch = len(self._threads) > len(self._readings)
                    if not has_watch and len(self._threads) < self._readings.most_threads:
                        self._start_thread()
                    return wish
                self._state.wait(self._pause(now))
        return None

    def _begun(self, now: float) -> Wish | None:
        blocked = self._readings.blocked()
        for places, is_base, is_ahead in self._queues():
            for place, wish in places.items():
                if (
                    place not in self._readings
                    and place[0] not in blocked
                    and self._failures.may_try(place, now)
                ):
                    self._readings.begin(wish, is_base=is_base, is_ahead=is_ahead)
                    return wish
        return None

    def _queues(self) -> Iterator[tuple[Mapping[Place, Wish], bool, bool]]:
        """Yield what may be begun now, whether it is of a coarsest level, whether it is ahead."""
        if self._readings.has_room_for_base:
            yield self._base, True, False
        yield self._wishes.wanted, False, False
        if self._readings.has_room_for_ahead:
            yield self._wishes.ahead, False, True

    def _pause(self, now: float) -> float | None:
        """Return for how many seconds there is nothing to do, unless something comes."""
        times = self._failures.next_try(self._open, now), self._readings.next_look()
        known = [at for at in times if at is not None]
        return max(0.0, min(known) - now) if known else None

    def _tell_of_hung(self, now: float) -> None:
        for item in self._readings.look(now):
            reason = _("This part takes long to read; perhaps the disk does not answer.")
            if id(item.source) in self._sources:
                place = place_of((item.source, item.key))
                self._failures.note(place, reason, is_over=False)
                self._outbox.say(partial(self.failed.emit, item.source, item.key, reason))

    def _read(self, source: TileSource, key: TileKey) -> None:
        version = source.style_version
        try:
            result = source.read_tile(key)
        except PathoViewError as error:
            self._note_failure(source, key, str(error))
            return
        except Exception as error:
            if _is_lack_of_memory(error):
                self._make_room()
                reason = _("Memory has run short; this part is drawn as soon as there is some.")
            else:
                _logger.exception("a tile of level %d cannot be painted", key.level)
                reason = _("A part of the picture cannot be drawn.")
            self._note_failure(source, key, reason)
            return
        pixels = result.pixels if isinstance(result, Unfinished) else result
        tile = CachedTile(NOTHING if pixels is None else pixels, version)
        place = id(source), key
        with self._state:
            has_changed = self._readings[place].has_changed
            tile.is_fresh = not (has_changed or isinstance(result, Unfinished))
            if id(source) not in self._sources:
                return
            self._failures.clear(place)
            self._cache.put(source, key, tile)
            if self._is_fresh(source, key):
                self._base.pop(place, None)
                self._wishes.done(place)
            else:
                self._wishes.postpone(place)
        self._outbox.say(partial(self.ready.emit, source, key))

    def _make_room(self) -> None:
        """Drop all tiles but the coarsest; those that are seen come again."""
        self._cache.memory.clear()
        with self._state:
            self._wishes.reopen()

    def _note_failure(self, source: TileSource, key: TileKey, reason: str) -> None:
        with self._state:
            if id(source) not in self._sources:
                return
            is_news = self._failures.note((id(source), key), reason)
        if is_news:
            self._outbox.say(partial(self.failed.emit, source, key, reason))

    # -- other background work -------------------------------------------------------------------

    def submit(
        self,
        work: Callable[[], T],
        done: Callable[[T | None, BaseException | None], None],
    ) -> None:
        """Do short background work; ``done(result, error)`` is called through ``post``."""
        self._side.submit(work, done)

    def _wake(self) -> None:
        with self._state:
            self._state.notify_all()

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
        waiting = self._open - self._failures.places
        return bool(waiting or len(self._readings) or self._side.is_busy)

    @property
    def _open(self) -> set[Place]:
        return self._base.keys() | self._wishes.wanted.keys() | self._wishes.ahead.keys()

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop the threads after what they are reading now; waits no longer than told."""
        with self._state:
            self._is_closed = True
            self._state.notify_all()
            threads = tuple(self._threads)
        self._outbox.close()
        self._side.close()
        for source, _relay in tuple(self._sources.values()):
            self.remove(source)
        deadline = time.monotonic() + timeout_s
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))


def _is_current(tile: CachedTile | None, source: TileSource) -> bool:
    return tile is not None and tile.is_fresh and tile.style_version == source.style_version


def _is_lack_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (
        isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem
    )
