"""Direct reads against OpenSlide's and against pictures that encode their own coordinates."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import openslide
import pytest
from makers import make_pyramid_tiff

from pathoview.core.errors import PathoViewError
from pathoview.slides.opening import open_slide
from pathoview.slides.slide import Slide

JPEG_SLIDES = [
    "CMU-1-Small-Region.svs",
    "bcss/bcss_1008.tif",
    "prostate_2500_pyramid.tiff",
    "wsic/CMU-1-Small-Region.jpeg.tiff",
    "openslide-python-fixtures/small.svs",
]
OTHER_SLIDES = ["openslide-python-fixtures/boxes.tiff", "large_image/yb10kx5k.zstd.tiff"]
BLOCK_PX = 8


@pytest.mark.parametrize("name", JPEG_SLIDES + OTHER_SLIDES)
def test_every_level_equals_openslide(shared_data: Path, name: str) -> None:
    file = shared_data / "slides" / name
    with open_slide(file) as slide, openslide.OpenSlide(file) as truth:
        assert slide.info.reader == "tiff"
        assert len(slide.info.levels) == truth.level_count
        for level, lv in enumerate(slide.info.levels):
            wanted = np.asarray(truth.read_region((0, 0), level, (lv.width, lv.height)))[..., :3]
            _check_tiles(slide, level, wanted)
            _check_rectangles(slide, level, wanted)


def _check_tiles(slide: Slide, level: int, wanted: np.ndarray) -> None:
    """Whole stored tiles, those over the right and bottom edge white outside."""
    size = slide.info.native_tile_px
    height, width = wanted.shape[:2]
    rows, columns = -(-height // size), -(-width // size)
    full = np.full((rows * size, columns * size, 3), 255, np.uint8)
    full[:height, :width] = wanted
    for row in range(rows):
        for col in range(columns):
            x, y = col * size, row * size
            tile = slide.read(level, x, y, size, size)
            assert np.array_equal(tile, full[y : y + size, x : x + size])


def _check_rectangles(slide: Slide, level: int, wanted: np.ndarray) -> None:
    rng = np.random.default_rng(level)
    height, width = wanted.shape[:2]
    padded = np.pad(wanted, ((64, 512), (64, 512), (0, 0)), constant_values=255)
    for _trial in range(25):
        x, y = int(rng.integers(-64, width)), int(rng.integers(-64, height))
        w, h = (int(n) for n in rng.integers(1, 513, 2))
        part = padded[64 + y : 64 + y + h, 64 + x : 64 + x + w]
        assert np.array_equal(slide.read(level, x, y, w, h), part)


def _decoded_blocks(pixels: np.ndarray) -> np.ndarray:
    """Return the (x, y) each 8 × 8 block says it is at.

    The four corner pixels of a block are octal digits, one bit a colour: y above, x below, the
    higher digit at the left.
    """
    rows, columns = pixels.shape[0] // BLOCK_PX, pixels.shape[1] // BLOCK_PX
    blocks = pixels.reshape(rows, BLOCK_PX, columns, BLOCK_PX, 3).swapaxes(1, 2)
    digits = (blocks[:, :, :2, :2] > 200) @ np.array([4, 2, 1])
    y, x = digits[:, :, 0] @ [8, 1], digits[:, :, 1] @ [8, 1]
    return np.stack([x, y], axis=-1)


@pytest.mark.parametrize(
    "name", ["XYC_JPEG-2000.ome.tiff", "XYC_LZW.ome.tiff", "XYC_zlib.ome.tiff", "XYC.png"]
)
def test_every_block_is_where_it_says(shared_data: Path, name: str) -> None:
    _check_blocks(shared_data / "slides/wsic" / name)


def test_every_block_of_webp_tiles_is_where_it_says(shared_data: Path, tmp_path: Path) -> None:
    with open_slide(shared_data / "slides/wsic/XYC.png") as slide:
        image = slide.read(0, 0, 0, 512, 512)
    lossless = {"compressionargs": {"lossless": True}}
    _check_blocks(make_pyramid_tiff(tmp_path / "a.tif", image, compression="webp", **lossless))


def _check_blocks(file: Path) -> None:
    with open_slide(file) as slide:
        for x, y, columns, rows in ((0, 0, 64, 64), (3, 5, 40, 41), (31, 15, 33, 2)):
            size = (columns * BLOCK_PX, rows * BLOCK_PX)
            found = _decoded_blocks(slide.read(0, x * BLOCK_PX, y * BLOCK_PX, *size))
            wanted_x, wanted_y = np.meshgrid(x + np.arange(columns), y + np.arange(rows))
            assert np.array_equal(found, np.stack([wanted_x, wanted_y], axis=-1))


def test_lossy_webp_tiles_show_the_region_they_were_made_from(shared_data: Path) -> None:
    folder = shared_data / "slides"
    with (
        open_slide(folder / "wsic/CMU-1-Small-Region.webp.tiff") as webp,
        open_slide(folder / "CMU-1-Small-Region.svs") as truth,
    ):
        assert webp.info.reader == "tiff"
        for x, y in ((0, 0), (1000, 1200), (2000, 2700)):
            one, other = (
                slide.read(0, x, y, 320, 320).reshape(40, 8, 40, 8, 3).mean((1, 3))
                for slide in (webp, truth)
            )
            assert np.abs(one - other).mean() < 4


def test_neighbouring_reads_fit_together(shared_data: Path) -> None:
    with open_slide(shared_data / "slides/CMU-1-Small-Region.svs") as slide:
        edges = [0, 13, 239, 241, 777, 1500, 2220]
        strips = [slide.read(0, a, 500, b - a, 100) for a, b in pairwise(edges)]
        assert np.array_equal(np.hstack(strips), slide.read(0, 0, 500, 2220, 100))


def test_every_file_opens_and_reads_or_says_why(shared_data: Path) -> None:
    refused = {}
    for folder in ("slides", "qc", "stain", "nonwsi", "polygons"):
        for file in sorted(path for path in (shared_data / folder).rglob("*") if path.is_file()):
            try:
                with open_slide(file) as slide:
                    info = slide.info
                    for level in range(len(info.levels)):
                        assert slide.read(level, 0, 0, 32, 32).shape == (32, 32, len(info.channels))
                    assert (info.mpp is None) == bool(info.mpp_problem)
            except PathoViewError as error:
                refused[file.name] = error.full_text
    assert all(text.endswith(".") for text in refused.values())
    pictures = {".svs", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".dcm"}
    assert {name for name in refused if Path(name).suffix in pictures} == {
        "zero_gi.tif",
        "unopenable.tiff",
        "unreadable.svs",
        "1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm",  # a chest X-ray
    }
