"""Tiles of a whole slide in a run's file, and what their numbers come to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pathoview.annotations.detections import DetectionClass
from pathoview.core.errors import StorageError
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile

CLASSES = tuple(DetectionClass(name, (0, 0, 0)) for name in "abc")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFile]:
    record = RunRecord(key="k", method="m", title="t", slide_hash="0", pseudonym="p")
    record = record.model_copy(update={"gives": "bag", "classes": CLASSES})
    with RunFile.create(tmp_path / "one.run", record) as run:
        yield run


def tiles(*attention: float) -> BagTiles:
    n = len(attention)
    columns, rows = np.arange(n, dtype=np.int32), np.full(n, 2, np.int32)
    evidence = np.arange(3 * n, dtype=np.float32).reshape(n, 3)
    return BagTiles(columns, rows, np.array(attention, np.float32), evidence)


@pytest.mark.parametrize("stored", [tiles(0.1, 0.6, 0.1, 0.2), tiles()])
def test_what_is_stored_is_read_back(run: RunFile, stored: BagTiles) -> None:
    assert run.bag_rows().read() is None
    run.bag_rows().store(tiles(1.0))
    run.bag_rows().store(stored)
    found = run.bag_rows().read()
    assert found is not None
    for name in ("columns", "rows", "attention", "evidence"):
        np.testing.assert_array_equal(getattr(found, name), getattr(stored, name))
    assert found.evidence.shape == (len(stored), 3)


def test_attention_is_told_as_a_multiple_of_the_average_and_as_a_rank() -> None:
    some = tiles(0.1, 0.6, 0.1, 0.2)
    assert some.relative_attention == pytest.approx([0.4, 2.4, 0.4, 0.8])
    assert some.attention_ranks == pytest.approx([0.5, 1.0, 0.5, 0.75])
    assert some.most_attended(3).tolist() == [1, 3, 0]
    assert len(tiles().attention_ranks) == 0


def test_the_picture_of_the_grid_has_holes_where_no_tile_is() -> None:
    some = tiles(0.25, 0.75)
    picture = some.image(some.attention, (3, 4))
    assert picture.shape == (4, 3)
    assert picture[2, :2].tolist() == [0.25, 0.75]
    assert np.isnan(picture).sum() == 10
    assert some.image(some.evidence, (3, 4)).shape == (4, 3, 3)


def test_damaged_rows_are_told(run: RunFile) -> None:
    run.bag_rows().store(tiles(0.5, 0.5))
    with sqlite3.connect(run.path) as file:
        file.execute("UPDATE bag SET evidence = x'00000000'")
    file.close()
    with pytest.raises(StorageError, match="damaged"):
        run.bag_rows().read()
