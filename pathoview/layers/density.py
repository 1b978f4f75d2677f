"""How many objects of each kind lie where: what is drawn when objects get too small to see."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.layers.detection_index import Boxes, Chunk

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


Places = npt.NDArray[np.int32]
"""(n,) which bin of a `Density` holds an object's centre."""


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
        shape = max(1, math.ceil(height_l0 / bin_px)), max(1, math.ceil(width_l0 / bin_px))
        n_halvings = max(0, math.ceil(math.log2(max(shape) / _SMALLEST_PX)))
        height, width = (-(-side >> n_halvings) << n_halvings for side in shape)
        self._levels: list[npt.NDArray[np.unsignedinteger]] = [
            np.zeros((0, height >> n, width >> n), np.uint32 if n else np.uint16)
            for n in range(n_halvings + 1)
        ]
        """(kinds from -1 on, bins down, bins across); a bin of each level is 4 of the one before"""
        self._changed: tuple[int, int, int, int] | None = None
        """Top, left, bottom, right (inclusive) of the bins that coarser levels do not know yet."""

    def places(self, boxes_l0: Boxes) -> Places:
        """Return the bins that hold the centres of boxes."""
        height, width = self._levels[0].shape[1:]
        half_bins = np.float64(0.5 / self.bin_px)
        columns = np.clip((boxes_l0[:, 0] + boxes_l0[:, 2]) * half_bins, 0, width - 1)
        rows = np.clip((boxes_l0[:, 1] + boxes_l0[:, 3]) * half_bins, 0, height - 1)
        return rows.astype(np.int32) * np.int32(width) + columns.astype(np.int32)

    def add(self, places: Places, kinds: Kinds) -> None:
        """Count objects by the bin that holds their centre, and by kind."""
        if (kinds == UNCOUNTED).any():
            places, kinds = places[kinds != UNCOUNTED], kinds[kinds != UNCOUNTED]
        if not len(places):
            return
        self._make_room(int(kinds.max()) + 2)
        finest = self._levels[0]
        height, width = finest.shape[1:]
        # ten times as fast with a number of the raster's own type
        np.add.at(finest.reshape(-1), (kinds + 1) * (height * width) + places, np.uint16(1))
        rows, columns = np.divmod(places, np.int32(width))
        new = int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max())
        old = self._changed or new
        self._changed = (
            *(min(old[0], new[0]), min(old[1], new[1])),
            *(max(old[2], new[2]), max(old[3], new[3])),
        )

    def _make_room(self, n_kinds: int) -> None:
        if n_kinds <= len(self._levels[0]):
            return
        for number, level in enumerate(self._levels):
            self._levels[number] = np.zeros((n_kinds, *level.shape[1:]), level.dtype)
            self._levels[number][: len(level)] = level

    def counts(self, tile_l0: Rect, bin_l0: float) -> Mapping[int, Counts]:
        """Return counts a kind in bins of about ``bin_l0`` level-0 px, from the tile's corner.

        The bins are those of the raster or whole multiples of them (powers of two), up to a 64th
        of the slide.
        """
        self._renew_coarser()
        halvings = min(max(0, round(math.log2(bin_l0 / self.bin_px))), len(self._levels) - 1)
        size = self.bin_px << halvings
        across, down = math.ceil(tile_l0.width / size), math.ceil(tile_l0.height / size)
        left, top = math.floor(tile_l0.x / size), math.floor(tile_l0.y / size)
        part = self._levels[halvings][:, top : top + down, left : left + across]
        full = np.zeros((len(part), down, across), np.int64)
        full[:, : part.shape[1], : part.shape[2]] = part
        return {row - 1: full[row] for row in np.flatnonzero(full.any(axis=(1, 2))).tolist()}

    def _renew_coarser(self) -> None:
        if self._changed is None:
            return
        top, left, bottom, right = self._changed
        for fine, coarse in pairwise(self._levels):
            top, left, bottom, right = top // 2, left // 2, bottom // 2, right // 2
            part = fine[:, 2 * top : 2 * bottom + 2, 2 * left : 2 * right + 2]
            pairs = np.add(part[:, ::2], part[:, 1::2], dtype=np.uint32)
            coarse[:, top : bottom + 1, left : right + 1] = pairs[..., ::2] + pairs[..., 1::2]
        self._changed = None


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
                places = self._density.places(chunk.boxes_l0)
                self._density.add(places, self._kinds_of(chunk))
                self._n_chunks += 1
            return self._density.counts(tile_l0, bin_l0)
