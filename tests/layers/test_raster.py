from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pathoview.core.errors import InputError
from pathoview.layers.raster import MOST_SAMPLES, ArrayRaster


def test_floating_numbers_are_averaged_from_afar_and_holes_stay_out() -> None:
    pixels = np.ones((1030, 1200), np.float32)
    pixels[:2, :2] = [[np.nan, 3], [np.inf, 5]]
    pixels[2:4, 2:4] = np.nan
    raster = ArrayRaster(pixels)
    assert [(lv.width, lv.height) for lv in raster.levels] == [(1200, 1030), (600, 515), (300, 258)]
    half, is_whole = raster.read(1, 0, 0, 3, 3)
    assert is_whole
    assert half[0, 0, 0] == 4
    assert np.isnan(half[1, 1, 0])
    assert half[2, 2, 0] == 1
    assert raster.read(2, 299, 257, 1, 1)[0].item() == 1


@pytest.mark.parametrize("size", [1024, 1025, 1500, 2047])
def test_whole_numbers_are_picked_where_they_stand(size: int) -> None:
    pixels = np.arange(size * size, dtype=np.int64).reshape(size, size)
    raster = ArrayRaster(pixels)
    for level, lv in enumerate(raster.levels):
        values, _is_whole = raster.read(level, 0, 0, lv.width, lv.height)
        assert values.shape == (lv.height, lv.width, 1)
        rows, columns = np.divmod(values[..., 0], size)
        step = round(lv.downsample)
        assert (rows // step == np.arange(lv.height)[:, None]).all()
        assert (columns // step == np.arange(lv.width)).all()


def test_one_of_several_channels_is_read_alone() -> None:
    raster = ArrayRaster(np.arange(24).reshape(2, 3, 4), channels=("a", "b", "c", "d"))
    assert raster.channels == ("a", "b", "c", "d")
    assert raster.read(0, 1, 1, 2, 1, 2)[0].tolist() == [[[18], [22]]]
    assert raster.read(0, 0, 0, 1, 1)[0].tolist() == [[[0, 1, 2, 3]]]


def test_colours_are_known_from_three_channels_of_8_bits() -> None:
    assert ArrayRaster(np.zeros((4, 4, 3), np.uint8)).is_rgb
    assert not ArrayRaster(np.zeros((4, 4, 3), np.uint16)).is_rgb
    assert not ArrayRaster(np.zeros((4, 4, 3), np.uint8), is_rgb=False).is_rgb


def test_yes_and_no_are_1_and_0() -> None:
    raster = ArrayRaster(np.array([[True, False]]))
    assert raster.dtype == np.uint8
    assert raster.read(0, 0, 0, 2, 1)[0].ravel().tolist() == [1, 0]


def test_a_sample_comes_from_all_over_and_is_bounded(tmp_path: Path) -> None:
    pixels = np.zeros((3000, 2000), np.uint8)
    pixels[1500:] = 7
    np.save(tmp_path / "a.npy", pixels)
    raster = ArrayRaster(np.load(tmp_path / "a.npy", mmap_mode="r"))
    values = raster.sample(0)
    assert MOST_SAMPLES / 4 < len(values) < MOST_SAMPLES * 1.1
    assert (values == 7).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 2, 2, 2)), "2 × 2 × 2 × 2 is no picture"),
        (np.zeros(5), "5 is no picture"),
        (np.zeros((0, 5)), "0 × 5 is no picture"),
        (np.zeros((2, 2), complex), "complex128"),
        (np.array([["a"]]), "str"),
    ],
)
def test_what_is_no_grid_of_numbers_is_refused_with_a_sentence(
    array: np.ndarray, words: str
) -> None:
    with pytest.raises(InputError, match=words) as error:
        ArrayRaster(array)
    assert error.value.hint
