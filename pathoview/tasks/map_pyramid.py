"""What a run keeps of a slide at all its sizes, on its way into pictures of any size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.study.raster_rows import MapRows, Planes
from pathoview.study.records import RunRecord

LARGEST_PX = 1 << 28
"""A PNG is made in memory: a larger map is written at a smaller size."""
TILE_PX = 1024
"""That of most methods' tiles, so that each is decoded once a channel."""
_BIG_TIFF_BYTES = 1 << 31

ChannelTile = Callable[[int, int, Rect], npt.NDArray[Any]]
"""(channel, level, part of the level) → (height, width)."""
ColorTile = Callable[[int, Rect], npt.NDArray[np.uint8]]
"""(level, part of the level) → (height, width, 3)."""


class MapPyramid:
    """The levels of a run, cut into parts that fit into memory."""

    def __init__(self, record: RunRecord, rows: MapRows, progress: Progress) -> None:
        self._record = record
        self._rows = rows
        self._progress = progress
        self.n_levels = rows.n_levels(*record.grid_px)

    def size(self, level: int) -> tuple[int, int]:
        """Return width and height of a level."""
        width, height = (math.ceil(side / 2**level) for side in self._record.grid_px)
        return width, height

    def level_below(self, most_px: int) -> int:
        """Return the finest level of at most so many px, else the coarsest."""
        fitting = (n for n in range(self.n_levels) if math.prod(self.size(n)) <= most_px)
        return next(fitting, self.n_levels - 1)

    def strips(self, level: int) -> Iterator[tuple[int, Planes]]:
        """Yield the row that each strip of a level begins at, and its planes."""
        width, height = self.size(level)
        for top in range(0, height, TILE_PX):
            self._report(top / height)
            yield top, self._rows.area(level, 0, top, width, min(TILE_PX, height - top))

    def write_channels(
        self,
        file: IO[bytes],
        dtype: np.dtype[Any],
        names: Sequence[str],
        described: str,
        tile: ChannelTile,
    ) -> None:
        """Write an OME-TIFF of all levels with a channel each of ``names``."""
        metadata = {"axes": "CYX", "Channel": {"Name": list(names)}, **self._said(described)}

        def tiles(level: int) -> Iterator[npt.NDArray[Any]]:
            n_all = len(names)
            for number in range(n_all):
                for done, part in self._parts(level):
                    if not level:
                        self._report((number + done) / n_all)
                    yield _filled_up(tile(number, level, part))

        self._write(file, (len(names),), (), dtype, "minisblack", metadata, tiles)

    def write_colors(self, file: IO[bytes], described: str, tile: ColorTile) -> None:
        """Write an OME-TIFF of all levels in colours."""
        metadata = {"axes": "YXS", **self._said(described)}

        def tiles(level: int) -> Iterator[npt.NDArray[Any]]:
            for done, part in self._parts(level):
                if not level:
                    self._report(done)
                yield _filled_up(tile(level, part))

        self._write(file, (), (3,), np.dtype(np.uint8), "rgb", metadata, tiles)

    def _write(
        self,
        file: IO[bytes],
        before: tuple[int, ...],
        after: tuple[int, ...],
        dtype: np.dtype[Any],
        photometric: str,
        metadata: dict[str, Any],
        tiles: Callable[[int], Iterator[npt.NDArray[Any]]],
    ) -> None:
        """Write levels; ``before`` and ``after``: axes before and after (height, width)."""
        import tifffile

        n_bytes = math.prod((*before, *self.size(0), *after)) * dtype.itemsize
        with tifffile.TiffWriter(file, ome=True, bigtiff=n_bytes > _BIG_TIFF_BYTES) as tiff:
            for level in range(self.n_levels):
                columns, rows = self.size(level)
                facts: dict[str, Any] = (
                    {"subfiletype": 1}
                    if level
                    else {"subifds": self.n_levels - 1, "metadata": metadata}
                )
                tiff.write(
                    tiles(level),
                    shape=(*before, rows, columns, *after),
                    dtype=dtype,
                    tile=(TILE_PX, TILE_PX),
                    compression="zlib",
                    photometric=photometric,
                    **facts,
                )

    def _parts(self, level: int) -> Iterator[tuple[float, Rect]]:
        """Yield the tiles of a level as tifffile wants them, row by row, and how far one is."""
        width, height = self.size(level)
        for top in range(0, height, TILE_PX):
            for left in range(0, width, TILE_PX):
                right, bottom = min(left + TILE_PX, width), min(top + TILE_PX, height)
                yield top / height, Rect.from_corners(left, top, right, bottom)

    def _said(self, described: str) -> dict[str, Any]:
        record = self._record
        facts: dict[str, Any] = {"Name": record.pseudonym, "Description": described}
        if record.mpp is not None:
            for axis in "XY":
                facts |= {f"PhysicalSize{axis}": record.mpp, f"PhysicalSize{axis}Unit": "µm"}
        return facts

    def _report(self, fraction: float) -> None:
        self._progress.check()
        self._progress.report(fraction, _("Writing the map"))


def _filled_up(tile: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a tile at the right or lower edge as a whole one."""
    missing = [(0, TILE_PX - side) for side in tile.shape[:2]]
    return np.pad(tile, [*missing, *[(0, 0)] * (tile.ndim - 2)])
