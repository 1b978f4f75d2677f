"""Pseudo-healthy pictures in a run's file: without loss, and true from afar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pathoview.core.errors import StorageError
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import (
    BLUE,
    RED,
    SynthesisCounts,
    brightness_of,
    difference_of,
    pathology_of,
    synthesis_planes,
)

SIDE = 64


def new_file(folder: Path, tile_px: int = SIDE) -> RunFile:
    record = RunRecord(
        key="k",
        method="m",
        title="t",
        gives="synthesis",
        slide_hash="abc",
        pseudonym="slide-abc",
        tile_px=tile_px,
        grid_px=(4 * SIDE, SIDE),
    )
    return RunFile.create(folder / "a.run", record)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def test_colours_come_back_to_the_bit_black_ones_too(tmp_path: Path) -> None:
    picture = noise(1)
    picture[:8, :8] = 0
    planes = synthesis_planes(noise(2), picture, np.zeros((SIDE, SIDE), np.float32))
    with new_file(tmp_path) as run:
        rows = run.synthesis_rows()
        rows.add(1, 0, planes, 3)
        block = rows.block(0, 1, 0)
        assert block is not None
        np.testing.assert_array_equal(np.moveaxis(block[RED : BLUE + 1], 0, 2), picture)
        assert np.isfinite(pathology_of(block)).all()
        assert np.isnan(pathology_of(rows.area(0, 0, 0, SIDE, SIDE))).all()


def test_what_is_darker_here_and_brighter_there_differs_from_afar_too(tmp_path: Path) -> None:
    slide = np.full((SIDE, SIDE, 3), 100, np.uint8)
    picture = slide.copy()
    picture[:, ::2], picture[:, 1::2] = 140, 60
    planes = synthesis_planes(slide, picture, np.zeros((SIDE, SIDE), np.float32))
    planes[:, SIDE // 2 :] = 0  # glass
    with new_file(tmp_path) as run:
        rows = run.synthesis_rows()
        rows.add(0, 0, planes, 3)
        far = rows.block(2, 0, 0)
    assert far is not None
    assert np.unique(difference_of(far)[: SIDE // 8]).tolist() == [40]
    assert np.unique(brightness_of(far)[: SIDE // 8]).tolist() == [0]
    assert np.isnan(difference_of(far)[SIDE // 8 :]).all()


def test_counts_add_up_over_tiles_and_a_tile_that_is_stored_anew_counts_once(
    tmp_path: Path,
) -> None:
    pathology = np.random.default_rng(3).random((SIDE, SIDE), np.float32)
    made = [synthesis_planes(noise(n), noise(n + 9), pathology) for n in range(3)]
    with new_file(tmp_path) as run:
        rows = run.synthesis_rows()
        assert rows.counts().n_px == 0
        assert np.isnan(rows.counts().mean_difference)
        for col, planes in enumerate(made):
            rows.add(col, 0, planes, 1)
        rows.add(2, 0, made[0], 1)
        total = rows.counts()
    expected = (
        SynthesisCounts.of(made[0]) + SynthesisCounts.of(made[1]) + SynthesisCounts.of(made[0])
    )
    for name in ("pathology", "inside", "outside"):
        np.testing.assert_array_equal(getattr(total, name), getattr(expected, name))
    assert total.n_px == 3 * SIDE * SIDE
    assert total.n_different(0) == total.n_px


def test_damage_is_told_in_a_sentence(tmp_path: Path) -> None:
    planes = synthesis_planes(noise(1), noise(2), np.zeros((SIDE, SIDE), np.float32))
    with new_file(tmp_path) as run:
        rows = run.synthesis_rows()
        rows.add(0, 0, planes, 1)
        with rows._writing() as connection:
            connection.execute("UPDATE map_tile SET counts = x'00'")
        with pytest.raises(StorageError, match="damaged"):
            rows.counts()
