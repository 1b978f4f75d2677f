"""A TIFF slide whose tiles are read and decoded directly, several times as fast as OpenSlide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import SlideError
from pathoview.core.pyramid import ALL_CHANNELS, Plane
from pathoview.core.translation import _
from pathoview.slides.identity import content_hash
from pathoview.slides.openslide_slide import OpenSlideSlide
from pathoview.slides.orientation import Orientation
from pathoview.slides.raw_file import RawFile
from pathoview.slides.slide import Pixels, Slide, SlideInfo, white
from pathoview.slides.tiff_layout import Stack, TileTable
from pathoview.slides.tile_cache import DecodedTiles

CACHE_BYTES = 64 << 20
TilePlace = tuple[int, int, int, int]
"""Level, page, row, column."""


class TiffSlide(Slide):
    """Reads the levels of a `Stack`; those that have no pages there are read by OpenSlide."""

    def __init__(
        self,
        path: Path,
        stack: Stack,
        info: SlideInfo,
        orientation: Orientation,
        arbiter: OpenSlideSlide | None = None,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.path = path
        self.info = info
        self.content_hash = content_hash(path)
        self._stack = stack
        self._orientation = orientation
        self._arbiter = arbiter
        self._tiles = DecodedTiles(cache_bytes)
        self._file: RawFile | None = RawFile(path)

    def read(
        self, level: int, x: int, y: int, width: int, height: int, plane: Plane = Plane()
    ) -> Pixels:
        file = self._file
        if file is None:
            raise SlideError(_("The slide is closed."))
        if self._orientation.is_upright:
            return self._stored(file, level, (x, y, width, height), plane)
        lv = self.info.levels[level]
        size = self._orientation.shown(lv.width, lv.height)
        rect = self._orientation.stored_rect((x, y, width, height), *size)
        return self._orientation.apply(self._stored(file, level, rect, plane))

    def _stored(
        self, file: RawFile, level: int, rect: tuple[int, int, int, int], plane: Plane
    ) -> Pixels:
        stack = self._stack
        if self._arbiter and not stack.levels[level]:
            return self._arbiter.read(level, *rect, plane)
        if not (0 <= plane.z < stack.z.size and 0 <= plane.t < stack.t.size):
            raise SlideError(_("The slide has no such plane."))
        if plane.c != ALL_CHANNELS:
            c, sample = divmod(plane.c, stack.ink.n_channels)
            pixels = self._page(file, level, stack.page(plane.z, plane.t, c), rect)
            return pixels[..., sample : sample + 1]
        parts = [
            self._page(file, level, stack.page(plane.z, plane.t, c), rect)
            for c in range(stack.c.size)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def _page(
        self, file: RawFile, level: int, page: int, rect: tuple[int, int, int, int]
    ) -> Pixels:
        table, ink = self._stack.levels[level][page], self._stack.ink
        x, y, width, height = rect
        left, right = max(x, 0), min(x + width, table.width)
        top, bottom = max(y, 0), min(y + height, table.height)
        if (left, top, right, bottom) == (x, y, x + width, y + height):
            row, col = y // table.tile_height, x // table.tile_width
            if rect == table.rect(row, col):
                return np.require(
                    self._tile(file, (level, page, row, col)), requirements=["C", "W"]
                )
            pixels = np.empty((height, width, ink.n_channels), ink.dtype)
        else:
            pixels = white(height, width, ink.n_channels, ink.dtype, ink.is_rgb)
        for row, tile_y, from_y, to_y in _spans(top, bottom, table.tile_height):
            for col, tile_x, from_x, to_x in _spans(left, right, table.tile_width):
                tile = self._remembered_tile(file, (level, page, row, col))
                part = tile[from_y - tile_y : to_y - tile_y, from_x - tile_x : to_x - tile_x]
                pixels[from_y - y : to_y - y, from_x - x : to_x - x] = part
        return pixels

    def _remembered_tile(self, file: RawFile, key: TilePlace) -> Pixels:
        tile = self._tiles.get(key)
        if tile is None:
            tile = self._tiles.put(key, self._tile(file, key))
        return tile

    def _tile(self, file: RawFile, key: TilePlace) -> Pixels:
        level, page, row, col = key
        try:
            return self._decoded(file, self._stack.levels[level][page], row, col)
        except MemoryError:
            raise
        except Exception as error:  # damaged data fail anywhere in a decoder, in any way
            raise SlideError(
                _("A part of the slide cannot be read; the file may be damaged."),
                _("Level {level}, row {row}, column {col}: {why}.").format(
                    level=level, row=row, col=col, why=error
                ),
            ) from error

    def _decoded(self, file: RawFile, table: TileTable, row: int, col: int) -> Pixels:
        ink, n_tiles = self._stack.ink, table.n_tiles
        _x, _y, width, height = table.rect(row, col)
        samples = []
        for index in range(row * table.n_cols + col, n_tiles * table.n_separate, n_tiles):
            if not table.byte_counts[index]:  # never written: glass
                return white(height, width, ink.n_channels, ink.dtype, ink.is_rgb)
            data = file.read(table.offsets[index], table.byte_counts[index])
            samples.append(table.decode(data, index))
        tile = ink.convert(samples[0] if len(samples) == 1 else np.concatenate(samples, axis=2))
        if tile.shape[0] < height or tile.shape[1] < width:
            raise EOFError(f"{tile.shape} instead of {(height, width)}")
        return tile[:height, :width]

    def use_memory(self, memory: ByteCache) -> None:
        self._tiles.move_to(memory)
        if self._arbiter and not all(self._stack.levels):
            self._arbiter.use_memory(memory)

    def close(self) -> None:
        # Dropped, not closed: a read in another thread keeps the file open until it ends.
        self._file = None
        self._tiles.clear()
        if self._arbiter:
            self._arbiter.close()

    def associated_names(self) -> tuple[str, ...]:
        return self._arbiter.associated_names() if self._arbiter else ()

    def read_associated(self, name: str) -> Pixels:
        return (
            self._arbiter.read_associated(name) if self._arbiter else super().read_associated(name)
        )


def _spans(start: int, stop: int, size: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield ``(number, origin, from, to)`` of the tiles that lie along ``start``–``stop``."""
    for number in range(start // size, -(-stop // size) if stop > start else 0):
        origin = number * size
        yield number, origin, max(start, origin), min(stop, origin + size)
