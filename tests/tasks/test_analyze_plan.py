"""Which tiles a run has and in which order they come."""

from __future__ import annotations

import numpy as np
import pytest

from pathoview.core.geometry import Rect
from pathoview.slides.reading import AnalysisGrid
from pathoview.slides.rgb import RgbRule
from pathoview.slides.tissue import TissueMask
from pathoview.tasks.tile_plan import Tile, TilePlan, in_tissue

SCALE = 2.0


def grid(width: int = 1000, height: int = 700) -> AnalysisGrid:
    return AnalysisGrid(0, 2, 0.5, SCALE, width, height, RgbRule())


def tissue(width_l0: int = 2000, height_l0: int = 1400, downsample: float = 16) -> TissueMask:
    shape = (int(np.ceil(height_l0 / downsample)), int(np.ceil(width_l0 / downsample)))
    return TissueMask(np.ones(shape, np.bool_), downsample)


def places(plan: TilePlan, focus: Rect | None = None) -> list[tuple[int, int]]:
    found = []
    while tile := plan.next(focus):
        found.append((tile.col, tile.row))
    return found


def test_the_cores_cover_the_slide_once_and_end_at_its_edge() -> None:
    plan = TilePlan(grid(), 256, tissue(), None, set())
    covered = np.zeros((700, 1000), np.int32)
    for tile in plan.tiles:
        covered[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] += 1
    assert (covered == 1).all()


def test_without_a_focus_tiles_come_row_by_row() -> None:
    found = places(TilePlan(grid(), 256, tissue(), None, set()))
    assert found == [(col, row) for row in range(3) for col in range(4)]


def test_those_in_the_focus_come_first_the_nearest_to_its_centre_at_the_start() -> None:
    plan = TilePlan(grid(), 256, tissue(), None, set())
    focus = Rect(2 * 256 * SCALE + 60, 256 * SCALE + 10, 450, 900)
    found = places(plan, focus)
    assert found[0] == (2, 1)
    assert set(found[:2]) == {(2, 1), (2, 2)}
    assert found[2:] == [(c, r) for r in range(3) for c in range(4) if (c, r) not in found[:2]]


def test_a_focus_that_moves_is_followed_at_once() -> None:
    plan = TilePlan(grid(), 256, tissue(), None, set())
    first = plan.next(Rect(0, 0, 10, 10))
    second = plan.next(Rect(1990, 1390, 10, 10))
    third = plan.next(None)
    assert [(t.col, t.row) for t in (first, second, third) if t] == [(0, 0), (3, 2), (1, 0)]


def test_glass_has_no_tiles() -> None:
    mask = tissue()
    mask.mask[:] = False
    mask.mask[-1, -1] = True
    plan = TilePlan(grid(), 256, mask, None, set())
    assert [(tile.col, tile.row) for tile in plan.tiles] == [(3, 2)]


def test_a_slide_without_tissue_has_no_tiles() -> None:
    mask = tissue()
    mask.mask[:] = False
    plan = TilePlan(grid(), 256, mask, None, set())
    assert plan.tiles == ()
    assert plan.next(Rect(0, 0, 9, 9)) is None


def test_a_region_uses_the_slide_s_own_grid_and_cuts_the_cores() -> None:
    plan = TilePlan(grid(), 256, tissue(), Rect(400, 100, 301, 99), set())
    assert plan.tiles == (Tile(0, 0, 200, 50, 56, 50), Tile(1, 0, 256, 50, 95, 50))


def test_finished_tiles_are_not_done_again() -> None:
    plan = TilePlan(grid(), 256, tissue(), None, {(0, 0), (2, 1)})
    assert plan.n_pending == 10
    found = places(plan, Rect(0, 0, 2000, 1400))
    assert len(found) == len(set(found)) == 10
    assert not {(0, 0), (2, 1)} & set(found)


@pytest.mark.parametrize("downsample", [7.3, 16.0, 3000.0])
def test_points_are_on_tissue_where_the_mask_says_so(downsample: float) -> None:
    mask = tissue(downsample=downsample)
    mask.mask[:, 0] = False
    points = np.array([[0.0, 0.0], [downsample * 1.01, 5.0], [1999.99, 1399.99]])
    beyond = mask.mask.shape[1] > 1
    assert in_tissue(mask, points).tolist() == [False, beyond, beyond]
