from __future__ import annotations

import numpy as np
import pytest

from pathoview.core.affine import Affine
from pathoview.core.errors import InputError
from pathoview.core.pyramid import TileKey
from pathoview.layers.label_source import LabelSource, LabelStyle
from pathoview.layers.many_colors import many_colors
from pathoview.layers.raster import ArrayRaster

LEVEL_0 = 4
FILLED = LabelStyle(fill_opacity=1.0, line_width_px=0)


def source(
    values: object, style: LabelStyle, scale: float = 8, dtype: type = np.int32
) -> LabelSource:
    raster = ArrayRaster(np.asarray(values, dtype))
    return LabelSource(raster, Affine.scaled(scale), 1024, 1024, style)


def tile_of(labels: LabelSource, key: TileKey | None = None) -> np.ndarray:
    tile = labels.read_tile(key or TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    return tile


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.uint32])
def test_objects_have_colours_of_their_own_and_the_background_has_none(dtype: type) -> None:
    tile = tile_of(source([[0, 1], [2, 1]], FILLED, dtype=dtype))
    colors = [tile[y, x].tolist() for y in (4, 12) for x in (4, 12)]
    assert colors[0] == [0, 0, 0, 0]
    assert colors[1] == colors[3] == [*many_colors()[1].tolist(), 255]
    assert colors[2] == [*many_colors()[2].tolist(), 255]


def test_a_thousand_neighbours_look_different() -> None:
    colors = many_colors()
    assert len(np.unique(colors, axis=0)) == 1024
    apart = np.abs(np.diff(colors.astype(int), axis=0)).sum(axis=1)
    assert apart.min() > 60


def test_outlines_lie_inside_and_between_touching_objects() -> None:
    values = np.zeros((64, 64))
    values[1:33, 1:33], values[1:33, 33:60] = 5, 6
    style = LabelStyle(fill_opacity=0, line_width_px=2, color=(9, 8, 7))
    tile = tile_of(source(values, style))
    is_drawn = tile[..., 3] > 0
    line = is_drawn[100]
    assert np.flatnonzero(line).tolist() == [8, 9, 262, 263, 264, 265, 478, 479]
    assert tile[100, 8].tolist() == [9, 8, 7, 255]
    assert not is_drawn[:8].any()
    assert is_drawn[8, 8:480].all()


def test_an_object_across_the_edge_of_a_tile_has_no_line_there() -> None:
    values = np.zeros((128, 128))
    values[10:100, 10:100] = 3
    labels = source(values, LabelStyle(fill_opacity=0, line_width_px=2))
    left, right = tile_of(labels), tile_of(labels, TileKey(LEVEL_0, 1, 0))
    assert not left[200, 490:, 3].any()
    assert not right[200, :20, 3].any()
    assert left[200, 80:82, 3].all()


def test_the_number_under_a_point_and_how_many_there_are() -> None:
    labels = source([[0, 7], [900_000, 7]], FILLED)
    assert labels.id_at(4, 4) is None
    assert labels.id_at(4, 12) == 900_000
    assert labels.id_at(-1, 0) is None
    assert labels.n_instances() == 2


def test_counting_very_many_pixels_is_left_alone() -> None:
    raster = ArrayRaster(np.broadcast_to(np.int32(1), (5000, 5000)))
    assert LabelSource(raster, Affine(), 5000, 5000).n_instances() is None


def test_from_afar_numbers_are_not_mixed() -> None:
    values = np.where(np.indices((1024, 1024)).sum(axis=0) % 2, 1000, 0)
    labels = source(values, FILLED, scale=1)
    tile = tile_of(labels, TileKey(LEVEL_0 + 1, 0, 0))
    color = [*many_colors()[1000].tolist(), 255]
    assert all(
        found in ([0, 0, 0, 0], color) for found in np.unique(tile.reshape(-1, 4), axis=0).tolist()
    )


def test_restyling_is_told() -> None:
    labels = source([[4]], FILLED)
    told: list[object] = []
    labels.changed.connect(told.append)
    labels.style = LabelStyle(fill_opacity=0.5, line_width_px=0, color=(100, 0, 200))
    assert (labels.style_version, told) == (1, [None])
    assert tile_of(labels)[4, 4].tolist() == [50, 0, 100, 128]


def test_numbers_with_a_point_are_refused() -> None:
    with pytest.raises(InputError, match="whole numbers"):
        source([[1]], FILLED, dtype=np.float32)
