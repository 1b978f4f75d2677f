from __future__ import annotations

import numpy as np
import pytest

from pathoview.core.geometry import Rect
from pathoview.layers.compose import source_picture
from pathoview.layers.coverage_source import CoverageSource, cell_size, cells_shape

SIZE = (4000, 3000)
WHOLE = Rect(0, 0, *SIZE)


@pytest.fixture
def source() -> CoverageSource:
    return CoverageSource(*SIZE, np.zeros(cells_shape(*SIZE), np.uint8), least=40)


def corners(rect: Rect) -> tuple[tuple[float, float], ...]:
    return (
        *((rect.x, rect.y), (rect.right, rect.y)),
        *((rect.right, rect.bottom), (rect.x, rect.bottom)),
    )


def test_cells_cover_the_slide_and_are_never_too_many() -> None:
    for width, height in ((100, 50), (40_000, 30_000), (200_000, 1000)):
        rows, columns = cells_shape(width, height)
        assert rows * cell_size(width, height) >= height
        assert columns * cell_size(width, height) >= width
        assert max(rows, columns) <= 2049


@pytest.mark.parametrize("scale", [0.1, 0.5, 1.0])
def test_what_was_seen_is_tinted_where_it_was_seen(source: CoverageSource, scale: float) -> None:
    told: list[Rect] = []
    source.changed.connect(told.append)
    seen = Rect(808, 400, 1200, 800)
    assert source.see(corners(seen), 40)
    assert told[0].intersection(seen) == seen
    width, height = round(SIZE[0] * scale), round(SIZE[1] * scale)
    alpha = source_picture(source, WHOLE, width, height)[..., 3]
    rows, columns = np.nonzero(alpha > 12)
    edges = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / scale
    assert edges == pytest.approx([808, 400, 2008, 1200], abs=10 + 1 / scale)
    assert 15 < alpha.max() < 50
    assert not source.see(corners(seen), 40)
    assert not source.see(corners(seen), 10)
    assert len(told) == 1


def test_a_turned_view_is_seen_as_it_lies(source: CoverageSource) -> None:
    source.see(((2000, 500), (3000, 1500), (2000, 2500), (1000, 1500)), 40)
    alpha = source_picture(source, WHOLE, 400, 300)[..., 3]
    assert alpha[150, 200] > 0
    assert alpha[60, 110] == 0
    assert (alpha > 12).mean() == pytest.approx(2_000_000 / (4000 * 3000), rel=0.03)


def test_only_what_was_seen_closely_enough_counts(source: CoverageSource) -> None:
    tissue = np.zeros(cells_shape(*SIZE), bool)
    tissue[:100, :200] = True
    source.see(corners(Rect(0, 0, 800, 800)), 80)
    source.see(corners(Rect(800, 0, 800, 800)), 40)
    assert source.share_of(tissue) == pytest.approx(1, abs=0.02)
    version = source.style_version
    source.least = 80
    assert source.style_version > version
    assert source.share_of(tissue) == pytest.approx(0.5, abs=0.02)
    assert source.share_of(np.zeros_like(tissue)) == 0
    source.codes = np.zeros_like(source.codes)
    assert source.share_of(tissue) == 0
    assert not source_picture(source, WHOLE, 400, 300).any()
