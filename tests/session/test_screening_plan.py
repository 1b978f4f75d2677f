from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathoview.layers.frame import Look
from pathoview.session import screening_plan
from pathoview.session.screening_plan import Field, plan_fields, tissue_cells
from pathoview.slides.tissue import TissueMask

VIEW = (800.0, 600.0)
NOTHING = np.zeros((100, 100), np.uint8)


def tissue(*boxes: tuple[int, int, int, int]) -> TissueMask:
    """Return boxes (left, top, right, bottom in cells of 16 px) of tissue on 4,000 × 3,200 px."""
    mask = np.zeros((200, 250), bool)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return TissueMask(mask, 16.0)


def planned(
    mask: TissueMask, look: Look | None = None, overlap: float = 0.1, codes: np.ndarray = NOTHING
) -> tuple[Field, ...]:
    return plan_fields(mask, look or Look(1.0), VIEW, overlap, codes, 40.0, 40)


def test_rows_go_there_and_back() -> None:
    fields = planned(tissue((0, 0, 200, 150)))
    rows: dict[float, list[float]] = {}
    for field in fields:
        rows.setdefault(round(field.center_l0[1], 3), []).append(field.center_l0[0])
    assert list(rows) == sorted(rows)
    assert len(rows) == 5
    for number, xs in enumerate(rows.values()):
        assert xs == sorted(xs, reverse=number % 2 == 1)
    xs = next(iter(rows.values()))
    assert np.diff(xs) == pytest.approx(600)  # five fields over 3,200 px
    assert np.diff(list(rows)) == pytest.approx(450)
    assert (xs[0], xs[-1]) == pytest.approx((400, 2800))


def test_fields_without_tissue_are_left_out() -> None:
    fields = planned(tissue((0, 0, 40, 40), (200, 150, 240, 190)))
    assert 2 <= len(fields) <= 8
    assert planned(tissue()) == ()
    (only,) = planned(tissue((100, 100, 110, 110)))
    assert only.center_l0 == pytest.approx((1680, 1680))


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0, 359), st.booleans(), st.floats(0, 0.5), st.floats(0.3, 2), st.integers(0, 10**6)
)
def test_all_tissue_is_in_some_field(
    rotation: float, is_flipped: bool, overlap: float, scale: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    left, top = rng.integers(0, 200), rng.integers(0, 150)
    mask = tissue((0, 0, 9, 30), (left, top, left + rng.integers(1, 50), top + 20))
    look = Look(scale, rotation, is_flipped)
    fields = planned(mask, look, overlap)
    rows, columns = np.nonzero(mask.mask)
    points = look.affine.points((np.column_stack([columns, rows]) + 0.5) * 16)
    centers = look.affine.points(np.array([field.center_l0 for field in fields]))
    away = np.abs(points[:, None] - centers[None]) - np.array(VIEW) / 2
    assert (away.max(axis=2).min(axis=1) <= 1e-6).all()


def test_very_many_px_of_tissue_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = tissue((3, 5, 203, 160), (249, 199, 250, 200))
    fine = planned(mask)
    monkeypatch.setattr(screening_plan, "_MOST_POINTS", 2000)
    coarse = planned(mask)
    assert len(coarse) == len(fine)
    away = np.subtract([f.center_l0 for f in fine], [f.center_l0 for f in coarse])
    assert np.abs(away).max() <= 2 * 16 * 4


def test_fields_know_what_was_seen() -> None:
    codes = np.zeros((80, 100), np.uint8)
    codes[:, :50] = 40  # the left half of the slide
    fields = planned(tissue((0, 0, 250, 200)), codes=codes)
    for field in fields:
        if field.center_l0[0] < 1500:
            assert field.seen_share == 1
        elif field.center_l0[0] > 2500:
            assert field.seen_share == 0
    codes[:] = 39
    assert not any(field.seen_share for field in planned(tissue((0, 0, 250, 200)), codes=codes))


def test_cells_of_tissue_lie_where_the_mask_says() -> None:
    cells = tissue_cells(tissue((50, 100, 100, 150)), (80, 100), 40.0)
    rows, columns = np.nonzero(cells)
    assert (rows.min(), rows.max() + 1) == (40, 60)
    assert (columns.min(), columns.max() + 1) == (20, 40)
