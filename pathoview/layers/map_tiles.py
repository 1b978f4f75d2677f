"""The tiles that a run keeps of its map or picture, for layers, while they come in."""

from __future__ import annotations

from typing import Any

import numpy as np

from pathoview.core.byte_cache import ByteCache, Share
from pathoview.core.errors import SlideError, StorageError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import ALL_CHANNELS, Level, halved_levels
from pathoview.layers.raster import MOST_SAMPLES
from pathoview.slides.slide import Pixels
from pathoview.study.raster_rows import COARSEST_PX, MapRows, Planes
from pathoview.study.records import RunRecord

_OWN_BYTES = 64 * 2**20
"""What decoded tiles take where there is no memory shared with others."""
_AT_MOST = 0.25
"""Of a shared memory, for decoded tiles of one run."""
_SMALL_PX = 64
"""Tiles reduced to this side and less are read many at once, and not kept."""


class MapTiles:
    """The tiles of a run, those used last decoded. Safe to call from several threads."""

    def __init__(self, record: RunRecord, rows: MapRows, memory: ByteCache | None = None) -> None:
        self.scale_l0 = record.scale_l0
        """Level-0 px a px of the map."""
        self.mpp = record.mpp
        self._rows = rows
        levels = halved_levels(*record.grid_px, COARSEST_PX)
        self.levels: tuple[Level, ...] = levels[: self._rows.n_levels(*record.grid_px)]
        self._kept: Share[tuple[int, int, int, int], Planes] = Share(
            memory or ByteCache(_OWN_BYTES), at_most=_AT_MOST if memory else 1.0
        )
        self._last = 0
        """Number, in the file, of the last tile that is known of."""
        self._numbers: dict[tuple[int, int], int] = {}
        """Number of the tile at each column and row: one that was stored anew has another."""

    def look(self) -> Rect | None:
        """Look for new tiles; return the rectangle around them, level-0 px; None: none came.

        Raises `StorageError`.
        """
        new = self._rows.since(self._last)
        if not new:
            return None
        self._last = new[-1][0]
        self._numbers |= {(col, row): number for number, col, row in new}
        _number, columns, rows = np.array(new).T
        side = self._rows.tile_px * self.scale_l0
        left, top = float(columns.min()) * side, float(rows.min()) * side
        right, bottom = float(columns.max() + 1) * side, float(rows.max() + 1) * side
        return Rect.from_corners(left, top, right, bottom)

    def planes(self, level: int, x: int, y: int, width: int, height: int) -> Planes:
        """Return a rectangle of a level, (plane, height, width); 0 where nothing is known.

        Raises `SlideError`.
        """
        try:
            side = self._rows.tile_px >> level
            if side <= _SMALL_PX:
                return self._rows.area(level, x, y, width, height)
            return self._assembled(level, side, (x, y, width, height))
        except StorageError as error:
            raise SlideError(str(error), error.hint) from error

    def _assembled(self, level: int, side: int, part: tuple[int, int, int, int]) -> Planes:
        x, y, width, height = part
        out = np.zeros((self._rows.n_planes, height, width), np.uint8)
        for row in range(y // side, (y + height - 1) // side + 1):
            for col in range(x // side, (x + width - 1) // side + 1):
                block = self._block(level, col, row)
                if block is None:
                    continue
                left, top = col * side - x, row * side - y
                rows = slice(max(0, top), min(height, top + side))
                columns = slice(max(0, left), min(width, left + side))
                out[:, rows, columns] = block[
                    :,
                    rows.start - top : rows.stop - top,
                    columns.start - left : columns.stop - left,
                ]
        return out

    def _block(self, level: int, col: int, row: int) -> Planes | None:
        key = level, col, row, self._numbers.get((col, row), 0)
        block = self._kept.get(key)
        if block is None:
            block = self._rows.block(level, col, row)
            if block is not None:
                self._kept.put(key, block, block.nbytes)
        return block


class MapRaster:
    """One way to look at a run's tiles; see `layers.raster.Raster`.

    What is missing is given as such and never as unfinished: its coming is told by `changed`.
    """

    is_rgb = False
    dtype: np.dtype[Any]
    channels: tuple[str, ...] = ("1",)

    def __init__(self, tiles: MapTiles) -> None:
        self._map = tiles
        self.levels = tiles.levels
        self.mpp = None if tiles.mpp is None else (tiles.mpp, tiles.mpp)

    def _values(self, planes: Planes, channel: int) -> Pixels:
        """Return what (plane, height, width) stand for, as (height, width, channel)."""
        raise NotImplementedError

    def read(
        self, level: int, x: int, y: int, width: int, height: int, channel: int = ALL_CHANNELS
    ) -> tuple[Pixels, bool]:
        return self._values(self._map.planes(level, x, y, width, height), channel), True

    def sample(self, channel: int) -> Pixels:
        """Take the coarsest level, or what is spread evenly over a large one."""
        coarsest = self.levels[-1]
        last = len(self.levels) - 1
        pixels, _is_whole = self.read(last, 0, 0, coarsest.width, coarsest.height, channel)
        values = pixels[..., 0].ravel()
        return values[:: max(1, len(values) // MOST_SAMPLES)]

    def close(self) -> None:
        """The run closes its file."""
