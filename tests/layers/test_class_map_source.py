from __future__ import annotations

import numpy as np
import pytest

from pathoview.annotations.detections import DetectionClass
from pathoview.core.affine import Affine
from pathoview.core.errors import InputError
from pathoview.core.pyramid import TileKey
from pathoview.layers.class_map_source import ClassMapSource, ClassMapStyle
from pathoview.layers.raster import ArrayRaster

LEVEL_0 = 4
TUMOR, STROMA = DetectionClass("Tumor", (200, 0, 0)), DetectionClass("Stroma", (0, 150, 0))
MAP = [[-1, 0, 1], [1, 1, 70_000]]


def source(values: object = MAP, dtype: type = np.int32, *, nothing: int = -1) -> ClassMapSource:
    raster = ArrayRaster(np.asarray(values, dtype))
    classes = {0: TUMOR, 1: STROMA}
    return ClassMapSource(raster, Affine.scaled(8), 512, 512, classes, nothing=nothing)


def colors(classes: ClassMapSource) -> list[list[list[int]]]:
    """Return the colours at the centres of the raster's pixels."""
    tile = classes.read_tile(TileKey(LEVEL_0, 0, 0))
    assert isinstance(tile, np.ndarray)
    lv = classes.raster.levels[0]
    assert not tile[lv.height * 8 :].any()
    return tile[4 : lv.height * 8 : 8, 4 : lv.width * 8 : 8].tolist()


def test_each_class_has_its_colour_and_nothing_is_transparent() -> None:
    red, green, grey = [200, 0, 0, 255], [0, 150, 0, 255], [128, 128, 128, 255]
    assert colors(source()) == [[[0, 0, 0, 0], red, green], [green, green, grey]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int8, np.int64])
def test_any_kind_of_whole_numbers_and_another_value_for_nothing(dtype: type) -> None:
    found = colors(source([[0, 1]], dtype, nothing=0))
    assert found == [[[0, 0, 0, 0], [0, 150, 0, 255]]]


def test_a_class_is_hidden_and_shown_again() -> None:
    classes = source()
    told: list[object] = []
    classes.changed.connect(told.append)
    classes.style = ClassMapStyle(hidden=frozenset({1}))
    assert colors(classes)[1][:2] == [[0, 0, 0, 0]] * 2
    assert colors(classes)[0][1] == [200, 0, 0, 255]
    classes.style = ClassMapStyle()
    assert colors(classes)[1][0] == [0, 150, 0, 255]
    assert (classes.style_version, told) == (2, [None, None])


def test_a_class_gets_another_colour() -> None:
    classes = source()
    classes.recolor_class(1, (1, 2, 3))
    assert classes.classes[1] == DetectionClass("Stroma", (1, 2, 3))
    assert colors(classes)[0][2] == [1, 2, 3, 255]
    assert classes.style_version == 1


def test_pixels_and_areas_are_counted_and_unknown_values_become_classes() -> None:
    classes = source()
    assert classes.class_counts() == {0: 1, 1: 3, 70_000: 1}
    assert classes.class_areas_l0() == {0: 64, 1: 192, 70_000: 64}
    assert list(classes.classes) == [0, 1, 70_000]
    assert classes.classes[70_000].name == "Class 70000"


def test_classes_are_made_up_from_the_values_that_occur() -> None:
    raster = ArrayRaster(np.array([[0, 3], [3, 9]], np.uint8))
    classes = ClassMapSource(raster, Affine.scaled(8), 512, 512, nothing=0)
    assert [entry.name for entry in classes.classes.values()] == ["Class 3", "Class 9"]
    assert colors(classes)[0][1][:3] == list(classes.classes[3].color)
    assert classes.classes[3].color != classes.classes[9].color


def test_the_class_under_a_point() -> None:
    classes = source()
    assert classes.class_at(12, 3) == 0
    assert classes.class_at(3, 3) is None
    assert classes.class_at(300, 3) is None


def test_numbers_with_a_point_are_refused() -> None:
    with pytest.raises(InputError, match="float32") as error:
        source(dtype=np.float32)
    assert "heatmap" in error.value.hint


def test_from_afar_there_are_no_classes_that_do_not_occur() -> None:
    values = np.where(np.indices((2000, 2000)).sum(axis=0) % 2, 0, 2)
    classes = ClassMapSource(ArrayRaster(values), Affine(), 2000, 2000)
    tile = classes.read_tile(TileKey(LEVEL_0 + 2, 0, 0))
    assert isinstance(tile, np.ndarray)
    known = [[*entry.color, 255] for entry in classes.classes.values()]
    assert set(classes.classes) == {0, 2}
    assert all(color in known for color in np.unique(tile.reshape(-1, 4), axis=0).tolist())
