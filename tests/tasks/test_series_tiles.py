"""Frames of clips and pictures of a folder become the tiles of one bag."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import MeanColor, described_by, frame, write_frames, write_video
from fakes import ArraySlide
from makers import he_image

from pathoview.core.errors import Cancelled, MissingScaleError, SlideError, UsageError
from pathoview.core.progress import SilentProgress
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.slide import Slide
from pathoview.study.feature_file import FeatureFile
from pathoview.tasks import series_tiles
from pathoview.tasks.features import FeatureOrder, bag_of, extract
from pathoview.tasks.series_tiles import fitted
from pathoview.tasks.tile_layouts import tiles_of

SIDE = 32


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> MeanColor:
    monkeypatch.setattr(series_tiles, "_FRAMES_AT_ONCE", 4)
    return described_by(monkeypatch)


class Listening(SilentProgress):
    def __init__(self, cancel_after: int = 99) -> None:
        super().__init__()
        self.notices: list[str] = []
        self._left = cancel_after

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "notice":
            self.notices.append(data["text"])
        if kind == "tile":
            self._left -= 1
            if not self._left:
                self.control.cancel()


def clip_order(**more: Any) -> FeatureOrder:
    return FeatureOrder.parse({"mpp": [], "tile_px": SIDE, **more})


def picture_order(**more: Any) -> FeatureOrder:
    return FeatureOrder.parse({"mpp": [1.0], "tile_px": SIDE, "least_tissue": 0.1, **more})


# -- clips -----------------------------------------------------------------------------------------


def test_a_frame_is_fitted_whole_into_a_tile() -> None:
    wide = np.zeros((20, 80, 3), np.uint8)
    wide[:, 40:] = 200
    tile = fitted(wide, SIDE)
    assert tile.shape == (SIDE, SIDE, 3)
    assert (tile[:, :15] == 0).all()
    assert (tile[:, 17:] == 200).all(), "its mirror image above and below"
    assert fitted(wide[:1, :3], SIDE).shape == fitted(wide[:, :1], 5 * SIDE)[:SIDE, :SIDE].shape


def test_every_frame_is_a_tile_in_the_order_of_time(encoder: MeanColor, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "clip", [frame(n, has_spot=n in (3, 10)) for n in range(11)])
    with open_slide(folder) as slide:
        path = extract(slide, clip_order(), SilentProgress())
        again = extract(slide, FeatureOrder.of(bag_of(path)[2]), SilentProgress())
        assert again == path
        tiles, grid, used = bag_of(path)
        assert used.is_of_frames
        assert (used.mpp, used.tile_px, used.n_features) == ((), SIDE, 4)
        assert grid.columns.tolist() == list(range(11))
        assert not grid.rows.any()
        assert np.flatnonzero(tiles[:, 3] > 100).tolist() == [3, 10]
        assert encoder.n_described == 11
        with_scale(slide, 0.5)
        assert extract(slide, clip_order(), SilentProgress()) == path, "a scale changes nothing"
        few = bag_of(extract(slide, clip_order(every=3), SilentProgress()))
    assert few[1].columns.tolist() == [0, 3, 6, 9]
    assert few[2].every == 3
    np.testing.assert_array_equal(few[0], tiles[::3])


def test_a_stopped_clip_goes_on_where_it_was(encoder: MeanColor, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "clip", [frame(n) for n in range(60)])
    with open_slide(folder) as slide:
        with pytest.raises(Cancelled):
            extract(slide, clip_order(), Listening(cancel_after=1))
        first = encoder.n_described
        assert 0 < first < 60
        path = extract(slide, clip_order(), SilentProgress())
    assert encoder.n_described < 60 + first
    with FeatureFile.open(path) as file:
        assert file.n_tiles() == 60
        assert file.record.finished


def test_frames_that_cannot_be_read_are_left_out_and_told(
    encoder: MeanColor, tmp_path: Path
) -> None:
    folder = write_frames(tmp_path / "clip", [frame(n) for n in range(8)])
    damage(folder / "frame 3.png")
    damage(folder / "frame 8.png")
    progress = Listening()
    with open_slide(folder) as slide:
        _tiles, grid, _used = bag_of(extract(slide, clip_order(), progress))
    assert grid.columns.tolist() == [0, 1, 3, 4, 5, 6]
    assert progress.notices == ["2 frames cannot be read and are left out."]
    for number in range(5, 8):
        damage(folder / f"frame {number}.png")
    with open_slide(folder) as slide, pytest.raises(SlideError, match="could not be read"):
        extract(slide, clip_order(), SilentProgress())


def damage(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def test_frames_of_a_video_are_read_by_one_thread(encoder: MeanColor, tmp_path: Path) -> None:
    file = write_video(tmp_path / "clip.mp4", [frame(n, has_spot=n == 7) for n in range(20)])
    with open_slide(file) as slide:
        assert tiles_of(slide, clip_order()).reads_in_order
        tiles, grid, _used = bag_of(extract(slide, clip_order(), SilentProgress()))
    assert len(grid) == 20
    assert int(tiles[:, 3].argmax()) == 7


def test_what_is_no_clip_is_told(encoder: MeanColor, tmp_path: Path) -> None:
    slide: Slide = ArraySlide(he_image(64, 64))
    with pytest.raises(UsageError, match="is no clip"):
        extract(slide, clip_order(), SilentProgress())
    folder = write_frames(tmp_path / "clip", [frame(0)])
    with open_slide(folder) as series:
        with pytest.raises(UsageError, match="not normalised"):
            extract(series, clip_order(normalisation="macenko"), SilentProgress())
        with pytest.raises(MissingScaleError):
            extract(series, picture_order(), SilentProgress())
    file = write_video(tmp_path / "clip.mp4", [frame(0), frame(1)])
    with open_slide(file) as video, pytest.raises(UsageError, match="is no single picture"):
        extract(with_scale(video, 1.0), picture_order(), SilentProgress())


# -- folders of pictures ---------------------------------------------------------------------------


def test_pictures_of_a_folder_are_cut_into_tiles_each_on_a_grid_of_its_own(
    encoder: MeanColor, tmp_path: Path
) -> None:
    large, small = he_image(3 * SIDE + 5, 2 * SIDE + 9, 1), he_image(2 * SIDE, SIDE, 2)
    glass = np.full((SIDE, SIDE, 3), 244, np.uint8)
    folder = write_frames(tmp_path / "bag", [large, glass, small])
    with open_slide(folder) as slide:
        with_scale(slide, 1.0)
        tiles, grid, used = bag_of(extract(slide, picture_order(), SilentProgress()))
        supply = tiles_of(slide, picture_order())
        read = supply.read(block_of(grid), None)[0]
    assert not used.is_of_frames
    assert (supply.n_columns, supply.n_rows, supply.cell_l0) == (9, 2, (SIDE, SIDE))
    places = list(zip(grid.columns.tolist(), grid.rows.tolist(), strict=True))
    assert set(places) == {(c, r) for c in range(3) for r in range(2)} | {(6, 0), (7, 0)}
    last = places.index((7, 0))
    np.testing.assert_array_equal(read[last], small[:, SIDE:])
    first = places.index((2, 1))
    np.testing.assert_array_equal(read[first], large[SIDE : 2 * SIDE, 2 * SIDE : 3 * SIDE])
    np.testing.assert_allclose(tiles[last, :3], small[:, SIDE:].mean(axis=(0, 1)), atol=0.2)


def block_of(grid: Any) -> series_tiles.Block:
    columns, rows = (one.astype(np.int64) for one in (grid.columns, grid.rows))
    return series_tiles.Block(columns, rows, np.ones(len(grid), np.float32))


def test_all_pictures_are_read_at_one_reduction(encoder: MeanColor, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "bag", [he_image(1600, 1300, 1), he_image(400, 300, 2)])
    with open_slide(folder) as slide:
        with_scale(slide, 0.25)
        supply = tiles_of(slide, picture_order(mpp=[0.75]))
        tiles, grid, _used = bag_of(extract(slide, picture_order(mpp=[0.75]), SilentProgress()))
    per = supply.n_columns // 2
    own = grid.columns >= per
    assert supply.cell_l0.width == SIDE * supply.grids[0].scale_l0
    assert grid.columns[own].max() - per == 400 // supply.cell_l0.width - 1
    assert len(tiles) == len(grid)
