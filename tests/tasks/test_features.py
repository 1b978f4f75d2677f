"""Features of slides: of which tiles, in which order, and the same however they were stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide
from makers import he_image, make_pyramid_tiff

from pathoview.core.errors import (
    Cancelled,
    InputError,
    MissingScaleError,
    RunError,
    SlideError,
    UsageError,
)
from pathoview.core.progress import SilentProgress
from pathoview.datasets.bags import EncoderUsed
from pathoview.jobs.runner import JobRequest, JobRunner, JobState
from pathoview.methods.engine.device import Device
from pathoview.slides.slide import Slide
from pathoview.study.feature_file import FeatureFile
from pathoview.tasks import feature_extraction, feature_tiles, features
from pathoview.tasks.feature_tiles import FeatureTiles
from pathoview.tasks.features import FeatureOrder, bag_of, extract, kept_bag

PATIENCE_S = 240.0
SIDE = 32
Rgb = npt.NDArray[np.uint8]


class MeanColor:
    """Describes a tile by its mean colour."""

    n_features = 3
    device = "cpu"

    def __init__(self) -> None:
        self.spec = SimpleNamespace(name="mean_color", wants_gpu=False)
        self.weights = "none"
        self.n_described = 0

    def used(
        self, mpp: tuple[float, ...], tile_px: int, normalisation: str, least_tissue: float
    ) -> EncoderUsed:
        said = {"normalisation": normalisation, "least_tissue": least_tissue}
        return EncoderUsed("mean_color", self.weights, 3 * len(mpp), mpp, tile_px, **said)

    def batch(self, side: int) -> int:
        return 4

    def rows(self, tiles: Rgb) -> npt.NDArray[np.float32]:
        self.n_described += len(tiles)
        return tiles.reshape(len(tiles), -1, 3).mean(axis=1).astype(np.float32)


class Listener(SilentProgress):
    """Remembers what it was told, and does something at each event."""

    def __init__(self, at_tile: Callable[[Listener], None] | None = None) -> None:
        super().__init__()
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.fractions: list[float] = []
        self._at_tile = at_tile

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.fractions.append(fraction)

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, data))
        if kind == "tile" and self._at_tile:
            self._at_tile(self)

    def of_kind(self, kind: str) -> list[Mapping[str, Any]]:
        return [data for known, data in self.events if known == kind]


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> MeanColor:
    """Small blocks, one thread, and an encoder that can be reckoned with."""
    encoder = MeanColor()
    small_and_plain(monkeypatch, encoder)
    return encoder


def small_and_plain(patch: pytest.MonkeyPatch, encoder: MeanColor) -> None:
    patch.setattr(features, "_built", lambda *_said: encoder)
    patch.setattr(features, "choose_device", lambda: Device("cpu", ""))
    patch.setattr(feature_tiles, "_MOST_ACROSS", 3)
    patch.setattr(feature_extraction, "useful_computers", lambda _device: 1)


def picture(height: int = 300, width: int = 420) -> Rgb:
    """A picture that is tissue everywhere, and nowhere the same."""
    image = he_image(width, height, 3)
    image[..., 0] -= (np.arange(width) // 8).astype(np.uint8)
    return image


def order(**changes: Any) -> FeatureOrder:
    return FeatureOrder.parse({"tile_px": SIDE, "least_tissue": 0.0, **changes})


def color_at(image: Rgb, x: float, y: float, side: float) -> npt.NDArray[np.float64]:
    """Return the mean colour of a square, white beyond the picture."""
    pad = 512
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), constant_values=255)
    left, top = round(x) + pad, round(y) + pad
    size = round(side)
    return padded[top : top + size, left : left + size].reshape(-1, 3).mean(axis=0)


def test_whole_tiles_of_the_grid_are_described(encoder: MeanColor) -> None:
    image = picture()
    path = extract(ArraySlide(image), order(), SilentProgress())
    numbers, grid, used = bag_of(path)
    kept, *_others = kept_bag(path)
    assert (kept.dtype, numbers.dtype) == (np.float16, np.float32)
    np.testing.assert_array_equal(kept, numbers)
    assert (used.name, used.mpp, used.tile_px, used.least_tissue) == ("mean_color", (0.5,), 32, 0)
    assert len(grid) == len(numbers) == (420 // SIDE) * (300 // SIDE)
    assert grid.cell_l0 == (SIDE, SIDE)
    places = np.stack([grid.rows, grid.columns], axis=1)
    assert places.tolist() == sorted(places.tolist()), "row by row, whatever the blocks"
    for row, (x, y) in zip(numbers, grid.corners_l0(), strict=True):
        np.testing.assert_allclose(row, color_at(image, x, y, SIDE), atol=0.1)


def test_tiles_that_overlap_stand_for_smaller_cells(encoder: MeanColor) -> None:
    image = picture()
    numbers, grid, used = bag_of(extract(ArraySlide(image), order(overlap=0.5), SilentProgress()))
    half = SIDE // 2
    assert (used.overlap, grid.cell_l0) == (0.5, (half, half))
    assert len(grid) == (420 // half) * (300 // half)
    for row, (x, y) in zip(numbers, grid.centers_l0(), strict=True):
        expected = color_at(image, x - half, y - half, SIDE)
        np.testing.assert_allclose(row, expected, atol=0.1)


def test_overlapping_tiles_are_kept_apart_from_others(encoder: MeanColor) -> None:
    slide = ArraySlide(picture())
    plain = extract(slide, order(), SilentProgress())
    assert extract(slide, order(overlap=0.5), SilentProgress()) != plain
    assert extract(slide, order(overlap=0.0), SilentProgress()) == plain


def test_tiles_of_other_magnifications_have_the_same_centre(encoder: MeanColor) -> None:
    image = picture()
    slide = ArraySlide(image, 0.5)
    numbers, grid, used = bag_of(extract(slide, order(mpp=[1.0, 4.0, 0.5]), SilentProgress()))
    assert numbers.shape == (6 * 4, 9)
    assert (used.mpp, used.n_features) == ((1.0, 4.0, 0.5), 9)
    assert grid.cell_l0 == (2 * SIDE, 2 * SIDE)
    for row, corner in zip(numbers, grid.corners_l0(), strict=True):
        x, y = corner + SIDE  # of the centre
        for n, side in enumerate((2 * SIDE, 8 * SIDE, SIDE)):
            expected = color_at(image, x - side / 2, y - side / 2, side)
            np.testing.assert_allclose(row[3 * n : 3 * n + 3], expected, atol=1.5)


def test_a_picture_smaller_than_a_tile_is_one_tile_on_white(encoder: MeanColor) -> None:
    image = picture(20, 24)
    wanted = order(tile_px=64, least_tissue=0.5)
    numbers, grid, _used = bag_of(extract(ArraySlide(image), wanted, SilentProgress()))
    assert (grid.columns.tolist(), grid.rows.tolist()) == ([0], [0])
    np.testing.assert_allclose(numbers[0], color_at(image, 0, 0, 64), atol=0.1)


def test_glass_is_left_out(encoder: MeanColor) -> None:
    image = np.full((320, 960, 3), 245, np.uint8)
    image[:, 480:] = picture(320, 480)
    path = extract(ArraySlide(image), order(least_tissue=0.9), SilentProgress())
    _numbers, grid, _used = bag_of(path)
    assert set(grid.rows) == set(range(10))
    assert grid.columns.min() >= 480 // SIDE - 3  # the mask has a margin of 40 µm
    assert grid.columns.max() == 960 // SIDE - 1
    with FeatureFile.open(path) as file:
        tiles, record = file.read(), file.record
    assert tiles.tissue.min() >= 0.9
    assert (record.n_columns, record.n_rows) == (30, 10)
    fewer = extract(ArraySlide(image), order(least_tissue=0.2), SilentProgress())
    assert len(bag_of(fewer)[1]) >= len(grid)


def test_a_slide_of_glass_gives_a_finished_file_without_tiles(encoder: MeanColor) -> None:
    listener = Listener()
    slide = ArraySlide(np.full((300, 300, 3), 244, np.uint8))
    path = extract(slide, order(), listener)
    numbers, grid, _used = bag_of(path)
    assert numbers.shape == (0, 3)
    assert len(grid) == 0
    assert listener.fractions[-1] == 1.0
    assert listener.of_kind("started") == [{"n_tiles": 0, "n_done": 0}]
    with FeatureFile.open(path) as file:
        assert file.record.finished


def test_what_is_there_is_not_computed_again(encoder: MeanColor) -> None:
    slide = ArraySlide(picture())
    path = extract(slide, order(), SilentProgress())
    n = encoder.n_described
    listener = Listener()
    assert extract(slide, order(), listener) == path
    assert encoder.n_described == n
    assert listener.events == []
    assert extract(slide, order(least_tissue=0.5), SilentProgress()) != path
    assert extract(slide, order(mpp=[1.0]), SilentProgress()) != path


def test_other_weights_are_other_features(encoder: MeanColor) -> None:
    slide = ArraySlide(picture(64, 64))
    path = extract(slide, order(), SilentProgress(), weights="none")
    encoder.weights = "others"
    assert extract(slide, order(), SilentProgress()) != path
    with pytest.raises(InputError, match="other weights"):
        extract(slide, order(), SilentProgress(), weights="none")


def cancelled_after(n_blocks: int) -> Listener:
    def at_tile(listener: Listener) -> None:
        if len(listener.of_kind("tile")) == n_blocks:
            listener.control.cancel()

    return Listener(at_tile)


def test_a_cancelled_extraction_goes_on_from_its_finished_blocks(encoder: MeanColor) -> None:
    slide = ArraySlide(picture())
    stopped = cancelled_after(5)
    with pytest.raises(Cancelled):
        extract(slide, order(), stopped)
    n = sum(data["n"] for data in stopped.of_kind("tile"))
    second = Listener()
    path = extract(slide, order(), second)
    assert second.of_kind("started") == [{"n_tiles": 13 * 9, "n_done": n}]
    assert sum(data["n"] for data in second.of_kind("tile")) == 13 * 9 - n
    assert second.fractions[1:] == sorted(second.fractions[1:])
    resumed = bag_of(path)[0]
    path.unlink()
    undisturbed = bag_of(extract(slide, order(), SilentProgress()))[0]
    np.testing.assert_array_equal(resumed, undisturbed)


def run_by_mean_color(request: Mapping[str, Any], progress: SilentProgress) -> dict[str, Any]:
    """Describe a slide by mean colours, without torch (a task for a worker)."""
    with pytest.MonkeyPatch.context() as patch:
        small_and_plain(patch, MeanColor())
        return features.run(request, progress)


def test_a_killed_extraction_repeats_no_finished_block(tmp_path: Path) -> None:
    slide = make_pyramid_tiff(tmp_path / "a.tiff", he_image(700, 520))
    said = {"slide": str(slide), "order": {"tile_px": SIDE}}
    request = JobRequest("test_features:run_by_mean_color", said, "features")
    runner = JobRunner(lambda call: call())
    told: list[Mapping[str, Any]] = []

    def at_event(kind: str, data: Mapping[str, Any]) -> None:
        told.append(data)
        pid = runner.worker_pid()
        if len(told) == 4 and pid:  # the start, and three blocks
            os.kill(pid, signal.SIGKILL)

    first = runner.submit(request)
    first.event.connect(at_event)
    try:
        assert first.wait(PATIENCE_S)
        assert first.state is JobState.DIED
        second = runner.submit(request)
        events: list[tuple[str, Mapping[str, Any]]] = []
        second.event.connect(lambda kind, data: events.append((kind, data)))
        assert second.wait(PATIENCE_S)
        assert second.result is not None, second.details
    finally:
        runner.close()
    (_kind, started), *blocks = events
    killed = {tuple(data["rect_l0"]) for data in told[1:4]}
    assert killed.isdisjoint(tuple(data["rect_l0"]) for _kind, data in blocks)
    assert started["n_done"] >= sum(data["n"] for data in told[1:4]) > 0
    n_new = sum(data["n"] for _kind, data in blocks)
    assert second.result["n_tiles"] == started["n_tiles"] == started["n_done"] + n_new


def broken_reads(
    monkeypatch: pytest.MonkeyPatch, is_broken: Callable[[tuple[int, int], int], bool]
) -> None:
    """Have reads fail where ``is_broken((x, y), number of earlier tries)``."""
    read, tries = feature_tiles.read_patch, dict[tuple[int, int], int]()

    def fail(slide: Any, grid: Any, x: int, y: int, width: int, height: int) -> Any:
        before = tries.get((x, y), 0)
        tries[x, y] = before + 1
        if is_broken((x, y), before):
            raise SlideError("The disk hums.")
        return read(slide, grid, x, y, width, height)

    monkeypatch.setattr(feature_tiles, "read_patch", fail)


def test_a_block_that_fails_once_is_read_again(
    encoder: MeanColor, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_reads(monkeypatch, lambda place, before: before == 0)
    assert len(bag_of(extract(ArraySlide(picture()), order(), SilentProgress()))[1]) == 13 * 9


def test_an_unreadable_block_keeps_the_others(encoder: MeanColor) -> None:
    slide = ArraySlide(picture())
    with pytest.MonkeyPatch.context() as patch:
        broken_reads(patch, lambda place, before: place == (0, 0))
        with pytest.raises(SlideError, match=r"1 tile .* The disk hums\."):
            extract(slide, order(), SilentProgress())
    listener = Listener()
    extract(slide, order(), listener)
    assert listener.of_kind("started")[0]["n_done"] == 13 * 9 - 9
    assert len(listener.of_kind("tile")) == 1


def test_stains_are_normalised_as_they_were_measured_once(
    encoder: MeanColor, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = ArraySlide(he_image(300, 300, 1))
    plain = bag_of(extract(slide, order(), SilentProgress()))[0]
    stopped = cancelled_after(2)
    with pytest.raises(Cancelled):
        extract(slide, order(normalisation="macenko"), stopped)
    monkeypatch.setattr(features.StainNormaliser, "fit", None)  # it is not measured again
    path = extract(slide, order(normalisation="macenko"), SilentProgress())
    normalised, _grid, used = bag_of(path)
    assert used.normalisation == "macenko"
    assert np.abs(normalised - plain).mean() > 1
    with FeatureFile.open(path) as file:
        assert file.record.stains["method"] == "macenko"


def test_a_scale_is_needed(encoder: MeanColor) -> None:
    with pytest.raises(MissingScaleError):
        extract(ArraySlide(picture(), None), order(), SilentProgress())


@pytest.mark.parametrize(
    "wrong", [{"mpp": [0.5, 900]}, {"tile_px": 0}, {"least_tissue": 2}, {"no": 1}]
)
def test_a_wrong_order_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        FeatureOrder.parse(wrong)


def test_an_encoder_for_a_gpu_is_refused_many_tiles_without_one(encoder: MeanColor) -> None:
    encoder.spec.wants_gpu = True
    slide = ArraySlide(picture())
    assert len(bag_of(extract(slide, order(), SilentProgress()))[1]) == 13 * 9
    with pytest.raises(UsageError, match="seconds for each of 468 tiles"):
        extract(slide, order(tile_px=16), SilentProgress())


def test_a_licence_that_binds_is_told(encoder: MeanColor, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = EncoderUsed("uni", "none", 3, (0.5,), SIDE, licence="CC-BY-NC-ND-4.0")
    monkeypatch.setattr(encoder, "used", lambda *_said: bound)
    listener = Listener()
    extract(ArraySlide(picture(64, 64)), order(), listener)
    assert "CC-BY-NC-ND-4.0" in listener.of_kind("notice")[0]["text"]


def test_numbers_that_cannot_be_kept_are_not(
    encoder: MeanColor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "rows", lambda tiles: np.full((len(tiles), 3), np.nan, "f4"))
    with pytest.raises(RunError, match="numbers"):
        extract(ArraySlide(picture(64, 64)), order(), SilentProgress())


@pytest.mark.parametrize("mpp", [(0.5,), (0.5, 2.0), (0.3,), (8.0,)])
def test_blocks_are_read_in_little_memory(mpp: tuple[float, ...]) -> None:
    slide = ArraySlide(np.zeros((4200, 4200, 3), np.uint8), 0.25)
    tiles = FeatureTiles(slide, mpp, 128, 0.0)
    vars(tiles)["shares"] = np.ones((tiles.n_rows, tiles.n_columns), np.float32)
    place: Any = SimpleNamespace(row=0, col=0)
    pixels = tiles.read(tiles.block(place), None)
    assert all(one.shape[1:] == (128, 128, 3) for one in pixels)
    assert len(pixels[0]) == min(tiles.across, tiles.n_columns) ** 2
    assert slide.largest_read <= 4096**2
    assert (tiles.across > 4) == (mpp[0] < 1)


def test_the_order_of_what_was_used_gives_the_same_features(encoder: MeanColor) -> None:
    slide: Slide = ArraySlide(picture())
    wanted = order(mpp=[1.0, 2.0], least_tissue=0.3)
    path = extract(slide, wanted, SilentProgress())
    again = FeatureOrder.of(bag_of(path)[2], numerics="bf16")
    assert again.numerics == "float32", "others are not exact"
    assert extract(slide, again.model_copy(update={"source": ""}), SilentProgress()) == path
