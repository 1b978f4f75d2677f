from __future__ import annotations

import threading

import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.byte_cache import ByteCache, Share
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers import raw_tiles
from pathoview.layers.cache import TileCache
from pathoview.layers.compose import compose
from pathoview.layers.layer import Layer
from pathoview.layers.raw_tiles import RawTiles
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.slide_source import SlideSource


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every call make one piece, each of 2 × 2 stored tiles."""
    monkeypatch.setattr(raw_tiles, "_SLICE_S", 0.0)
    monkeypatch.setattr(raw_tiles, "_HALVINGS_AT_ONCE", 1)


@pytest.mark.usefixtures("slow")
def test_a_tile_that_takes_long_comes_bit_by_bit_and_ends_up_whole() -> None:
    image = he_image(500, 420)
    image[:] = np.minimum(image, 200)
    tiles = RawTiles(ArraySlide(image), 64)
    key = TileKey(3, 0, 0)
    drawn, calls = [], 0
    is_whole = False
    while not is_whole:
        pixels, is_whole = tiles.read(key)
        drawn.append(float((pixels < 230).mean()))
        calls += 1
    assert calls == 16
    assert drawn[0] < 0.1
    assert drawn == sorted(drawn)
    assert drawn[-1] == 1
    expected = image[:416, :496].reshape(52, 8, 62, 8, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(pixels[:52, :62], expected, atol=3)


@pytest.mark.usefixtures("slow")
def test_a_tile_gets_whole_however_little_memory_others_leave() -> None:
    memory = ByteCache(400_000)
    slide = ArraySlide(he_image(500, 420))
    tiles, other = RawTiles(slide, 64, memory), Share[int, str](memory)
    for number in range(200):
        other.put(number, "", 5_000)
        pixels, is_whole = tiles.read(TileKey(3, 0, 0))
        if is_whole:
            break
    assert is_whole
    assert memory.n_bytes <= memory.max_bytes
    np.testing.assert_array_equal(pixels, RawTiles(slide, 64)._tile(TileKey(3, 0, 0)))


def test_what_was_made_once_is_not_read_again_unless_the_memory_was_too_small() -> None:
    slide = ArraySlide(he_image(500, 420))
    memory = ByteCache(8 * 2**20)
    tiles = RawTiles(slide, 64, memory)
    tiles.read(TileKey(2, 0, 0))
    slide.largest_read = 0
    tiles.read(TileKey(2, 0, 0))
    assert slide.largest_read == 0
    memory.max_bytes = 10_000
    tiles.read(TileKey(2, 0, 0))
    assert slide.largest_read > 0


@pytest.mark.usefixtures("slow")
def test_threads_share_the_work_on_a_tile_and_never_do_it_twice() -> None:
    slide = ArraySlide(he_image(512, 512))
    reads: list[tuple[int, int]] = []
    read = slide.read

    def counted(level: int, x: int, y: int, *rest: int) -> np.ndarray:
        reads.append((x, y))
        return read(level, x, y, *rest)  # type: ignore[arg-type]

    slide.read = counted  # type: ignore[method-assign,assignment]
    tiles = RawTiles(slide, 64)

    def work() -> None:
        while not tiles.read(TileKey(3, 0, 0))[1]:
            pass

    threads = [threading.Thread(target=work) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(reads) == len(set(reads)) == 16


@pytest.mark.usefixtures("slow")
def test_the_scheduler_shows_what_is_there_and_goes_on_until_it_is_whole() -> None:
    image = np.tile(he_image(512, 512), (8, 8, 1))
    source = SlideSource(ArraySlide(image))
    coarsest = TileKey(len(source.pyramid.levels) - 1, 0, 0)
    scheduler = TileScheduler(TileCache(ByteCache(10**8)), lambda call: call(), 2)
    shown: list[bool] = []
    scheduler.ready.connect(
        lambda _source, key: shown.append(scheduler.get(source, key) is not None)
    )
    scheduler.add(source)
    assert scheduler.wait_idle(30)
    assert scheduler.get(source, coarsest) is not None
    scheduler.close()
    assert shown[-1]
    assert shown.count(False) >= 10


@pytest.mark.usefixtures("slow")
def test_a_composed_picture_waits_for_all_of_it() -> None:
    image = np.zeros((2048, 2048, 3), np.uint8)
    layer = Layer("Slide", SlideSource(ArraySlide(image)))
    assert compose([layer], Rect(0, 0, 2048, 2048), 100, 100)[..., :3].max() == 0
