from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from fakes import ArraySlide
from makers import make_ome_tiff
from PIL import Image

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import InputError
from pathoview.layers.raster import ArrayRaster
from pathoview.layers.raster_file import SlideRaster, open_raster


def labels(height: int = 1200, width: int = 1600) -> np.ndarray:
    """Blocks of 5 × 5 px, each with a number of its own, spread over a wide range."""
    rows, columns = height // 5, width // 5
    numbers = np.random.default_rng(0).permutation(rows * columns).reshape(rows, columns) * 40
    return np.kron(numbers, np.ones((5, 5), int)).astype(np.int32)


def whole(raster: Any, level: int = 0, channel: int = -1) -> np.ndarray:
    lv = raster.levels[level]
    pixels, is_whole = raster.read(level, 0, 0, lv.width, lv.height, channel)
    while not is_whole:
        pixels, is_whole = raster.read(level, 0, 0, lv.width, lv.height, channel)
    return np.asarray(pixels)


@pytest.mark.parametrize("dtype", ["float32", "uint16", "int32", "float64", "uint8"])
@pytest.mark.parametrize("is_tiled", [False, True])
def test_a_tiff_gives_back_its_numbers(tmp_path: Path, dtype: str, is_tiled: bool) -> None:
    pixels = (np.random.default_rng(0).random((300, 400)) * 200).astype(dtype)
    options: dict[str, Any] = {"tile": (128, 128), "compression": "zlib"} if is_tiled else {}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    raster = open_raster(tmp_path / "a.tif")
    assert raster.dtype == dtype
    np.testing.assert_array_equal(whole(raster)[..., 0], pixels)
    assert len(raster.sample(0)) == pixels.size
    raster.close()


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("is_tiled", [False, True])
def test_yes_and_no_in_a_tiff(tmp_path: Path, photometric: str, is_tiled: bool) -> None:
    mask = np.random.default_rng(0).random((40, 64)) > 0.5
    options: dict[str, Any] = {"tile": (16, 16)} if is_tiled else {}
    tifffile.imwrite(tmp_path / "a.tif", mask, photometric=photometric, **options)
    np.testing.assert_array_equal(whole(open_raster(tmp_path / "a.tif"))[..., 0], mask)


def test_a_tiff_with_a_palette_gives_the_numbers_of_classes(tmp_path: Path) -> None:
    numbers = (np.arange(600) % 5).astype(np.uint8).reshape(20, 30)
    colors = np.zeros((3, 256), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", numbers, photometric="palette", colormap=colors)
    np.testing.assert_array_equal(whole(open_raster(tmp_path / "a.tif"))[..., 0], numbers)


@pytest.mark.parametrize("contig", [False, True])
def test_channels_of_a_tiff_whether_they_are_pages_or_samples(tmp_path: Path, contig: bool) -> None:
    pixels = np.random.default_rng(0).random((5, 60, 80)).astype(np.float32)
    file = tmp_path / "a.tif"
    if contig:
        tifffile.imwrite(
            file, np.moveaxis(pixels, 0, 2), planarconfig="contig", photometric="minisblack"
        )
    else:
        tifffile.imwrite(file, pixels, photometric="minisblack")
    raster = open_raster(file)
    assert len(raster.channels) == 5
    for channel in range(5):
        np.testing.assert_array_equal(whole(raster, 0, channel)[..., 0], pixels[channel])


def test_channels_and_scale_of_an_ome_tiff(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).random((2, 300, 400)).astype(np.float32)
    file = make_ome_tiff(tmp_path / "a.ome.tif", pixels, "CYX", mpp=4.0, channel_names=("p", "q"))
    raster = open_raster(file)
    assert raster.channels == ("p", "q")
    assert raster.mpp == (4.0, 4.0)
    np.testing.assert_array_equal(whole(raster, 0, 1)[..., 0], pixels[1])


def test_a_numpy_file_is_mapped_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(12.0).reshape(3, 4))
    raster = open_raster(tmp_path / "a.npy")
    assert isinstance(raster, ArrayRaster)
    assert isinstance(raster.read(0, 0, 0, 2, 2)[0], np.memmap)
    assert raster.read(0, 3, 2, 1, 1)[0].item() == 11


def test_a_numpy_file_with_objects_a_broken_one_and_a_missing_one_are_refused(
    tmp_path: Path,
) -> None:
    np.save(tmp_path / "objects.npy", np.array([[{}]], object), allow_pickle=True)
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY\x01\x00")
    for name, words in [
        ("objects", "not a NumPy array"),
        ("broken", "not a NumPy array"),
        ("missing", "There is no file"),
    ]:
        with pytest.raises(InputError, match=words):
            open_raster(tmp_path / f"{name}.npy")


def test_a_png_with_a_palette_gives_the_numbers_of_classes(tmp_path: Path) -> None:
    numbers = (np.arange(12) % 5).astype(np.uint8).reshape(3, 4)
    image = Image.fromarray(numbers).convert("P")
    image.putpalette([value for index in range(256) for value in (index, 0, 255 - index)])
    image.putdata(numbers.ravel().tolist())
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(whole(open_raster(tmp_path / "a.png"))[..., 0], numbers)


def test_whole_numbers_of_a_plain_picture_are_not_mixed(tmp_path: Path) -> None:
    numbers = labels()
    tifffile.imwrite(tmp_path / "a.tif", numbers)
    raster = open_raster(tmp_path / "a.tif")
    assert len(raster.levels) > 1
    for level in range(len(raster.levels)):
        assert np.isin(whole(raster, level), numbers).all()


def pyramid(file: Path, levels: list[np.ndarray]) -> Path:
    with tifffile.TiffWriter(file) as tiff:
        for index, level in enumerate(levels):
            tiff.write(
                level,
                tile=(256, 256),
                compression="zlib",
                photometric="minisblack",
                subfiletype=int(index > 0),
                metadata=None,
            )
    return file


@pytest.mark.parametrize("is_mixed", [False, True])
def test_stored_smaller_sizes_are_used_unless_they_mix_numbers(
    tmp_path: Path, is_mixed: bool
) -> None:
    numbers = labels()
    mean = numbers.reshape(600, 2, 800, 2).mean(axis=(1, 3)).astype(np.int32)
    smaller = mean if is_mixed else numbers[1::2, 1::2]
    raster = open_raster(pyramid(tmp_path / "a.tif", [numbers, smaller]))
    assert isinstance(raster, SlideRaster)
    half = whole(raster, 1)[..., 0]
    assert np.isin(half, numbers).all()
    assert np.array_equal(half, smaller) is not is_mixed
    coarsest = whole(raster, len(raster.levels) - 1)
    assert max(coarsest.shape) <= 512
    assert np.isin(coarsest, numbers).all()


def test_only_what_is_asked_for_is_read_of_a_large_raster() -> None:
    slide = ArraySlide(np.zeros((4000, 4000, 1), np.float32), is_rgb=False)
    raster = SlideRaster(slide)
    raster.read(0, 100, 100, 30, 20, 0)
    assert slide.largest_read == 600
    raster.read(2, 0, 0, 100, 100, 0)
    assert slide.largest_read <= 1024 * 1024
    assert len(raster.sample(0)) < 300_000
    assert slide.largest_read <= 1024 * 1024


def test_made_sizes_average_floating_numbers_without_the_holes() -> None:
    pixels = np.ones((1100, 1100, 1), np.float32)
    pixels[:2, :2, 0] = [[np.nan, 3], [np.nan, 5]]
    raster = SlideRaster(ArraySlide(pixels, is_rgb=False))
    half = whole(raster, 1)
    assert half[0, 0, 0] == 4
    assert np.isfinite(half).all()


def test_decoded_tiles_of_a_raster_count_to_the_memory_of_all_layers(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", labels(), tile=(256, 256), compression="zlib")
    memory = ByteCache(1 << 24)
    raster = open_raster(tmp_path / "a.tif", memory)
    raster.read(0, 10, 10, 100, 100)
    assert memory.n_bytes >= 256 * 256 * 4
