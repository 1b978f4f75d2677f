"""Reads a path of tiles with one reader, and tells how long that took: `bench_tile_path.py`.

``python tile_path_runner.py JOB.json`` runs in a process of its own, by the interpreter to which
the reader belongs; so nothing but numpy is imported before a reader is chosen. Every reader is
asked for ``(downsample, x, y, width, height)``, px of the level of that downsample, and gives
(height, width, 3) uint8. All that it could remember of earlier tiles is switched off.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
Tile = tuple[int, int, int, int, int]
ReadTile = Callable[[int, int, int, int, int], Rgb]
ReadLevel = Callable[[int, int, int, int, int], Rgb]
"""The same, with the number of a level in place of the downsample."""


def deep_zoom(path: str, tile_px: int) -> ReadTile:
    from openslide import OpenSlide, OpenSlideCache
    from openslide.deepzoom import DeepZoomGenerator

    slide = OpenSlide(path)
    slide.set_cache(OpenSlideCache(0))
    zoom = DeepZoomGenerator(slide, tile_size=tile_px, overlap=0)

    def read(downsample: int, x: int, y: int, width: int, height: int) -> Rgb:
        level = zoom.level_count - downsample.bit_length()
        return np.asarray(zoom.get_tile(level, (x // tile_px, y // tile_px)))

    return read


def tiffslide(path: str, tile_px: int) -> ReadTile:
    from tiffslide import TiffSlide

    slide = TiffSlide(path)
    downsamples = slide.level_downsamples

    def read_level(level: int, x: int, y: int, width: int, height: int) -> Rgb:
        origin_l0 = round(x * downsamples[level]), round(y * downsamples[level])
        return slide.read_region(origin_l0, level, (width, height), as_array=True)

    return by_level(downsamples, read_level)


def fastslide(path: str, tile_px: int) -> ReadTile:
    from fastslide import FastSlide

    slide = FastSlide.from_file_path(path, cache=None)

    def read_level(level: int, x: int, y: int, width: int, height: int) -> Rgb:
        return slide.read_region((x, y), level, (width, height)).numpy()[..., :3]

    return by_level(slide.level_downsamples, read_level)


def large_image(path: str, tile_px: int) -> ReadTile:
    from cachetools import LRUCache
    from large_image.constants import TILE_FORMAT_NUMPY
    from large_image_source_tiff import TiffFileTileSource

    source = TiffFileTileSource(path, noCache=True)
    source.cache = LRUCache(0)

    def read_tile(downsample: int, x: int, y: int, width: int, height: int) -> Rgb:
        level = source.levels - downsample.bit_length()
        tile = source.getTile(x // tile_px, y // tile_px, level, numpyAllowed="always")
        return tile[:height, :width, :3]

    def read_region(downsample: int, x: int, y: int, width: int, height: int) -> Rgb:
        left, top, right, bottom = (n * downsample for n in (x, y, x + width, y + height))
        pixels, _kind = source.getRegion(
            region={"left": left, "top": top, "right": right, "bottom": bottom},
            output={"maxWidth": width, "maxHeight": height},
            format=TILE_FORMAT_NUMPY,
        )
        return pixels[..., :3]

    return read_tile if tile_px == source.tileWidth == source.tileHeight else read_region


def pathoview(path: str, tile_px: int) -> ReadTile:
    slide = _opened(path)
    return by_level([level.downsample for level in slide.info.levels], slide.read)


def pathoview_source(path: str, tile_px: int) -> ReadTile:
    from pathoview.core.pyramid import TileKey
    from pathoview.layers.slide_source import SlideSource

    source = SlideSource(_opened(path))
    if source.pyramid.tile_size != tile_px:
        raise SystemExit(f"Its tiles are of {source.pyramid.tile_size} px.")
    downsamples = [level.downsample for level in source.pyramid.levels]

    def read_level(level: int, x: int, y: int, width: int, height: int) -> Rgb:
        tile: Any = source.read_tile(TileKey(level, x // tile_px, y // tile_px))
        return tile[..., :3]

    return by_level(downsamples, read_level)


def _opened(path: str) -> Any:
    from pathoview.slides.opening import open_slide
    from pathoview.slides.tile_cache import DecodedTiles

    slide: Any = open_slide(path)
    slide._tiles = DecodedTiles(0)
    return slide


def by_level(downsamples: Sequence[float], read_level: ReadLevel) -> ReadTile:
    """Return what answers from the level of the asked downsample.

    Where there is none, the next finer one is read and reduced to the means of its pixels.
    """
    chosen = {}
    for wanted in (1 << power for power in range(16)):
        finer = [i for i, downsample in enumerate(downsamples) if downsample <= wanted * 1.01]
        chosen[wanted] = finer[-1], round(wanted / downsamples[finer[-1]])

    def read(downsample: int, x: int, y: int, width: int, height: int) -> Rgb:
        level, factor = chosen[downsample]
        if factor == 1:
            return read_level(level, x, y, width, height)
        rect = (x * factor, y * factor, width * factor, height * factor)
        blocks = read_level(level, *rect).reshape(height, factor, width, factor, 3)
        return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)

    return read


READERS = {
    one.__name__: one
    for one in (deep_zoom, tiffslide, fastslide, large_image, pathoview, pathoview_source)
}


def timed(read: ReadTile, tiles: Sequence[Tile], threads: int) -> tuple[float, float]:
    """Read tiles in a number of threads; return seconds of the clock and of the processor."""

    def work(first: int) -> None:
        for tile in tiles[first::threads]:
            read(*tile)

    with ThreadPoolExecutor(threads) as pool:
        start, start_cpu = time.perf_counter(), time.process_time()
        list(pool.map(work, range(threads)))
        return time.perf_counter() - start, time.process_time() - start_cpu


def _take_cores(n: int) -> None:
    """Have as many cores as threads: fastslide splits a tile among threads of its own."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n])


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tiles: list[Tile] = [tuple(tile) for tile in job["tiles"]]
    _take_cores(job["threads"])
    start = time.perf_counter()
    read = READERS[job["reader"]](job["slide"], job["tile_px"])
    opened = time.perf_counter() - start
    if job["pixels"]:
        np.savez(job["pixels"], *[read(*tile) for tile in tiles])
        return
    wall, cpu = timed(read, tiles, job["threads"])
    print(json.dumps({"open_s": opened, "read_s": wall, "cpu_s": cpu}))


if __name__ == "__main__":
    main()
