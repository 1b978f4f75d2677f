"""MP/s of direct reading beside OpenSlide's, in one run.

`pytest tests/benchmarks/bench_readers.py -s` on a machine that does nothing else.

Both sides decode every tile they are asked for: OpenSlide's cache is 0 bytes, and so is ours. For
each slide the two take turns; the best of the rounds is the speed, and the ratio is the median of
the rounds' ratios, since other work on the machine comes and goes. glibc is told to keep freed
memory: whether a decoder's buffers are handed back to the system after each tile depends on how the
heap happens to lie, and made either side up to half as fast again from one process to the next.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile

from pathoview.slides.tiff_opening import open_tiff
from pathoview.slides.tile_cache import DecodedTiles

JPEG_SLIDES = ("CMU-1-Small-Region.svs", "bcss/bcss_1008.tif", "prostate_2500_pyramid.tiff")
OTHER_SLIDES = ("openslide-python-fixtures/boxes.tiff", "large_image/yb10kx5k.zstd.tiff")
RECT_PX = 512
ROUNDS = 9
SECONDS_PER_ROUND = 0.2

Rect = tuple[int, int, int, int]
Read = Callable[[Rect], object]


@pytest.fixture
def steady_heap() -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        for parameter, size in ((-1, 256 << 20), (-2, 16 << 20), (-3, 32 << 20)):
            libc.mallopt(parameter, size)  # trim threshold, top pad, mmap threshold


@pytest.mark.usefixtures("steady_heap")
def test_readers_side_by_side(shared_data: Path, tmp_path: Path) -> None:
    files = {name: shared_data / "slides" / name for name in (*JPEG_SLIDES, *OTHER_SLIDES)}
    files["made: SVS, JPEG 2000"] = _jpeg_2000(tmp_path, files[JPEG_SLIDES[1]])
    print(f"\n\n{os.cpu_count()} cores; MP/s at level 0, caches off, best of {ROUNDS} rounds")
    print(f"{'slide':40} {'rectangles':12} threads  OpenSlide   direct    ratio")
    ratios: dict[tuple[str, str, int], float] = {}
    for name, file in files.items():
        for kind in ("tiles", f"{RECT_PX} px"):
            for threads in (1, 2):
                slow, fast, ratio = _compare(file, kind, threads)
                ratios[name, kind, threads] = ratio
                row = f"{name[-40:]:40} {kind:12} {threads:7} {slow:10.1f} {fast:8.1f}"
                print(f"{row} {ratio:8.2f}")
    for name in JPEG_SLIDES:
        for threads in (1, 2):
            assert ratios[name, "tiles", threads] >= 4, (name, threads)


def _compare(file: Path, kind: str, threads: int) -> tuple[float, float, float]:
    """Return MP/s of OpenSlide, MP/s of the direct reader, and how many times as fast it is."""
    with open_tiff(file) as slide, openslide.OpenSlide(file) as other:
        slide._tiles = DecodedTiles(0)
        other.set_cache(openslide.OpenSlideCache(0))
        width, height = slide.info.width, slide.info.height
        size = slide.info.native_tile_px
        rects = _tiles(width, height, size) if kind == "tiles" else _random_rects(width, height)

        def read_openslide(rect: Rect) -> object:
            return np.asarray(other.read_region(rect[:2], 0, rect[2:]))[..., :3]

        def read_directly(rect: Rect) -> object:
            return slide.read(0, *rect)

        speeds = [
            (_speed(read_openslide, rects, threads), _speed(read_directly, rects, threads))
            for _round in range(ROUNDS)
        ]
    slow, fast = (max(one) for one in zip(*speeds, strict=True))
    return slow, fast, float(np.median([b / a for a, b in speeds]))


def _tiles(width: int, height: int, size: int) -> list[Rect]:
    """Whole tiles inside the picture; a picture smaller than a tile is one rectangle."""
    rows, columns = max(height // size, 1), max(width // size, 1)
    whole = [(c * size, r * size, size, size) for r in range(rows) for c in range(columns)]
    return [whole[i] for i in np.random.default_rng(0).permutation(len(whole))]


def _random_rects(width: int, height: int) -> list[Rect]:
    rng = np.random.default_rng(0)
    w, h = min(RECT_PX, width), min(RECT_PX, height)
    corners = rng.integers(0, (width - w + 1, height - h + 1), (64, 2))
    return [(int(x), int(y), w, h) for x, y in corners]


def _speed(read: Read, rects: Sequence[Rect], threads: int) -> float:
    """Return MP/s of ``threads`` threads that each read their share until the time is over."""
    for rect in rects[:4]:
        read(rect)
    start = time.perf_counter()

    def work(first: int) -> int:
        n_pixels = 0
        for rect in cycle(rects[first::threads] or rects):
            read(rect)
            n_pixels += rect[2] * rect[3]
            if time.perf_counter() - start > SECONDS_PER_ROUND:
                break
        return n_pixels

    with ThreadPoolExecutor(threads) as pool:
        n_pixels = sum(pool.map(work, range(threads)))
    return n_pixels / (time.perf_counter() - start) / 1e6


def _jpeg_2000(folder: Path, source: Path) -> Path:
    file = folder / "jpeg2000.svs"
    with open_tiff(source) as slide:
        image = slide.read(0, 0, 0, 2048, 2048)
    text = "Aperio Image Library v11\r\n2048x2048 (256x256) J2K/KDU|AppMag = 40|MPP = 0.25"
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(
            image,
            tile=(256, 256),
            compression="APERIO_JP2000_RGB",
            compressionargs={"level": 40},
            photometric="rgb",
            description=text,
            metadata=None,
        )
    return file
