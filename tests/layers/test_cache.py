from __future__ import annotations

import numpy as np
from painted import PlainSource

from pathoview.core.byte_cache import ByteCache, real_bytes
from pathoview.core.pyramid import TileKey
from pathoview.layers.cache import CachedTile, TileCache


def tile(side: int = 16) -> CachedTile:
    return CachedTile(np.zeros((side, side, 4), np.uint8), 0)


def test_it_never_holds_more_bytes_than_told_and_drops_what_was_used_longest_ago() -> None:
    source = PlainSource()
    cache = TileCache(ByteCache(4 * tile().n_bytes))
    for column in range(4):
        cache.put(source, TileKey(0, column, 0), tile())
    cache.get(source, TileKey(0, 0, 0))
    for column in range(4, 6):
        cache.put(source, TileKey(0, column, 0), tile())
        assert cache.n_bytes <= cache.memory.max_bytes
    assert {key.col for key in cache.keys(source)} == {0, 3, 4, 5}


def test_pinned_levels_stay_whatever_comes() -> None:
    source = PlainSource()
    cache = TileCache(ByteCache(3 * tile().n_bytes))
    cache.put(source, TileKey(3, 0, 0), tile())
    cache.pin(source, 3)
    for column in range(20):
        cache.put(source, TileKey(0, column, 0), tile())
    assert cache.get(source, TileKey(3, 0, 0)) is not None
    assert cache.n_bytes <= cache.memory.max_bytes


def test_sources_share_the_memory() -> None:
    one, other = PlainSource(), PlainSource()
    cache = TileCache(ByteCache(4 * tile().n_bytes))
    for column in range(3):
        cache.put(one, TileKey(0, column, 0), tile())
    for column in range(3):
        cache.put(other, TileKey(0, column, 0), tile())
    assert [key.col for key in cache.keys(one)] == [2]
    assert len(cache) == 4


def test_forgetting_a_source_frees_its_bytes_only() -> None:
    one, other = PlainSource(), PlainSource()
    cache = TileCache(ByteCache(10**6))
    cache.put(one, TileKey(0, 0, 0), tile())
    cache.put(other, TileKey(0, 0, 0), tile())
    cache.forget(one)
    assert cache.get(one, TileKey(0, 0, 0)) is None
    assert cache.get(other, TileKey(0, 0, 0)) is not None
    assert cache.n_bytes == cache.memory.n_bytes == tile().n_bytes


def test_a_tile_cut_from_a_larger_picture_does_not_keep_that_in_memory() -> None:
    picture = np.zeros((256, 256, 4), np.uint8)
    cut = CachedTile(picture[:16, :16], 0)
    assert real_bytes(cut.pixels) == cut.pixels.nbytes == 1024
