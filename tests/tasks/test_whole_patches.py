"""Patches of whole pictures: how many, where, and the same whatever the scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from clips import described_by, frame, write_frames
from fakes import ArraySlide
from hypothesis import given
from hypothesis import strategies as st
from makers import he_image

from pathoview.core.errors import UsageError
from pathoview.core.progress import SilentProgress
from pathoview.slides.opening import open_slide
from pathoview.tasks.feature_tiles import Block
from pathoview.tasks.features import FeatureOrder, bag_of, extract
from pathoview.tasks.whole_patches import N_LONG, N_SHORT, SHORTER_PX, WholePatches, offsets

SIDE = 224
ORDER = FeatureOrder().whole()


def patches_of(tiles: WholePatches) -> tuple[Block, npt.NDArray[np.uint8]]:
    place = tiles.plan(set()).next(None)
    assert place is not None
    block, (pixels,) = tiles.read_block(place, None)
    return block, pixels


@given(st.integers(SHORTER_PX, 4 * SHORTER_PX), st.sampled_from([3, 7]))
def test_patches_lie_inside_and_leave_no_gap(length: int, n: int) -> None:
    starts = offsets(length, n, SIDE)
    assert (starts[0], starts[-1] + SIDE) == (0, length)
    assert (np.diff(starts) >= 0).all()
    if length <= n * SIDE:
        assert (np.diff(starts) <= SIDE).all()


@pytest.mark.parametrize(
    ("width", "height", "grid"),
    [
        (512, 512, (7, 3)),
        (900, 600, (7, 3)),
        (600, 900, (3, 7)),
        (300, 200, (7, 3)),
        (2600, 512, (12, 3)),
    ],
)
def test_a_grid_has_more_patches_along_the_longer_side(
    width: int, height: int, grid: tuple[int, int]
) -> None:
    tiles = WholePatches(ArraySlide(he_image(width, height)), SIDE)
    assert (tiles.n_columns, tiles.n_rows) == grid
    assert tiles.n_tiles == grid[0] * grid[1] >= N_SHORT * N_LONG
    block, pixels = patches_of(tiles)
    assert pixels.shape == (tiles.n_tiles, SIDE, SIDE, 3)
    assert tiles.cell_l0 == (width / grid[0], height / grid[1])
    assert len(block) == tiles.n_tiles
    assert tiles.plan({(0, 0)}).next(None) is None


def test_a_patch_shows_what_is_round_its_cell() -> None:
    image = np.full((1024, 2048, 3), 255, np.uint8)
    image[700:, 1700:] = 0  # the corner at the lower right
    tiles = WholePatches(ArraySlide(image), SIDE)
    block, pixels = patches_of(tiles)
    darkness = 255 - pixels.reshape(len(pixels), -1).mean(axis=1)
    darkest = int(darkness.argmax())
    assert (block.columns[darkest], block.rows[darkest]) == (tiles.n_columns - 1, 2)
    assert darkness[0] == 0
    rows, columns = block.rows[darkness > 1], block.columns[darkness > 1]
    cells = [tiles.cell_l0.rect(x, y) for x, y in zip(columns, rows, strict=True)]
    assert min(cell.right for cell in cells) > 1500


def test_pictures_need_no_scale_and_are_the_same_in_any_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder = described_by(monkeypatch)
    image = he_image(1536, 1024, 5)
    small = ArraySlide(image[::2, ::2].repeat(2, axis=0).repeat(2, axis=1), None)
    numbers, grid, used = bag_of(extract(small, ORDER, SilentProgress()))
    assert (used.of_whole, used.is_of_frames, used.mpp, used.tile_px) == (True, False, (), SIDE)
    assert used.n_features == numbers.shape[1] == encoder.n_features + used.n_hand
    assert len(grid) == 21
    half = ArraySlide(image[::2, ::2], None)
    half.content_hash = "half"
    again, _grid, _used = bag_of(extract(half, ORDER, SilentProgress()))
    np.testing.assert_allclose(again[:, :3], numbers[:, :3], atol=2)
    assert used.n_hand > 100
    assert np.isfinite(numbers).all()


def test_clips_and_stains_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    described_by(monkeypatch)
    slide = ArraySlide(he_image(600, 512))
    with pytest.raises(UsageError, match="not normalised"):
        extract(slide, ORDER.model_copy(update={"normalisation": "macenko"}), SilentProgress())
    with (
        open_slide(write_frames(tmp_path / "clip", [frame(0)])) as clip,  # type: ignore[operator]
        pytest.raises(UsageError, match="no single picture"),
    ):
        extract(clip, ORDER, SilentProgress())
