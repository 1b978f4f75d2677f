"""Disks that do not answer, tiles that cannot be read, and memory that has run short."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from painted import PlainSource

from pathoview.core.byte_cache import ByteCache
from pathoview.core.pyramid import TileKey
from pathoview.layers import failures, readings
from pathoview.layers.cache import TileCache
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.source import Rgba

Make = Callable[..., TileScheduler]


class HangingSource(PlainSource):
    """Does not answer for some of its tiles while its gate is closed."""

    def __init__(self, hanging: set[TileKey] | None = None) -> None:
        super().__init__()
        self.hanging = hanging
        self.n_asked = 0
        self.gate.clear()

    def read_tile(self, key: TileKey) -> Rgba | None:
        self.n_asked += 1
        if self.hanging is None or key in self.hanging:
            self.gate.wait(20)
        self.read.append(key)
        return np.zeros((128, 128, 4), np.uint8)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(readings, "_LATE_S", 0.05)
    monkeypatch.setattr(readings, "_HUNG_S", 0.1)
    made: list[TileScheduler] = []

    def new(n_threads: int = 1) -> TileScheduler:
        cache = TileCache(ByteCache(10**8))
        made.append(TileScheduler(cache, lambda call: call(), n_threads))
        return made[-1]

    yield new
    for scheduler in made:
        scheduler.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)


def n_threads() -> int:
    return sum(thread.name.startswith("tiles-") for thread in threading.enumerate())


KEYS = [TileKey(0, column, row) for column in range(8) for row in range(4)]


def test_a_disk_that_hangs_leaves_threads_for_other_sources(make: Make) -> None:
    gone, fine, scheduler = HangingSource(), PlainSource(), make(2)
    scheduler.request([(gone, key) for key in KEYS], client="left")
    scheduler.request([(fine, key) for key in KEYS], client="right")
    wait_until(lambda: len(fine.read) == len(KEYS))
    assert not gone.read
    assert gone.n_asked <= 3
    gone.gate.set()
    assert scheduler.wait_idle(10)
    assert sorted(map(hash, gone.read)) == sorted(map(hash, KEYS))
    wait_until(lambda: n_threads() <= 3)


def test_several_disks_that_hang_leave_a_thread_for_the_others(make: Make) -> None:
    before, scheduler, fine = n_threads(), make(2), PlainSource()
    gone = [HangingSource() for _disk in range(3)]
    scheduler.request([(source, key) for key in KEYS for source in gone])
    wait_until(lambda: all(source.n_asked >= 2 for source in gone))
    scheduler.request([(fine, key) for key in KEYS])
    wait_until(lambda: len(fine.read) == len(KEYS))
    assert n_threads() - before <= 10
    for source in gone:
        source.gate.set()
    assert scheduler.wait_idle(10)


def test_a_tile_that_hangs_does_not_stop_the_others_of_its_source(make: Make) -> None:
    source, scheduler = HangingSource({KEYS[0]}), make()
    scheduler.request([(source, key) for key in KEYS])
    wait_until(lambda: len(source.read) == len(KEYS) - 1)
    source.gate.set()
    assert scheduler.wait_idle(10)


def test_a_coarsest_level_that_hangs_does_not_stop_those_of_other_sources(make: Make) -> None:
    gone, fine, scheduler = HangingSource(), PlainSource(), make(2)
    scheduler.add(gone)
    scheduler.add(fine)
    wait_until(lambda: len(fine.read) == 1)
    gone.gate.set()
    assert scheduler.wait_idle(10)


def test_why_a_tile_does_not_come_can_be_asked_until_it_is_there(make: Make) -> None:
    source, scheduler = HangingSource(), make()
    told: list[str] = []
    scheduler.failed.connect(lambda _source, _key, reason: told.append(reason))
    scheduler.request([(source, KEYS[0])])
    wait_until(lambda: scheduler.failure(source, KEYS[0]) is not None)
    wait_until(lambda: len(told) > 0)
    source.gate.set()
    assert scheduler.wait_idle(10)
    assert scheduler.failure(source, KEYS[0]) is None
    assert scheduler.get(source, KEYS[0]) is not None
    assert told == ["This part takes long to read; perhaps the disk does not answer."]


def test_the_threads_sleep_while_a_disk_hangs(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    source, scheduler = HangingSource(), make(2)
    scheduler.request([(source, key) for key in KEYS])
    wait_until(lambda: scheduler.failure(source, KEYS[2]) is not None)
    looks = []
    look = scheduler._readings.look
    monkeypatch.setattr(scheduler._readings, "look", lambda now: looks.append(now) or look(now))
    time.sleep(0.2)
    source.gate.set()
    assert len(looks) < 20


def test_a_broken_coarsest_level_stops_nobody(make: Make) -> None:
    broken, fine, scheduler = PlainSource(), PlainSource(), make()
    coarsest = TileKey(len(broken.pyramid.levels) - 1, 0, 0)
    broken.broken.add(coarsest)
    scheduler.add(broken)
    scheduler.add(fine)
    scheduler.request([(broken, KEYS[0]), (fine, KEYS[0])])
    assert scheduler.wait_idle(10)
    assert scheduler.failure(broken, coarsest) == "The tile is broken."
    assert scheduler.get(broken, KEYS[0]) is not None
    assert scheduler.get(fine, coarsest) is not None


def test_a_person_need_not_wait_for_the_next_try(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "_FIRST_RETRY_S", 60.0)
    source, scheduler = PlainSource(), make()
    source.broken.add(KEYS[0])
    scheduler.request([(source, KEYS[0])])
    assert scheduler.wait_idle(10)
    source.broken.clear()
    assert scheduler.get(source, KEYS[0]) is None
    scheduler.retry_failed()
    wait_until(lambda: scheduler.get(source, KEYS[0]) is not None)
    assert not scheduler.has_failures


@pytest.mark.parametrize("error", [MemoryError(), cv2.error()])
def test_when_memory_runs_short_it_is_emptied_and_the_tile_comes_later(
    make: Make, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    if isinstance(error, cv2.error):
        error.code = cv2.Error.StsNoMem
    source, other, scheduler = PlainSource(), PlainSource(), make()
    scheduler.add(other)
    scheduler.request([(other, key) for key in KEYS])
    assert scheduler.wait_idle(10)
    memory = scheduler._cache.memory
    held = memory.n_bytes
    read_tile = source.read_tile

    def fail(key: TileKey) -> None:
        source.read.append(key)
        raise error

    monkeypatch.setattr(source, "read_tile", fail)
    scheduler.request([(source, KEYS[0])])
    wait_until(lambda: scheduler.has_failures)
    assert memory.n_bytes < held / 10
    assert scheduler.pieces(other, KEYS[0]), "the coarsest level stands in"
    assert scheduler.failure(source, KEYS[0]) == (
        "Memory has run short; this part is drawn as soon as there is some."
    )
    monkeypatch.setattr(source, "read_tile", read_tile)
    scheduler.retry_failed()
    wait_until(lambda: scheduler.get(source, KEYS[0]) is not None)
