"""What an encoder sees in the tiles of one slide: one SQLite file a slide, encoder and scale.

A task writes it block by block; a committed block is a finished one, so that a killed extraction
goes on where it was. All methods for whole slides, the search for similar tiles and the map of
tiles read the same file. Numbers are kept as float16.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pathoview.core.errors import StorageError
from pathoview.core.geometry import Cell
from pathoview.core.paths import data_folder
from pathoview.core.translation import _
from pathoview.study.database import (
    closed_on_error,
    connect,
    read_stamp,
    sentences,
)
from pathoview.study.records import now
from pathoview.study.sqlite_file import SqliteFile, new_file

log = logging.getLogger(__name__)

SUFFIX = ".features"
_APPLICATION = 0x50564631  # "PVF1"
_VERSION = 1
_KEY_LETTERS = 24
_SCHEMA = (
    "CREATE TABLE record (id INTEGER PRIMARY KEY CHECK (id = 1), json BLOB NOT NULL)",
    "CREATE TABLE block (row INTEGER, col INTEGER, n INTEGER NOT NULL, places BLOB NOT NULL,"
    " tissue BLOB NOT NULL, features BLOB NOT NULL, PRIMARY KEY (row, col)) WITHOUT ROWID",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
)


Description = tuple[str, str, tuple[float, ...], int, str, int]
"""What described tiles: the encoder, its weights, µm per px, side of a tile, normalisation, and how
many features are measured by rules."""


class FeatureRecord(BaseModel):
    """What the numbers are of, frozen; members that a newer version added are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    slide_hash: str
    pseudonym: str
    encoder: str
    weights: str
    """Hash of the encoder's weights."""
    n_features: int
    mpp: tuple[float, ...]
    """µm per px that was asked for, one of each magnification; the first is the grid's. Empty: of
    whole frames of a clip, or of patches of a whole picture."""
    true_mpp: tuple[float, ...] = ()
    """µm per px as it was read."""
    tile_px: int
    normalisation: str = "none"
    least_tissue: float = 0.0
    """Share of a tile that is tissue, from which on the tile counts."""
    every: int = 1
    """Of a clip: one frame in so many."""
    overlap: float = 0.0
    """Share of a tile's side that the next one sees as well."""
    of_whole: bool = False
    """Of patches of a whole picture, whatever its scale."""
    n_hand: int = 0
    """How many of the features, the last ones, are measured by rules."""
    side_l0: float
    """Width of a cell of the grid of tiles, level-0 px."""
    height_l0: float = 0.0
    """Its height; 0: it is a square."""
    n_columns: int
    n_rows: int
    """Of the grid over the whole slide."""
    licence: str = ""
    origin: str = ""
    source: str = ""
    slide_mpp: tuple[float, float] | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    device: str = "cpu"
    numerics: str = "float32"
    """The numeric path it was computed by."""
    stains: dict[str, Any] = Field(default_factory=dict)
    """How stains were normalised (`StainNormaliser.to_json`); empty: not at all."""
    started: str = Field(default_factory=now)
    finished: str = ""
    """ISO times in UTC; `finished` is empty while blocks are missing."""
    seconds: float = 0.0

    @property
    def cell_l0(self) -> Cell:
        return Cell(self.side_l0, self.height_l0 or self.side_l0)

    @property
    def description(self) -> Description:
        """Equal for files, of whatever slides, whose numbers can be compared."""
        said = self.encoder, self.weights, self.mpp, self.tile_px, self.normalisation
        return *said, self.n_hand

    @property
    def key(self) -> str:
        """Equal for files that hold the same numbers."""
        said = (
            *(self.slide_hash, self.encoder, self.weights, self.mpp, self.tile_px),
            *(self.normalisation, self.least_tissue, self.slide_mpp),
            *((self.every,) if self.every != 1 else ()),
            *(("overlap", self.overlap) if self.overlap else ()),
            *(("whole", self.n_hand) if self.of_whole else ()),
        )
        return hashlib.sha256(orjson.dumps(said)).hexdigest()[:_KEY_LETTERS]


@dataclass(frozen=True, slots=True)
class TileFeatures:
    """The tiles of a slide or a block, row by row of the grid."""

    columns: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]
    tissue: npt.NDArray[np.float32]
    """(n,) share of each tile that is tissue."""
    features: npt.NDArray[np.float32]
    """(n, feature)"""

    def __len__(self) -> int:
        return len(self.columns)


KeptTiles = tuple[
    npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.float16]
]
"""Columns, rows, tissue and features of tiles."""


class FeatureFile(SqliteFile):
    """The features of one slide. One process writes; any thread may read."""

    @classmethod
    def create(cls, path: Path, record: FeatureRecord) -> Self:
        """Make a new file, whole or not at all; raise `StorageError` when that cannot be done."""
        with sentences(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO record VALUES (1, ?)", (_json(record),))
        return cls.open(path, writable=True)

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> Self:
        """Open a file; raise `StorageError` when it is none of ours, or of a newer version."""
        with sentences(path):
            connection = connect(path, writable=writable)
            with closed_on_error(connection):
                application, version = read_stamp(connection)
                if application != _APPLICATION or version > _VERSION:
                    raise StorageError(
                        _("“{name}” is not a file of features.").format(name=path.name),
                        _("Compute the features of the slide again."),
                    )
        return cls(path, connection)

    @property
    def record(self) -> FeatureRecord:
        """The record as it is on disk now."""
        try:
            return FeatureRecord.model_validate_json(self._rows("SELECT json FROM record")[0][0])
        except (ValidationError, IndexError) as error:
            raise self._damaged() from error

    def update_record(self, **changes: Any) -> FeatureRecord:
        """Change members of the record and return the new one."""
        record = FeatureRecord.model_validate(self.record.model_dump() | changes)
        with self._writing() as connection:
            connection.execute("UPDATE record SET json = ?", (_json(record),))
        return record

    def add_block(self, col: int, row: int, tiles: TileFeatures) -> None:
        """Store a finished block, also one without tiles; when this returns, it is on disk."""
        places = np.stack([tiles.columns, tiles.rows], axis=1).astype("<i4")
        values = (
            *(row, col, len(tiles), places.tobytes()),
            *(tiles.tissue.astype("<f4").tobytes(), tiles.features.astype("<f2").tobytes()),
        )
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?)", values)

    def finished_blocks(self) -> set[tuple[int, int]]:
        """Return the (column, row) of every stored block."""
        return {(col, row) for row, col in self._rows("SELECT row, col FROM block")}

    def n_tiles(self) -> int:
        """Return how many tiles are stored."""
        return int(self._rows("SELECT coalesce(sum(n), 0) FROM block")[0][0])

    def read(self) -> TileFeatures:
        """Return all stored tiles, row by row of the grid, whatever order they came in."""
        columns, rows, tissue, features = self.read_kept()
        return TileFeatures(columns, rows, tissue, features.astype(np.float32))

    def read_kept(self) -> KeptTiles:
        """Return what `read` does, with features as they are kept: in half the memory."""
        n_features = self.record.n_features
        rows = self._rows("SELECT places, tissue, features FROM block ORDER BY row, col")
        try:
            places = np.frombuffer(b"".join(row[0] for row in rows), "<i4").reshape(-1, 2)
            tissue = np.frombuffer(b"".join(row[1] for row in rows), "<f4")
            features = np.frombuffer(b"".join(row[2] for row in rows), "<f2")
            features = features.reshape(len(places), n_features)
        except ValueError as error:
            raise self._damaged() from error
        order = np.lexsort((places[:, 0], places[:, 1]))
        return (
            places[order, 0].astype(np.int32),
            places[order, 1].astype(np.int32),
            tissue[order].astype(np.float32),
            features[order].astype(np.float16, copy=False),
        )

    def _damaged(self) -> StorageError:
        return StorageError(
            _("The features “{name}” are damaged.").format(name=self.path.name),
            _("Compute the features of the slide again."),
        )


def feature_path(record: FeatureRecord) -> Path:
    """Return where the features of a slide belong."""
    return features_folder(record.slide_hash) / f"{record.encoder}-{record.key}{SUFFIX}"


def features_folder(slide_hash: str) -> Path:
    """Return the folder of a slide's features; it need not be there."""
    return data_folder() / "features" / slide_hash


def newest_features(
    slide_hash: str, description: Description | None
) -> tuple[Path, FeatureRecord] | None:
    """Return the newest finished features of a slide that were described so.

    ``description`` None: in whatever way. None: there are none.
    """
    found = find_features(slide_hash)
    return next((one for one in found if description in (None, one[1].description)), None)


def find_features(slide_hash: str) -> list[tuple[Path, FeatureRecord]]:
    """Return a slide's finished features, newest first; those that cannot be read are skipped."""
    found = []
    for path in features_folder(slide_hash).glob(f"*{SUFFIX}"):
        try:
            with FeatureFile.open(path) as file:
                found.append((path, file.record))
        except StorageError as error:
            log.warning("skipped a file of features: %s", error)
    done = [one for one in found if one[1].finished]
    return sorted(done, key=lambda one: (one[1].finished, one[0].name), reverse=True)


def _json(record: FeatureRecord) -> bytes:
    return record.model_dump_json().encode()
