from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from fakes import ArraySlide

from pathoview.core.affine import Affine
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers.colormaps import COLORMAPS, colors_of
from pathoview.layers.heatmap_source import HeatmapSource, HeatmapStyle
from pathoview.layers.raster import ArrayRaster
from pathoview.layers.raster_file import SlideRaster
from pathoview.layers.source import Unfinished

LEVEL_0 = 4
"""Four enlarged levels come first."""
COLORS = colors_of("viridis")


def source(values: object, scale: float = 8.0, **style: object) -> HeatmapSource:
    look = HeatmapStyle(**{"limits": (0.0, 255.0), **style})  # type: ignore[arg-type]
    raster = ArrayRaster(np.asarray(values, np.float32))
    return HeatmapSource(raster, Affine.scaled(scale), 512, 512, look)


def tile_of(heatmap: HeatmapSource, level: int = LEVEL_0, column: int = 0) -> np.ndarray:
    tile = heatmap.read_tile(TileKey(level, column, 0))
    assert isinstance(tile, np.ndarray)
    return tile


def test_values_get_the_colours_between_the_limits() -> None:
    tile = tile_of(source([[0, 255], [128, 1000], [-7, 64]]))
    for row, column, color in ((0, 0, 0), (0, 1, 255), (1, 0, 128), (1, 1, 255), (2, 0, 0)):
        assert tile[row * 8 + 4, column * 8 + 4].tolist() == [*COLORS[color].tolist(), 255]
    assert tile[20, 12, :3].tolist() == COLORS[64].tolist()
    assert tile.shape == (512, 512, 4)
    assert not tile[24:].any()
    assert not tile[:, 16:].any()


@pytest.mark.parametrize("level", range(6))
def test_a_pixel_covers_its_square_at_every_level(level: int) -> None:
    values = np.zeros((40, 40))
    values[10, 20] = 255
    raster = ArrayRaster(values)
    placement = Affine.scaled(3.7).then(Affine.moved(100.3, 50.6))
    heatmap = HeatmapSource(raster, placement, 700, 700, HeatmapStyle(limits=(0, 255)))
    downsample = heatmap.pyramid.levels[level].downsample
    left, top = ((100.3 + 20 * 3.7) / downsample, (50.6 + 10 * 3.7) / downsample)
    right, bottom = left + 3.7 / downsample, top + 3.7 / downsample
    found: list[tuple[float, float]] = []
    for key in heatmap.pyramid.tiles_in(heatmap.pyramid.tile_l0(TileKey(5, 0, 0)), level):
        tile = heatmap.read_tile(key)
        if isinstance(tile, np.ndarray):
            rows, columns = np.nonzero((tile[..., :3] == COLORS[255]).all(axis=2))
            x, y = key.col * 512, key.row * 512
            found += list(zip((columns + x + 0.5).tolist(), (rows + y + 0.5).tolist(), strict=True))
    wanted = [
        (x + 0.5, y + 0.5)
        for y in range(int(top) - 2, int(bottom) + 2)
        for x in range(int(left) - 2, int(right) + 2)
        if left <= x + 0.5 < right and top <= y + 0.5 < bottom
    ]
    assert sorted(found) == sorted(wanted)


def test_what_is_no_number_is_transparent() -> None:
    tile = tile_of(source([[np.nan, np.inf], [-np.inf, 5]]))
    assert not tile[:8].any()
    assert not tile[8:16, :8].any()
    assert (tile[8:16, 8:16, 3] == 255).all()


def test_a_threshold_and_faint_low_values() -> None:
    tile = tile_of(source([[0, 100, 255]], threshold=50.0, low_opacity=0.2))
    assert not tile[:8, :8].any()
    assert tile[4, 12, 3] == pytest.approx(255 * (0.2 + 0.8 * 100 / 255), abs=1)
    assert tile[4, 12, :3] == pytest.approx(COLORS[100] * (tile[4, 12, 3] / 255), abs=1)
    assert tile[4, 20, 3] == 255


def test_limits_come_from_the_data_without_outliers() -> None:
    values = np.linspace(0, 1, 10_000).reshape(100, 100)
    values[0, 0], values[0, 1] = 1e30, np.nan
    heatmap = source(values, limits=None)
    assert heatmap.limits == pytest.approx((0.01, 0.99), abs=1e-3)
    heatmap.style = replace(heatmap.style, percentiles=(10, 50))
    assert heatmap.limits == pytest.approx((0.1, 0.5), abs=1e-3)
    heatmap.style = replace(heatmap.style, limits=(3, 4))
    assert heatmap.limits == (3, 4)


@pytest.mark.parametrize("scaling", ["linear", "rank"])
@pytest.mark.parametrize("fill", [5.0, np.nan])
def test_values_that_are_all_the_same_or_all_missing_are_no_trouble(
    scaling: str, fill: float
) -> None:
    tile = tile_of(source(np.full((4, 4), fill), limits=None, scaling=scaling))
    assert bool(tile.any()) is bool(np.isfinite(fill))


def test_ranks_give_every_colour_to_equally_many_pixels() -> None:
    values = np.exp(np.random.default_rng(0).random((512, 512)) * 8)
    heatmap = source(
        values, 1.0, limits=None, percentiles=(0, 100), scaling="rank", colormap="grey"
    )
    index = tile_of(heatmap)[..., 0].astype(int).ravel()
    counts = np.bincount(index, minlength=256)
    assert counts[1:-1].min() > 0.5 * index.size / 256
    assert counts.max() < 1.6 * index.size / 256
    assert (np.diff(index[np.argsort(values, axis=None)]) >= 0).all()


def test_smooth_only_if_asked() -> None:
    heatmap = source([[0, 255]], scale=256.0)
    assert len(np.unique(tile_of(heatmap)[0], axis=0)) == 2
    heatmap.style = replace(heatmap.style, interpolate=True)
    assert len(np.unique(tile_of(heatmap)[0], axis=0)) > 200


def test_restyling_is_told_once_and_raises_the_version() -> None:
    heatmap = source([[1]])
    told: list[object] = []
    heatmap.changed.connect(told.append)
    heatmap.style = replace(heatmap.style, colormap="magma")
    heatmap.style = replace(heatmap.style, colormap="magma")
    assert (heatmap.style_version, told) == (1, [None])
    assert tile_of(heatmap)[0, 0, :3].tolist() == colors_of("magma")[1].tolist()
    heatmap.placement = Affine.scaled(8).then(Affine.moved(16, 0))
    assert (heatmap.style_version, told) == (2, [None, None])
    assert not tile_of(heatmap)[0, 0].any()
    assert tile_of(heatmap)[0, 16].any()
    with pytest.raises(UsageError, match="nothing"):
        heatmap.placement = Affine.scaled(0)
    assert heatmap.placement.point(0, 0) == (16, 0)


def test_the_value_under_a_point_is_the_rasters_own() -> None:
    heatmap = source([[0.125, np.nan], [3, 4]])
    assert heatmap.value_at(7.9, 0) == 0.125
    assert heatmap.value_at(9, 9) == 4
    assert heatmap.value_at(9, 1) is None
    assert heatmap.value_at(-0.1, 1) is None
    assert heatmap.value_at(16, 1) is None


def test_another_channel() -> None:
    raster = ArrayRaster(np.array([[[10, 200]]], np.uint16))
    heatmap = HeatmapSource(raster, Affine.scaled(8), 512, 512, HeatmapStyle(limits=(0, 255)))
    heatmap.style = replace(heatmap.style, channel=1)
    assert heatmap.value_at(0, 0) == 200
    assert heatmap.sample().tolist() == [200]
    assert tile_of(heatmap)[0, 0, :3].tolist() == COLORS[200].tolist()


def test_a_sample_leaves_out_what_is_no_number() -> None:
    assert source([[1, np.nan], [np.inf, 2]]).sample().tolist() == [1, 2]


def test_a_tile_of_a_huge_raster_comes_bit_by_bit() -> None:
    slide = ArraySlide(np.ones((9000, 9000, 1), np.float32), is_rgb=False)
    heatmap = HeatmapSource(SlideRaster(slide), Affine(), 9000, 9000)
    key = TileKey(len(heatmap.pyramid.levels) - 1, 0, 0)
    tile = heatmap.read_tile(key)
    while isinstance(tile, Unfinished):
        tile = heatmap.read_tile(key)
    assert tile is not None
    assert (tile[:250, :250, 3] == 255).all()
    assert slide.largest_read <= 2048 * 2048


def test_who_changes_the_style_does_not_wait_for_the_file() -> None:
    class Hanging(ArrayRaster):
        def sample(self, channel: int) -> np.ndarray:
            reached.set()
            waited.append(gate.wait(10))
            return super().sample(channel)

    waited: list[bool] = []
    gate, reached = threading.Event(), threading.Event()
    heatmap = HeatmapSource(Hanging(np.ones((4, 4))), Affine(), 512, 512)
    with ThreadPoolExecutor(1) as pool:
        tile = pool.submit(heatmap.read_tile, TileKey(LEVEL_0, 0, 0))
        assert reached.wait(10)
        heatmap.style = HeatmapStyle(colormap="magma")
        heatmap.placement = Affine.scaled(2)
        gate.set()
        assert tile.result(10) is not None
    assert waited == [True]


def test_tiles_are_painted_by_several_threads_while_the_style_changes() -> None:
    values = np.random.default_rng(0).random((900, 900)).astype(np.float32)
    heatmap = HeatmapSource(ArrayRaster(values), Affine.scaled(3), 2700, 2700)
    keys = list(heatmap.pyramid.tiles_in(Rect(0, 0, 2700, 2700), LEVEL_0)) * 3
    with ThreadPoolExecutor(4) as pool:
        tiles = [pool.submit(heatmap.read_tile, key) for key in keys]
        for colormap in (*COLORMAPS, "cividis"):
            heatmap.style = HeatmapStyle(colormap=colormap, scaling="rank")
        assert all(tile.result(30) is not None for tile in tiles)
    wanted = HeatmapSource(heatmap.raster, Affine.scaled(3), 2700, 2700, heatmap.style)
    for key in keys[:4]:
        np.testing.assert_array_equal(heatmap.read_tile(key), wanted.read_tile(key))
