"""Maps of probabilities in a run's file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pathoview.annotations.detections import DetectionClass
from pathoview.core.errors import StorageError
from pathoview.study.raster_rows import class_pixels, halved_planes, quantised
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile

Planes = npt.NDArray[np.uint8]
CLASSES = (DetectionClass("A", (255, 0, 0)), DetectionClass("B", (0, 0, 255)))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFile]:
    record = RunRecord(
        key="k",
        method="m",
        title="Map",
        slide_hash="0",
        pseudonym="p",
        gives="pixel",
        classes=CLASSES,
        tile_px=16,
        grid_px=(64, 48),
        mpp=1.0,
    )
    with RunFile.create(tmp_path / "one.run", record) as run:
        yield run


def planes(seed: int = 0, side: int = 16) -> Planes:
    first = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    return np.stack([first, 255 - first])


def test_what_is_stored_is_read_wherever_it_is_cut(run: RunFile) -> None:
    rows = run.map_rows()
    tiles = {(1, 1): planes(1), (2, 1): planes(2), (2, 2): planes(3)}
    whole = np.zeros((2, 48, 64), np.uint8)
    for (col, row), tile in tiles.items():
        rows.add(col, row, tile, 3)
        whole[:, row * 16 : row * 16 + 16, col * 16 : col * 16 + 16] = tile
    for x, y, width, height in ((0, 0, 64, 48), (20, 18, 3, 5), (30, 10, 34, 38), (0, 0, 5, 5)):
        np.testing.assert_array_equal(
            rows.area(0, x, y, width, height), whole[:, y : y + height, x : x + width]
        )
    coarse = halved_planes(halved_planes(whole))
    np.testing.assert_array_equal(rows.area(2, 1, 2, 15, 10), coarse[:, 2:12, 1:16])


def test_a_file_without_a_tile_has_an_empty_map_until_one_comes(run: RunFile) -> None:
    with RunFile.open(run.path) as reader:
        rows = reader.map_rows()
        assert rows.finished() == set()
        assert not rows.area(0, 0, 0, 8, 8).any()
        assert rows.class_pixels().tolist() == [0, 0]
        assert rows.extent() is None
        run.map_rows().add(3, 2, planes(), 1)
        assert rows.since(0) == [(1, 3, 2)]
        assert rows.finished() == {(3, 2)}
        assert rows.extent() == (3, 3, 2, 2)


def test_pixels_are_counted_once_however_often_a_tile_is_stored(run: RunFile) -> None:
    rows = run.map_rows()
    for _again in range(2):
        rows.add(0, 0, planes(), 1)
    assert rows.class_pixels().tolist() == class_pixels(planes()).tolist()
    assert rows.class_pixels().sum() == 256
    assert len(rows.since(0)) == 1


def test_what_was_not_analysed_takes_no_part_in_smaller_sizes() -> None:
    tile = np.zeros((2, 4, 4), np.uint8)
    tile[:, 0, 0] = 200, 55
    tile[:, 0, 2], tile[:, 1, 2] = (100, 155), (0, 255)
    small = halved_planes(tile)
    assert small[:, 0, 0].tolist() == [200, 55]
    assert small[:, 0, 1].tolist() == [50, 205]
    assert not small[:, 1].any()


def test_probabilities_come_back_to_a_quarter_of_a_percent() -> None:
    rng = np.random.default_rng(0)
    odds = rng.random((9, 7, 3)).astype(np.float32)
    odds /= odds.sum(axis=2, keepdims=True)
    kept = quantised(odds)
    assert kept.shape == (3, 9, 7)
    assert np.abs(np.moveaxis(kept, 0, 2) / 255 - odds).max() <= 0.5 / 255 + 1e-6
    assert kept.any(axis=0).all()


@pytest.mark.parametrize(
    ("tile_px", "width", "n"), [(256, 400, 1), (256, 513, 2), (256, 5000, 5), (100, 10_000, 3)]
)
def test_a_map_is_halved_until_it_is_small_or_a_tile_is_odd(
    tmp_path: Path, tile_px: int, width: int, n: int
) -> None:
    record = RunRecord(
        key="k", method="m", title="", slide_hash="0", pseudonym="p", tile_px=tile_px
    )
    with RunFile.create(tmp_path / "two.run", record) as run:
        assert run.map_rows().n_levels(width, 10) == n


def test_a_damaged_tile_is_told_in_a_sentence(run: RunFile) -> None:
    rows = run.map_rows()
    rows.add(0, 0, planes(), 1)
    with run._writing() as connection:
        connection.execute("UPDATE map_block SET data = x'00'")
    with pytest.raises(StorageError, match="damaged"):
        rows.area(0, 0, 0, 4, 4)
