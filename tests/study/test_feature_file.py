"""Files of features: what was stored comes back in order, and no half file is ever there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pathoview.core.errors import StorageError
from pathoview.study import feature_file
from pathoview.study.feature_file import FeatureFile, FeatureRecord, TileFeatures, feature_path


def record(**changes: Any) -> FeatureRecord:
    plain: dict[str, Any] = {
        "slide_hash": "a" * 32,
        "pseudonym": "slide-aaaaaaaa",
        "encoder": "mean_color",
        "weights": "none",
        "n_features": 2,
        "mpp": (0.5,),
        "tile_px": 64,
        "side_l0": 64.0,
        "n_columns": 4,
        "n_rows": 4,
    }
    return FeatureRecord(**plain | changes)


def tiles(*places: tuple[int, int]) -> TileFeatures:
    """Tiles at (column, row) whose features say where they are."""
    columns, rows = np.array(places, np.int32).reshape(-1, 2).T
    features = np.stack([columns, rows], axis=1).astype(np.float32)
    return TileFeatures(columns, rows, np.full(len(columns), 0.5, np.float32), features)


def test_tiles_come_back_row_by_row_whatever_the_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.features"
    with FeatureFile.create(path, record()) as file:
        file.add_block(1, 0, tiles((2, 0), (3, 1)))
        file.add_block(0, 1, tiles())
        file.add_block(0, 0, tiles((0, 0), (1, 1)))
        file.add_block(1, 0, tiles((2, 0), (3, 1)))
    with FeatureFile.open(path) as file:
        assert file.finished_blocks() == {(0, 0), (1, 0), (0, 1)}
        assert file.n_tiles() == 4
        found = file.read()
    places = [(0, 0), (2, 0), (1, 1), (3, 1)]
    assert list(zip(found.columns, found.rows, strict=True)) == places
    assert found.features.tolist() == [[float(x), float(y)] for x, y in places]
    assert found.tissue.tolist() == [0.5] * 4


def test_the_record_is_changed_on_disk(tmp_path: Path) -> None:
    with FeatureFile.create(tmp_path / "a.features", record()) as file:
        file.update_record(finished="2026-01-01")
    with FeatureFile.open(tmp_path / "a.features") as file:
        assert file.record.finished == "2026-01-01"
        with pytest.raises(StorageError):
            file.update_record(finished="")


def test_what_gives_other_numbers_lies_elsewhere(own_home: Path) -> None:
    plain = feature_path(record())
    assert plain.is_relative_to(own_home)
    assert feature_path(record(started="", device="cuda:0", seconds=3.0)) == plain
    for change in (
        {"weights": "other"},
        {"mpp": (0.5, 1.0)},
        {"tile_px": 32},
        {"normalisation": "macenko"},
        {"least_tissue": 0.5},
        {"slide_mpp": (0.2, 0.2)},
        {"slide_hash": "b" * 32},
    ):
        assert feature_path(record(**change)) != plain, change


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.features"
    monkeypatch.setattr(feature_file, "_SCHEMA", (*feature_file._SCHEMA, "NO STATEMENT"))
    with pytest.raises(StorageError):
        FeatureFile.create(path, record())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    FeatureFile.create(path, record()).close()
    with pytest.raises(StorageError, match="exists already"):
        FeatureFile.create(path, record(n_features=9))
    assert [one.name for one in tmp_path.iterdir()] == ["a.features"]
    with FeatureFile.open(path) as file:
        assert file.record.n_features == 2


def test_other_and_damaged_files_are_told(tmp_path: Path) -> None:
    other = tmp_path / "other.features"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (n)")
    connection.close()
    with pytest.raises(StorageError, match="not a file of features"):
        FeatureFile.open(other)
    path = tmp_path / "a.features"
    with FeatureFile.create(path, record(n_features=3)) as file:
        file.add_block(0, 0, tiles((0, 0)))  # of two features
    with FeatureFile.open(path) as file, pytest.raises(StorageError, match="damaged"):
        file.read()
