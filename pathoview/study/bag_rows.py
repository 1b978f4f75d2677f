"""What a method for whole slides says of the tiles, in a run's file: one row for all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import StorageError

_TABLE = (
    "CREATE TABLE IF NOT EXISTS bag (id INTEGER PRIMARY KEY CHECK (id = 1), places BLOB NOT NULL,"
    " attention BLOB NOT NULL, evidence BLOB NOT NULL)"
)
_OF_CLASSES = (
    "CREATE TABLE IF NOT EXISTS bag_classes (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " attention BLOB NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class BagTiles:
    """The tiles of a slide, squares of a grid that begins at its origin."""

    columns: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]
    attention: npt.NDArray[np.float32]
    """(tile,) adding up to 1: how much each counted."""
    evidence: npt.NDArray[np.float32]
    """(tile, class) probabilities as if the tile were the whole slide."""
    class_attention: npt.NDArray[np.float32] | None = None
    """(tile, class) how much each counted for each class, each adding up to 1; None: `attention`
    holds for all."""

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def relative_attention(self) -> npt.NDArray[np.float32]:
        """Attention as a multiple of the average, (tile,): 1 counted as much as the average tile.

        Unlike attention itself it can be compared between slides of different sizes.
        """
        return self.attention * np.float32(len(self))

    @property
    def attention_ranks(self) -> npt.NDArray[np.float32]:
        """Share of the tiles with at most the attention of each, (tile,): 1 counted most."""
        ordered = np.sort(self.attention)
        places = np.searchsorted(ordered, self.attention, side="right")
        return np.asarray(places / max(1, len(self)), np.float32)

    def most_attended(self, n: int) -> npt.NDArray[np.intp]:
        """Return which ``n`` tiles counted most, the first most of all."""
        return np.argsort(-self.attention, kind="stable")[:n]

    def image(
        self, values: npt.NDArray[np.floating], grid_px: tuple[int, int]
    ) -> npt.NDArray[np.float32]:
        """Return values of the tiles, (tile, …), as a picture of the grid, (height, width, …).

        ``grid_px``: its width and height in tiles. NaN where no tile is.
        """
        width, height = grid_px
        picture = np.full((height, width, *values.shape[1:]), np.nan, np.float32)
        picture[self.rows, self.columns] = values
        return picture


class BagRows:
    """The table of one run. Any thread may read."""

    def __init__(
        self,
        n_classes: int,
        rows: Callable[..., list[tuple[Any, ...]]],
        writing: Callable[[], AbstractContextManager[sqlite3.Connection]],
        damaged: Callable[[], StorageError],
    ) -> None:
        """``rows`` queries the file, ``writing`` opens a transaction."""
        self._n_classes = n_classes
        self._query = rows
        self._writing = writing
        self._damaged = damaged

    def store(self, tiles: BagTiles) -> None:
        """Store all tiles; those that are there give way."""
        places = np.stack([tiles.columns, tiles.rows], axis=1).astype("<i4")
        values = (
            places.tobytes(),
            tiles.attention.astype("<f4").tobytes(),
            tiles.evidence.astype("<f4").tobytes(),
        )
        with self._writing() as connection:
            connection.execute(_TABLE)
            connection.execute("INSERT OR REPLACE INTO bag VALUES (1, ?, ?, ?)", values)
            if tiles.class_attention is not None:
                packed = tiles.class_attention.astype("<f4").tobytes()
                connection.execute(_OF_CLASSES)
                connection.execute("INSERT OR REPLACE INTO bag_classes VALUES (1, ?)", (packed,))

    def read(self) -> BagTiles | None:
        """Return the tiles; None: nothing was stored. Raises `StorageError` when damaged."""
        if not self._has("bag"):
            return None
        rows = self._query("SELECT places, attention, evidence FROM bag")
        if not rows:
            return None
        try:
            places = np.frombuffer(rows[0][0], "<i4").reshape(-1, 2).astype(np.int32)
            attention = np.frombuffer(rows[0][1], "<f4").astype(np.float32)
            evidence = np.frombuffer(rows[0][2], "<f4").astype(np.float32)
            evidence = evidence.reshape(len(places), self._n_classes)
            if len(attention) != len(places):
                raise ValueError("columns of different lengths")
            of_classes = self._class_attention(evidence.shape)
        except ValueError as error:
            raise self._damaged() from error
        return BagTiles(places[:, 0], places[:, 1], attention, evidence, of_classes)

    def _class_attention(self, shape: tuple[int, ...]) -> npt.NDArray[np.float32] | None:
        """Return it; raise `ValueError` when it is of another shape."""
        if not self._has("bag_classes"):
            return None
        rows = self._query("SELECT attention FROM bag_classes")
        return np.frombuffer(rows[0][0], "<f4").astype(np.float32).reshape(shape) if rows else None

    def _has(self, table: str) -> bool:
        query = "SELECT count(*) FROM sqlite_master WHERE name = ?"
        return bool(self._query(query, table)[0][0])
