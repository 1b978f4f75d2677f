"""Maps of probabilities in a run's file: tiles of whole numbers, each at all its sizes.

A probability is kept as 0–255, so what is read back differs by 0.2 % at most. A pixel whose
numbers are all 0 was not analysed (glass, or beyond the region). Each tile brings its own halved
sizes along, so zooming out reads small rows and no map has to be finished before it is seen.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import StorageError

FULL = 255
"""What stands for a probability of 1."""
COARSEST_PX = 512
"""The whole map is halved until it fits into a square of this side."""
_FASTEST = 1
"""Level of zlib: the next ones save a tenth and take twice the time."""
_TABLES = (
    "CREATE TABLE IF NOT EXISTS map_tile (number INTEGER PRIMARY KEY, row INTEGER, col INTEGER,"
    " counts BLOB NOT NULL, UNIQUE (row, col))",
    "CREATE TABLE IF NOT EXISTS map_block (level INTEGER, row INTEGER, col INTEGER,"
    " data BLOB NOT NULL, PRIMARY KEY (level, row, col))",
)

Planes = npt.NDArray[np.uint8]
"""(class, height, width) 0–255; all 0 where nothing was analysed."""


def quantised(probabilities: npt.NDArray[np.float32]) -> Planes:
    """Return probabilities (height, width, class) as planes of whole numbers."""
    scaled = np.rint(np.clip(probabilities, 0, 1) * FULL).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(scaled, 2, 0))


def halved_planes(planes: Planes) -> Planes:
    """Return planes at half the size: the mean of those of each 2 × 2 px that were analysed."""
    is_known = np.any(planes, axis=0, keepdims=True)
    n_known = _quad_sums(is_known.astype(np.uint16))
    return np.rint(_quad_sums(planes.astype(np.uint16)) / np.maximum(n_known, 1)).astype(np.uint8)


def _quad_sums(planes: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return the sums of 2 × 2 px, over the last two axes."""
    rows = planes[..., ::2, :] + planes[..., 1::2, :]
    return np.asarray(rows[..., ::2] + rows[..., 1::2])


def class_pixels(planes: Planes) -> npt.NDArray[np.int64]:
    """Return how many px each class is the likeliest of, (class,); of equal ones the first is."""
    likeliest = planes.argmax(axis=0)[planes.any(axis=0)]
    return np.bincount(likeliest, minlength=len(planes)).astype(np.int64)


class MapRows:
    """The tables of one run's map. Any thread may read; a stored tile is a finished one."""

    def __init__(
        self,
        tile_px: int,
        n_planes: int,
        rows: Callable[..., list[tuple[Any, ...]]],
        writing: Callable[[], AbstractContextManager[sqlite3.Connection]],
        damaged: Callable[[], StorageError],
    ) -> None:
        """``rows`` queries the file, ``writing`` opens a transaction."""
        self.tile_px = tile_px
        self.n_planes = n_planes
        self._query = rows
        self._writing = writing
        self._damaged = damaged
        self._are_made = False

    def n_levels(self, width: int, height: int) -> int:
        """Return how many sizes a map of so many px has; sides of tiles are halved evenly."""
        n = 1
        while max(width, height) > COARSEST_PX << (n - 1) and self.tile_px % (1 << n) == 0:
            n += 1
        return n

    def add(self, col: int, row: int, planes: Planes, n_levels: int) -> None:
        """Store a finished tile, (class, tile_px, tile_px), with its halved sizes."""
        self.add_all([(col, row, planes)], n_levels)

    def add_all(self, tiles: Iterable[tuple[int, int, Planes]], n_levels: int) -> None:
        """Store some tiles, column, row and planes, in one go; those there are give way."""
        counts, blocks = [], []
        for col, row, finest in tiles:
            planes = finest
            counts.append((row, col, self._counted(planes).astype("<i8").tobytes()))
            for level in range(n_levels):
                if level:
                    planes = halved_planes(planes)
                blocks.append((level, row, col, zlib.compress(planes.tobytes(), _FASTEST)))
        with self._writing() as connection:
            for statement in _TABLES:
                connection.execute(statement)
            connection.executemany("INSERT OR REPLACE INTO map_block VALUES (?, ?, ?, ?)", blocks)
            connection.executemany(
                "INSERT OR REPLACE INTO map_tile (row, col, counts) VALUES (?, ?, ?)", counts
            )

    def finished(self) -> set[tuple[int, int]]:
        """Return the (column, row) of every stored tile."""
        return {(col, row) for _number, col, row in self.since(0)}

    def since(self, number: int) -> list[tuple[int, int, int]]:
        """Return (number, column, row) of the tiles stored after the one with a number; 0: all."""
        query = "SELECT number, col, row FROM map_tile WHERE number > ? ORDER BY number"
        return [(int(one), int(col), int(row)) for one, col, row in self._read(query, number)]

    def class_pixels(self) -> npt.NDArray[np.int64]:
        """Return how many px of all stored tiles each class is the likeliest of, (class,)."""
        return self._added_up(self.n_planes)

    def _counted(self, planes: Planes) -> npt.NDArray[np.int64]:
        """Return what is counted of a tile, to be added up over all of them."""
        return class_pixels(planes)

    def _added_up(self, n: int) -> npt.NDArray[np.int64]:
        """Return the sums of what was counted of each tile, (n,)."""
        total = np.zeros(n, np.int64)
        for (counts,) in self._read("SELECT counts FROM map_tile"):
            if len(counts) != total.nbytes:
                raise self._damaged()
            total += np.frombuffer(counts, "<i8")
        return total

    def block(self, level: int, col: int, row: int) -> Planes | None:
        """Return a tile at one of its sizes; None: it is not finished."""
        query = "SELECT data FROM map_block WHERE level = ? AND row = ? AND col = ?"
        found = self._read(query, level, row, col)
        return self._unpacked(level, found[0][0]) if found else None

    def area(self, level: int, x: int, y: int, width: int, height: int) -> Planes:
        """Return a rectangle of a level, (class, height, width); 0 where nothing is stored."""
        side = self.tile_px >> level
        out = np.zeros((self.n_planes, height, width), np.uint8)
        query = (
            "SELECT row, col, data FROM map_block"
            " WHERE level = ? AND row BETWEEN ? AND ? AND col BETWEEN ? AND ?"
        )
        last_row, last_col = (y + height - 1) // side, (x + width - 1) // side
        for row, col, data in self._read(query, level, y // side, last_row, x // side, last_col):
            left, top = col * side - x, row * side - y
            rows = slice(max(0, top), min(height, top + side))
            columns = slice(max(0, left), min(width, left + side))
            block = self._unpacked(level, data)
            out[:, rows, columns] = block[
                :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ]
        return out

    def extent(self) -> tuple[int, int, int, int] | None:
        """Return the first and the last column and row that are stored; None: nothing is."""
        query = "SELECT min(col), max(col), min(row), max(row) FROM map_tile"
        found = self._read(query)
        return found[0] if found and found[0][0] is not None else None

    def _unpacked(self, level: int, data: bytes) -> Planes:
        side = self.tile_px >> level
        shape = self.n_planes, side, side
        try:
            return np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)
        except (zlib.error, ValueError) as error:
            raise self._damaged() from error

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows; none as long as nobody has stored a tile."""
        if not self._are_made:
            known = "SELECT count(*) FROM sqlite_master WHERE name IN ('map_tile', 'map_block')"
            self._are_made = self._query(known)[0][0] == len(_TABLES)
        return self._query(query, *values) if self._are_made else []
