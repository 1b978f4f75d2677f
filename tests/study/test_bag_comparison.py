"""Two runs on the same tiles, or on tiles of different sizes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from pathoview.core.geometry import Cell
from pathoview.study.bag_comparison import TileValues, compare


def grid(n_columns: int, n_rows: int, side_l0: float, values: np.ndarray) -> TileValues:
    rows, columns = np.divmod(np.arange(n_columns * n_rows, dtype=np.int32), np.int32(n_columns))
    return TileValues(columns, rows, Cell.square(side_l0), values.astype(np.float32).ravel())


def test_correlations_are_those_of_the_textbook_also_with_ties() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 9, (2, 60)).astype(np.float32)
    other += one
    found = compare(grid(10, 6, 64, one), grid(10, 6, 64, other))
    assert found.pearson == pytest.approx(pearsonr(one, other).statistic)
    assert found.spearman == pytest.approx(spearmanr(one, other).statistic)


def test_only_shared_tiles_count_and_the_worst_come_first() -> None:
    one = grid(4, 2, 64, np.array([1, 2, 3, 4, 5, 6, 7, 8]))
    kept = np.array([0, 2, 3, 5, 7])
    values = np.array([9, 2, 3, 5, 7], np.float32)
    other = TileValues(one.columns[kept], one.rows[kept], 64, values)
    found = compare(one, other)
    assert found.tiles.tolist() == kept.tolist()
    assert found.ranks[0].tolist() == [0, 1]
    assert found.most_different(1).tolist() == [0]


def test_tiles_of_another_size_are_found_by_their_middles() -> None:
    coarse = np.array([[0.1, 0.9], [0.5, 0.3]])
    fine = np.kron(coarse, np.ones((2, 2)))
    found = compare(grid(4, 4, 32, fine), grid(2, 2, 64, coarse))
    assert len(found.tiles) == 16
    assert found.pearson == pytest.approx(1)


def test_what_is_flat_or_not_shared_has_no_correlation() -> None:
    one, flat = grid(3, 1, 64, np.arange(3)), grid(3, 1, 64, np.full(3, 1 / 3))
    assert compare(one, flat).pearson is None
    assert compare(one, flat).spearman is None
    nothing = TileValues(np.empty(0, np.int32), np.empty(0, np.int32), 64, np.empty(0, np.float32))
    assert compare(one, nothing).pearson is None
    assert len(compare(nothing, one).tiles) == 0
