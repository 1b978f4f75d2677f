"""How many objects of each kind lie where: what is drawn when objects get too small to see."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.layers.detection_index import Chunk

_MOST_BINS = 4_000_000
_FINEST_BIN_PX = 16
_SMALLEST_PX = 64
"""Rasters are halved until they are no larger; the coarsest tile has more bins than that."""

Counts = npt.NDArray[np.int64]
"""(bins down, bins across)."""
Kinds = npt.NDArray[np.int64]
"""(n,) what is counted apart: a class, a step of a measurement; see `UNCOUNTED`."""
UNCOUNTED = -2
"""The kind of objects that are left out."""


class Density:
    """Counts of object centres in square bins of the whole slide, a raster a kind (class).

    Adding objects costs as much as there are of them; drawing costs as much as there are pixels,
    however many objects they stand for.
    """

    def __init__(self, width_l0: float, height_l0: float) -> None:
        bin_px = _FINEST_BIN_PX
        while math.ceil(width_l0 / bin_px) * math.ceil(height_l0 / bin_px) > _MOST_BINS:
            bin_px *= 2
        self.bin_px = bin_px
        """Side of a bin, level-0 px: a power of two."""
        self._shape = max(1, math.ceil(height_l0 / bin_px)), max(1, math.ceil(width_l0 / bin_px))
        self._rasters: dict[int, _Raster] = {}

    def add(self, centers_l0: npt.NDArray[np.float64], kinds: Kinds) -> None:
        """Count objects by the bin that holds their centre."""
        height, width = self._shape
        columns = np.clip(centers_l0[:, 0] // self.bin_px, 0, width - 1).astype(np.intp)
        rows = np.clip(centers_l0[:, 1] // self.bin_px, 0, height - 1).astype(np.intp)
        for kind in np.unique(kinds).tolist():
            if kind != UNCOUNTED:
                chosen = kinds == kind
                raster = self._rasters.setdefault(kind, _Raster(self._shape))
                raster.add(rows[chosen], columns[chosen])

    def counts(self, tile_l0: Rect, bin_l0: float) -> Mapping[int, Counts]:
        """Return counts a kind in bins of about ``bin_l0`` level-0 px, from the tile's corner.

        The bins are those of the raster or whole multiples of them (powers of two), up to a 64th
        of the slide.
        """
        halvings = max(0, round(math.log2(bin_l0 / self.bin_px)))
        size = self.bin_px << halvings
        across, down = math.ceil(tile_l0.width / size), math.ceil(tile_l0.height / size)
        left, top = math.floor(tile_l0.x / size), math.floor(tile_l0.y / size)
        found = {}
        for kind, raster in self._rasters.items():
            part = raster.halved(halvings)[top : top + down, left : left + across]
            if part.any():
                full = np.zeros((down, across), np.int64)
                full[: part.shape[0], : part.shape[1]] = part
                found[kind] = full
        return found


class _Raster:
    """Counts of one kind, and the same in bins of twice, four times … the size."""

    def __init__(self, shape: tuple[int, int]) -> None:
        n_halvings = max(0, math.ceil(math.log2(max(shape) / _SMALLEST_PX)))
        height, width = (-(-side >> n_halvings) << n_halvings for side in shape)
        self._levels: list[npt.NDArray[np.unsignedinteger]] = [np.zeros((height, width), np.uint16)]
        for halving in range(1, n_halvings + 1):
            self._levels.append(np.zeros((height >> halving, width >> halving), np.uint32))
        self._changed: tuple[int, int, int, int] | None = None
        """Top, left, bottom, right (inclusive) of the bins that coarser levels do not know yet."""

    def add(self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> None:
        finest = self._levels[0]
        np.add.at(finest.reshape(-1), rows * finest.shape[1] + columns, 1)
        top, left, bottom, right = self._changed or (rows[0], columns[0], rows[0], columns[0])
        self._changed = (
            min(top, int(rows.min())),
            min(left, int(columns.min())),
            max(bottom, int(rows.max())),
            max(right, int(columns.max())),
        )

    def halved(self, times: int) -> npt.NDArray[np.unsignedinteger]:
        """Return the counts in bins of ``2 ** times`` bins a side."""
        if self._changed is not None:
            top, left, bottom, right = self._changed
            for fine, coarse in zip(self._levels, self._levels[1:], strict=False):
                top, left, bottom, right = top // 2, left // 2, bottom // 2, right // 2
                part = fine[2 * top : 2 * bottom + 2, 2 * left : 2 * right + 2]
                pairs = np.add(part[::2], part[1::2], dtype=np.uint32)
                coarse[top : bottom + 1, left : right + 1] = pairs[:, ::2] + pairs[:, 1::2]
            self._changed = None
        return self._levels[min(times, len(self._levels) - 1)]


class DensityCounter:
    """Counts the objects of a table that grows, each of them once. Thread-safe."""

    def __init__(
        self, width_l0: float, height_l0: float, kinds_of: Callable[[Chunk], Kinds]
    ) -> None:
        self._lock = threading.Lock()
        self._density = Density(width_l0, height_l0)
        self._kinds_of = kinds_of
        self._n_chunks = 0

    def counts(self, chunks: Sequence[Chunk], tile_l0: Rect, bin_l0: float) -> Mapping[int, Counts]:
        """Count what is new among the chunks, then return `Density.counts`."""
        with self._lock:
            for chunk in chunks[self._n_chunks :]:
                boxes = chunk.boxes_l0
                self._density.add((boxes[:, :2] + boxes[:, 2:]) / 2, self._kinds_of(chunk))
                self._n_chunks += 1
            return self._density.counts(tile_l0, bin_l0)
