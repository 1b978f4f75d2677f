from __future__ import annotations

import gc
import threading

import numpy as np

from pathoview.core.byte_cache import PINNED, ByteCache, Share, owned, real_bytes


def fill(share: Share[int, str], keys: range, n_bytes: int = 10) -> None:
    for key in keys:
        share.put(key, str(key), n_bytes)


def test_what_was_used_longest_ago_makes_room_whoever_keeps_it() -> None:
    memory = ByteCache(100)
    one: Share[int, str] = Share(memory)
    other: Share[int, str] = Share(memory)
    fill(one, range(5))
    fill(other, range(5))
    assert one.get(0) == "0"
    fill(other, range(5, 7))
    assert list(one) == [3, 4, 0]
    assert list(other) == list(range(7))
    assert memory.n_bytes == 100


def test_a_smaller_number_takes_effect_at_once() -> None:
    memory = ByteCache(100)
    share: Share[int, str] = Share(memory)
    fill(share, range(10))
    memory.max_bytes = 30
    assert list(share) == [7, 8, 9]
    memory.max_bytes = 50
    fill(share, range(10, 20))
    assert list(share) == list(range(15, 20))


def test_pinned_things_stay_even_when_the_memory_is_emptied() -> None:
    memory = ByteCache(100)
    pinned: Share[int, str] = Share(memory, at_least=PINNED)
    usual: Share[int, str] = Share(memory)
    fill(pinned, range(5))
    fill(usual, range(50))
    assert len(pinned) == len(usual) == 5
    memory.clear()
    assert (len(pinned), len(usual)) == (5, 0)
    assert memory.n_bytes == 50


def test_the_newest_stays_even_when_pinned_things_fill_the_memory() -> None:
    memory = ByteCache(100)
    pinned: Share[int, str] = Share(memory, at_least=PINNED)
    usual: Share[int, str] = Share(memory)
    fill(pinned, range(12))
    fill(usual, range(3))
    assert list(usual) == [2]


def test_others_do_not_push_out_what_a_share_is_granted() -> None:
    memory = ByteCache(100)
    granted: Share[int, str] = Share(memory, at_least=0.3)
    usual: Share[int, str] = Share(memory)
    fill(granted, range(6))
    fill(usual, range(30))
    assert list(granted) == [3, 4, 5]
    assert memory.n_bytes == 100
    memory.max_bytes = 40
    assert list(granted) == [5]
    assert len(usual) == 3


def test_a_share_never_grows_beyond_its_part() -> None:
    memory = ByteCache(100)
    small: Share[int, str] = Share(memory, at_most=0.2)
    fill(small, range(5))
    assert list(small) == [3, 4]
    small.put(9, "too large", 21)
    assert small.get(9) is None


def test_a_value_put_in_place_of_another_counts_once() -> None:
    memory = ByteCache(100)
    share: Share[int, str] = Share(memory)
    for _time in range(3):
        fill(share, range(1))
    assert (len(share), memory.n_bytes) == (1, 10)
    share.discard(0)
    assert memory.n_bytes == 0


def test_a_share_that_nobody_holds_leaves_the_memory() -> None:
    memory = ByteCache(100)
    share: Share[int, str] | None = Share(memory)
    assert share is not None
    fill(share, range(10))
    share = None
    gc.collect()
    assert memory.n_bytes == 0


def test_many_threads_leave_the_count_of_bytes_right() -> None:
    memory = ByteCache(200)
    shares: list[Share[int, str]] = [Share(memory) for _thread in range(4)]

    def work(share: Share[int, str]) -> None:
        for number in range(500):
            share.put(number % 30, "", 10)
            share.get(number * 7 % 30)

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memory.n_bytes == sum(len(share) for share in shares) * 10 == 200


def test_a_view_counts_all_that_it_keeps_in_memory_and_is_copied() -> None:
    base = np.arange(1000, dtype=np.uint8)
    assert real_bytes(base) == 1000
    view = base[:600][100:110]
    assert real_bytes(view) == 1000
    assert owned(base) is base
    copy = owned(view)
    assert real_bytes(copy) == 10
    np.testing.assert_array_equal(copy, view)
    assert real_bytes(np.frombuffer(bytes(500), np.uint8)[:7]) == 500
    whole = base.reshape(10, 100)
    assert owned(whole) is whole
