"""All caches together hold what the one number says, counted by walking what they hold."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest
from makers import he_image, make_svs
from painted import PlainSource

from pathoview.core.byte_cache import ByteCache
from pathoview.core.pyramid import TileKey
from pathoview.layers import slide_source
from pathoview.layers.cache import TileCache
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import Rgba, TileSource
from pathoview.slides.opening import open_slide

MEMORY = 4 * 2**20
N_TILES = 10_000
AT_ONCE = 25


class CuttingSource(PlainSource):
    """Its tiles are views of larger pictures."""

    def read_tile(self, key: TileKey) -> Rgba | None:
        return np.full((256, 256, 4), key.level, np.uint8)[:64, :64]


def bytes_of_arrays(*roots: object) -> int:
    """Return the bytes of all arrays that can be reached, each counted once."""
    seen: set[int] = set()
    owners: dict[int, int] = {}
    todo: list[Any] = list(roots)
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, type | ModuleType | FunctionType):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            if thing.base is None:
                owners[id(thing)] = thing.nbytes
            todo.append(thing.base)
        elif isinstance(thing, bytes | bytearray | memoryview):
            owners[id(thing)] = memoryview(thing).nbytes
        else:
            todo.extend(gc.get_referents(thing))
    return sum(owners.values())


@pytest.fixture
def memory() -> ByteCache:
    return ByteCache(MEMORY)


@pytest.fixture
def sources(
    tmp_path: Path, memory: ByteCache, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[TileSource, ...]]:
    """A slide that keeps raw and decoded tiles too, and a source whose tiles are views."""
    image = np.tile(he_image(512, 512), (6, 6, 1))
    monkeypatch.setattr(slide_source, "_TILE_PX", 64)
    with open_slide(make_svs(tmp_path / "a.svs", image, tile_px=64)) as slide:
        slide.use_memory(memory)
        yield SlideSource(slide, memory=memory), CuttingSource(8192, 8192, 64)


def wandering(sources: tuple[TileSource, ...]) -> Iterator[tuple[TileSource, TileKey]]:
    """Yield tiles of all sources and levels, mostly of the finest, no path twice."""
    chance = np.random.default_rng(3)
    while True:
        source = sources[int(chance.integers(len(sources)))]
        level = min(int(chance.geometric(0.6)) - 1, len(source.pyramid.levels) - 1)
        columns, rows = source.pyramid.grid(level)
        yield source, TileKey(level, int(chance.integers(columns)), int(chance.integers(rows)))


def test_browsing_ten_thousand_tiles_holds_what_the_setting_says(
    memory: ByteCache, sources: tuple[TileSource, ...]
) -> None:
    cache = TileCache(memory)
    scheduler = TileScheduler(cache, lambda call: call(), 2)
    for source in sources:
        scheduler.add(source)
    wishes = wandering(sources)
    try:
        while scheduler.n_read < N_TILES:
            scheduler.request([next(wishes) for _tile in range(AT_ONCE)])
            assert scheduler.wait_idle(20)
            if scheduler.n_read > N_TILES // 10 and not scheduler.n_read % 10:
                assert memory.n_bytes <= MEMORY
                held = bytes_of_arrays(memory._shares, cache, sources)
                assert held == pytest.approx(MEMORY, rel=0.1)
        assert sum(len(share) > 0 for share in memory._shares) >= 5, "a cache is not in use"
        memory.max_bytes = MEMORY // 2
        held = bytes_of_arrays(memory._shares, cache, sources)
        assert held == pytest.approx(MEMORY // 2, rel=0.1)
    finally:
        scheduler.close()
