from __future__ import annotations

import numpy as np
import pytest

from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.layers.placed import seen_through, tile_to_l0
from pathoview.layers.raster import ArrayRaster

ODD = Affine.scaled(3.7, 2.9).then(Affine.moved(123.4321, 77.7123))
TURNED = Affine.scaled(3.7).then(Affine.turned(31)).then(Affine.moved(200, 40))
SHEARED = Affine(2.013, 0.517, 90.1234, 0.21, 3.007, 50.4321)
MIRRORED = Affine.scaled(-3.7, 3.7).then(Affine.moved(500.1234, 0.4321))


def centers(tile_lv: Rect, downsample: float) -> np.ndarray:
    """Return the level-0 points under the centres of a tile's pixels, (height, width, 2)."""
    xs = (tile_lv.x + np.arange(tile_lv.width) + 0.5) * downsample
    ys = (tile_lv.y + np.arange(tile_lv.height) + 0.5) * downsample
    return np.stack(np.meshgrid(xs, ys), axis=-1)


def expected(values: np.ndarray, placement: Affine, points: np.ndarray) -> np.ndarray:
    places = placement.inverse().points(points.reshape(-1, 2)).reshape(points.shape)
    column, row = np.floor(places[..., 0]).astype(int), np.floor(places[..., 1]).astype(int)
    height, width = values.shape
    is_inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    found = values[row.clip(0, height - 1), column.clip(0, width - 1)]
    return np.where(is_inside, found, 0)


@pytest.mark.parametrize("placement", [ODD, TURNED, SHEARED, MIRRORED])
@pytest.mark.parametrize("downsample", [1 / 8, 1.0, 2.9])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.float32])
def test_every_pixel_of_a_tile_shows_the_raster_pixel_at_its_centre(
    placement: Affine, downsample: float, dtype: type
) -> None:
    values = np.random.default_rng(0).integers(1, 120, (80, 100)).astype(dtype)
    corner = placement.point(20, 30)
    tile_lv = Rect(int(corner[0] / downsample) - 60, int(corner[1] / downsample) - 60, 200, 150)
    to_raster = tile_to_l0(tile_lv, downsample).then(placement.inverse())
    seen = seen_through(ArrayRaster(values), to_raster, (150, 200), 0)
    assert seen is not None
    carried = seen.carried(seen.block)
    assert carried.dtype == dtype
    wanted = expected(values, placement, centers(tile_lv, downsample))
    assert (carried == wanted).mean() > 0.999  # single centres may lie on an edge to 1e-4 px
    assert (wanted != 0).any()
    assert placement.is_axis_parallel is not True or (carried == wanted).all()


@pytest.mark.parametrize("placement", [ODD, TURNED])
def test_from_afar_what_is_shown_lies_within_half_a_pixel_of_the_tile(placement: Affine) -> None:
    rows, columns = np.indices((2000, 3000))
    downsample = 40.0
    points = centers(Rect(0, 0, 250, 200), downsample)
    for values, axis in ((columns, 0), (rows, 1)):
        raster = ArrayRaster(values.astype(np.int32) + 1)
        to_raster = tile_to_l0(Rect(0, 0, 250, 200), downsample).then(placement.inverse())
        seen = seen_through(raster, to_raster, (200, 250), 0)
        assert seen is not None
        carried = seen.carried(seen.block)
        places = placement.inverse().points(points.reshape(-1, 2)).reshape(points.shape)[..., axis]
        off = np.abs(carried - 1 + 0.5 - places)[carried > 0]
        assert off.size > 10_000
        assert off.max() <= to_raster.scale * 0.6 + 1


def test_a_raster_elsewhere_is_not_seen_and_not_read() -> None:
    raster = ArrayRaster(np.zeros((10, 10)))
    assert seen_through(raster, Affine.moved(10, 0), (5, 5), 0) is None
    assert seen_through(raster, Affine.moved(0, -5), (5, 5), 0) is None
    assert seen_through(raster, Affine.moved(9.5, 0), (5, 5), 0) is not None


def test_smooth_values_are_exact_at_the_centres_and_fade_between() -> None:
    values = np.array([[0, 8], [0, 8]], np.float32)
    seen = seen_through(ArrayRaster(values), Affine.scaled(1 / 8), (16, 16), 0)
    assert seen is not None
    line = seen.smooth()[8]
    np.testing.assert_allclose(line[4:12], np.arange(8) + 0.5, atol=1e-3)
    assert (line[:4] == 0).all()
    assert (line[12:] == 8).all()


def test_holes_do_not_spread_where_values_are_smooth() -> None:
    values = np.full((5, 5), 3, np.float32)
    values[2, 2] = np.nan
    seen = seen_through(ArrayRaster(values), Affine.scaled(1 / 8), (40, 40), 0)
    assert seen is not None
    smooth = seen.smooth()
    assert np.isnan(smooth[16:24, 16:24]).all()
    assert np.isnan(smooth).sum() == 64
    assert np.nanmax(np.abs(smooth - 3)) < 1e-5
