from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from painted import PlainSource

from pathoview.core.byte_cache import ByteCache
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers import failures
from pathoview.layers.cache import TileCache
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.source import Unfinished

Make = Callable[..., TileScheduler]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[TileScheduler] = []

    def new(n_threads: int = 1, max_bytes: int = 10**8) -> TileScheduler:
        made.append(TileScheduler(TileCache(ByteCache(max_bytes)), lambda call: call(), n_threads))
        return made[-1]

    yield new
    for scheduler in made:
        scheduler.close()


def keys(level: int, n: int) -> list[TileKey]:
    return [TileKey(level, index % 8, index // 8) for index in range(n)]


def test_wanted_tiles_come_in_the_order_of_the_wishes(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    wanted = keys(0, 9)[::-1]
    scheduler.request([(source, key) for key in wanted])
    assert scheduler.wait_idle(5)
    assert source.read == wanted
    tile = scheduler.get(source, wanted[0])
    assert tile is not None
    assert tile.shape == (128, 128, 4)


def test_wishes_that_are_no_longer_wanted_are_never_read(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    source.gate.clear()
    scheduler.request([(source, key) for key in keys(0, 30)])
    assert source.started.acquire(timeout=5)
    scheduler.request([(source, TileKey(1, 0, 0))])
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert source.read == [TileKey(0, 0, 0), TileKey(1, 0, 0)]


def test_clients_are_served_in_turn_and_replace_only_their_own_wishes(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    source.gate.clear()
    scheduler.request([(source, key) for key in keys(0, 4)], client="left")
    assert source.started.acquire(timeout=5)
    scheduler.request([(source, key) for key in keys(1, 3)], client="right")
    scheduler.request([(source, key) for key in keys(2, 2)], client="right")
    source.gate.set()
    assert scheduler.wait_idle(5)
    left, right = keys(0, 4), keys(2, 2)
    assert source.read == [left[0], right[0], left[1], right[1], left[2], left[3]]
    assert scheduler.n_read == 6
    assert scheduler.n_dropped == 3


def test_a_client_that_is_gone_has_no_wishes(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    source.gate.clear()
    both = TileKey(1, 0, 0)
    scheduler.request([(source, key) for key in (*keys(0, 9), both)], client="left")
    assert source.started.acquire(timeout=5)
    scheduler.request([(source, both)], client="right")
    scheduler.forget_client("left")
    assert scheduler.n_pending == 1
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert source.read == [TileKey(0, 0, 0), both]


def test_what_has_nothing_to_show_comes_before_what_is_only_outdated(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    old, new = keys(0, 3), keys(1, 3)
    scheduler.request([(source, key) for key in old])
    assert scheduler.wait_idle(5)
    source.read.clear()
    source.style_version = 1
    source.gate.clear()
    scheduler.request([(source, TileKey(3, 0, 0))], client="first")
    scheduler.request([(source, key) for key in old], client="left")
    scheduler.request([(source, key) for key in new], client="right")
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert source.read[1:] == [*new, *old]


def test_tiles_ahead_are_read_when_nothing_is_wanted_by_anybody(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    seen, ahead, other = keys(0, 3), keys(1, 3), keys(2, 2)
    source.gate.clear()
    scheduler.request([(source, seen[0])], [(source, key) for key in ahead], client="left")
    assert source.started.acquire(timeout=5)
    scheduler.request([(source, key) for key in (*other, ahead[2])], client="right")
    assert scheduler.n_pending == 4
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert source.read == [seen[0], *other, ahead[2], ahead[0], ahead[1]]


def test_one_thread_stays_free_while_tiles_ahead_are_read(make: Make) -> None:
    source, scheduler = PlainSource(), make(3)
    source.gate.clear()
    scheduler.request([], [(source, key) for key in keys(0, 6)])
    for _thread in range(2):
        assert source.started.acquire(timeout=5)
    assert not source.started.acquire(timeout=0.05)
    scheduler.request([(source, TileKey(1, 0, 0))])
    assert source.started.acquire(timeout=5)
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert len(source.read) == 3
    assert scheduler.n_dropped == 4


def test_tiles_ahead_never_push_out_what_is_seen(make: Make) -> None:
    source, scheduler = PlainSource(), make(2, max_bytes=10 * 128 * 128 * 4)
    seen, ahead = keys(0, 3), keys(1, 16)
    scheduler.request([(source, key) for key in seen], [(source, key) for key in ahead])
    assert scheduler.wait_idle(5)
    assert all(scheduler.get(source, key) is not None for key in seen)
    assert len(source.read) == 5


def test_only_the_tiles_in_flight_are_read_after_the_view_has_moved(make: Make) -> None:
    source, scheduler = PlainSource(), make(2)
    source.gate.clear()
    for client in ("left", "right"):
        wishes = [(source, key) for key in keys(0 if client == "left" else 1, 16)]
        scheduler.request(wishes[:8], wishes[8:], client=client)
    for _thread in range(2):
        assert source.started.acquire(timeout=5)
    for client in ("left", "right"):
        scheduler.request([], client=client)
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert len(source.read) == 2
    assert scheduler.n_read + scheduler.n_dropped == 32


def test_a_tile_is_read_once_however_often_it_is_wanted(make: Make) -> None:
    source, scheduler = PlainSource(), make(3)
    for _frame in range(20):
        scheduler.request([(source, key) for key in keys(0, 8)])
    assert scheduler.wait_idle(5)
    scheduler.request([(source, key) for key in keys(0, 8)])
    assert scheduler.wait_idle(5)
    assert sorted(source.read, key=lambda key: key.col) == keys(0, 8)


def test_the_picture_is_never_blank_once_the_coarsest_level_is_there(make: Make) -> None:
    source, scheduler = PlainSource(), make(2, max_bytes=400_000)
    scheduler.add(source)
    assert scheduler.wait_idle(5)
    for level in range(len(source.pyramid.levels)):
        columns, rows = source.pyramid.grid(level)
        for row in range(rows):
            for column in range(columns):
                key = TileKey(level, column, row)
                wanted_l0 = source.pyramid.tile_l0(key)
                pieces = scheduler.pieces(source, key)
                assert sum(piece.rect_l0.area for piece in pieces) == wanted_l0.area
                scheduler.request([(source, key)])
    assert scheduler.wait_idle(5)
    coarsest = TileKey(len(source.pyramid.levels) - 1, 0, 0)
    assert scheduler.get(source, coarsest) is not None


def test_a_coarser_tile_stands_in_with_the_right_part_of_it(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    scheduler.request([(source, TileKey(2, 1, 0))])
    assert scheduler.wait_idle(5)
    (piece,) = scheduler.pieces(source, TileKey(0, 5, 2))
    assert piece.rect_l0 == Rect(640, 256, 128, 128)
    assert piece.part_px == Rect(32, 64, 32, 32)
    assert not piece.is_final
    assert scheduler.pieces(source, TileKey(0, 0, 0)) == ()


def test_finer_tiles_that_cover_the_place_stand_in_before_coarser_ones(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    fine = [TileKey(0, column, row) for row in (0, 1) for column in (0, 1)]
    scheduler.request([(source, key) for key in (*fine[:3], TileKey(2, 0, 0))])
    assert scheduler.wait_idle(5)
    assert [p.pixels[0, 0, 0] for p in scheduler.pieces(source, TileKey(1, 0, 0))] == [3]
    scheduler.request([(source, fine[3])])
    assert scheduler.wait_idle(5)
    pieces = scheduler.pieces(source, TileKey(1, 0, 0))
    assert [piece.pixels[0, 0, 0] for piece in pieces] == [1, 1, 1, 1]
    assert sum(piece.rect_l0.area for piece in pieces) == 256 * 256


def test_a_tile_whose_content_changed_stands_in_until_it_is_painted_again(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    near, far = TileKey(0, 0, 0), TileKey(0, 5, 5)
    scheduler.request([(source, near), (source, far)])
    assert scheduler.wait_idle(5)
    source.gate.clear()
    source.changed.emit(Rect(10, 10, 20, 20))
    assert scheduler.get(source, near) is None
    (piece,) = scheduler.pieces(source, near)
    assert not piece.is_final
    assert scheduler.get(source, far) is not None
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert scheduler.get(source, near) is not None
    assert source.read == [near, far, near]


def test_a_change_during_the_reading_has_the_tile_read_once_more(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    key = TileKey(0, 0, 0)
    source.gate.clear()
    scheduler.request([(source, key)])
    assert source.started.acquire(timeout=5)
    source.changed.emit(None)
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert source.read == [key, key]
    assert scheduler.get(source, key) is not None


def test_a_new_style_makes_tiles_outdated(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    key = TileKey(0, 0, 0)
    scheduler.request([(source, key)])
    assert scheduler.wait_idle(5)
    source.style_version = 1
    assert scheduler.get(source, key) is None
    assert len(scheduler.pieces(source, key)) == 1
    scheduler.request([(source, key)])
    assert scheduler.wait_idle(5)
    assert scheduler.get(source, key) is not None


def test_a_broken_tile_is_told_once_and_tried_again_later(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "_FIRST_RETRY_S", 0.05)
    source, scheduler = PlainSource(), make()
    bad, good = TileKey(0, 0, 0), TileKey(0, 1, 0)
    source.broken.add(bad)
    told: list[tuple[object, object, str]] = []
    scheduler.failed.connect(lambda *what: told.append(what), check_nargs=False)
    scheduler.request([(source, bad), (source, good)])
    assert scheduler.wait_idle(5)
    assert scheduler.get(source, good) is not None
    assert scheduler.failure(source, bad) == "The tile is broken."
    deadline = time.monotonic() + 5
    while source.read.count(bad) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    source.broken.clear()
    while scheduler.get(source, bad) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert scheduler.get(source, bad) is not None
    assert scheduler.failure(source, bad) is None
    assert told == [(source, bad, "The tile is broken.")]


def test_an_error_nobody_foresaw_leaves_the_thread_alive(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, scheduler = PlainSource(), make()
    other = PlainSource()

    def explode(key: TileKey) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(source, "read_tile", explode)
    scheduler.request([(source, TileKey(0, 0, 0)), (other, TileKey(0, 0, 0))])
    assert scheduler.wait_idle(5)
    assert scheduler.failure(source, TileKey(0, 0, 0)) == "A part of the picture cannot be drawn."
    assert scheduler.get(other, TileKey(0, 0, 0)) is not None


def test_a_removed_source_leaves_nothing_behind(make: Make) -> None:
    source, scheduler = PlainSource(), make()
    scheduler.add(source)
    assert scheduler.wait_idle(5)
    source.gate.clear()
    scheduler.request([(source, key) for key in keys(0, 8)])
    source.started.acquire()
    source.started.acquire(timeout=5)
    scheduler.remove(source)
    source.gate.set()
    assert scheduler.wait_idle(5)
    assert len(source.read) == 2
    assert scheduler.pieces(source, TileKey(0, 0, 0)) == ()


def test_background_work_comes_back_with_its_result_or_its_error(make: Make) -> None:
    scheduler = make()
    came: list[tuple[object, object]] = []
    scheduler.submit(lambda: 7, lambda result, error: came.append((result, error)))
    scheduler.submit(lambda: 1 // 0, lambda result, error: came.append((result, type(error))))
    assert scheduler.wait_idle(5)
    assert set(came) == {(7, None), (None, ZeroDivisionError)}


def test_a_tile_that_comes_bit_by_bit_is_left_as_it_is_when_nobody_wants_it_any_more(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, scheduler = PlainSource(), make()
    key, read_tile = TileKey(0, 0, 0), source.read_tile

    def some_of_it(key: TileKey) -> Unfinished:
        pixels = read_tile(key)
        assert pixels is not None
        return Unfinished(pixels)

    monkeypatch.setattr(source, "read_tile", some_of_it)
    scheduler.request([(source, key)])
    for _time in range(3):
        assert source.started.acquire(timeout=5)
    scheduler.request([])
    assert scheduler.wait_idle(5)
    assert scheduler.get(source, key) is None
    assert len(scheduler.pieces(source, key)) == 1


def test_tiles_with_nothing_in_them_are_remembered_as_such(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, scheduler = PlainSource(), make()
    monkeypatch.setattr(source, "read_tile", lambda key: None)
    scheduler.request([(source, TileKey(0, 0, 0))])
    assert scheduler.wait_idle(5)
    tile = scheduler.get(source, TileKey(0, 0, 0))
    assert tile is not None
    assert tile.size == 0
    assert scheduler.pieces(source, TileKey(0, 0, 0)) == ()
    assert np.size(tile) == 0
