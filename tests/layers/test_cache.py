from __future__ import annotations

import threading

import numpy as np
from painted import PlainSource

from pathoview.core.pyramid import TileKey
from pathoview.layers.cache import CachedTile, TileCache


def tile(side: int = 16) -> CachedTile:
    return CachedTile(np.zeros((side, side, 4), np.uint8), 0)


def test_it_never_holds_more_bytes_than_told_and_drops_what_was_used_longest_ago() -> None:
    source = PlainSource()
    cache = TileCache(4 * tile().n_bytes)
    for column in range(4):
        cache.put(source, TileKey(0, column, 0), tile())
    cache.get(source, TileKey(0, 0, 0))
    for column in range(4, 6):
        cache.put(source, TileKey(0, column, 0), tile())
        assert cache.n_bytes <= cache.max_bytes
    held = {key.col for key in cache.keys(source, 0)}
    assert held == {0, 3, 4, 5}


def test_pinned_levels_stay_whatever_comes() -> None:
    source = PlainSource()
    cache = TileCache(3 * tile().n_bytes)
    cache.pin(source, 3)
    cache.put(source, TileKey(3, 0, 0), tile())
    for column in range(20):
        cache.put(source, TileKey(0, column, 0), tile())
    assert cache.get(source, TileKey(3, 0, 0)) is not None
    assert cache.n_bytes <= cache.max_bytes


def test_a_tile_put_twice_counts_once() -> None:
    source = PlainSource()
    cache = TileCache(10**6)
    for _time in range(3):
        cache.put(source, TileKey(0, 0, 0), tile())
    assert len(cache) == 1
    assert cache.n_bytes == tile().n_bytes


def test_forgetting_a_source_frees_its_bytes_only() -> None:
    one, other = PlainSource(), PlainSource()
    cache = TileCache(10**6)
    cache.put(one, TileKey(0, 0, 0), tile())
    cache.put(other, TileKey(0, 0, 0), tile())
    cache.forget(one)
    assert cache.get(one, TileKey(0, 0, 0)) is None
    assert cache.get(other, TileKey(0, 0, 0)) is not None
    assert cache.n_bytes == tile().n_bytes


def test_many_threads_leave_the_count_of_bytes_right() -> None:
    source = PlainSource()
    cache = TileCache(20 * tile().n_bytes)

    def work(row: int) -> None:
        for column in range(200):
            cache.put(source, TileKey(0, column % 30, row), tile())
            cache.get(source, TileKey(0, (column * 7) % 30, row))

    threads = [threading.Thread(target=work, args=(row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.n_bytes == len(cache) * tile().n_bytes <= cache.max_bytes
