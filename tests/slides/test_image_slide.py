"""Plain pictures of every kind of sample, and of any size."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from makers import he_image, make_plain
from PIL import Image

from pathoview.core.errors import SlideError, StorageError
from pathoview.core.pyramid import Plane
from pathoview.slides import image_slide, large_image
from pathoview.slides.opening import open_slide


def whole(path: Path) -> np.ndarray:
    with open_slide(path) as slide:
        info = slide.info
        pixels = slide.read(0, 0, 0, info.width, info.height)
        assert pixels.shape == (info.height, info.width, len(info.channels))
        assert pixels.dtype == info.dtype
        assert info.is_rgb == (pixels.shape[2] == 3)
        return pixels


def test_lossless_picture_comes_back_as_it_was(tmp_path: Path) -> None:
    image = he_image(70, 50)
    for name in ("a.png", "a.bmp", "a.tif"):
        assert np.array_equal(whole(make_plain(tmp_path / name, image)), image)


def test_grey_has_one_channel_and_nothing_beyond_the_edge(tmp_path: Path) -> None:
    file = make_plain(tmp_path / "a.png", np.full((5, 6), 90, np.uint8))
    assert whole(file).shape == (5, 6, 1)
    with open_slide(file) as slide:
        assert slide.read(0, 5, 4, 2, 2)[..., 0].tolist() == [[90, 0], [0, 0]]


def test_alpha_is_composed_on_white(tmp_path: Path) -> None:
    rgba = np.array([[[200, 0, 0, 255], [0, 0, 0, 0], [0, 100, 0, 128]]], np.uint8)
    pixels = whole(make_plain(tmp_path / "a.png", rgba))[0]
    assert pixels[:2].tolist() == [[200, 0, 0], [255, 255, 255]]
    assert pixels[2].tolist() == pytest.approx([127, 177, 127], abs=1)


def test_grey_with_alpha_is_composed_on_white(tmp_path: Path) -> None:
    la = np.array([[[50, 255], [50, 0]]], np.uint8)
    assert whole(make_plain(tmp_path / "a.png", la))[0, :, 0].tolist() == [50, 255]


def test_palette_becomes_rgb(tmp_path: Path) -> None:
    image = Image.fromarray(he_image(40, 30)).quantize(16)
    for name in ("a.png", "a.tif"):
        image.save(tmp_path / name)
        assert np.array_equal(whole(tmp_path / name), np.asarray(image.convert("RGB")))


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    bits = np.random.default_rng(0).random((20, 30)) > 0.5
    Image.fromarray(bits).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", bits, photometric="miniswhite")
    assert np.array_equal(whole(tmp_path / "a.png")[..., 0], np.where(bits, 255, 0))
    assert np.array_equal(whole(tmp_path / "a.tif")[..., 0], np.where(bits, 0, 255))


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_sixteen_bit_png_keeps_its_bits(tmp_path: Path, samples: int) -> None:
    stored = np.random.default_rng(0).integers(0, 65536, (20, 30, samples), np.uint16)
    if samples in (2, 4):
        stored[..., -1] = 65535
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(stored.squeeze()))
    assert np.array_equal(whole(tmp_path / "a.png"), stored[..., : samples - (samples % 2 == 0)])


def test_cmyk_is_converted(tmp_path: Path) -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[..., 0] = 255  # cyan
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.jpg")
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.tif")
    for name in ("a.jpg", "a.tif"):
        assert whole(tmp_path / name)[8, 8].tolist() == pytest.approx([0, 255, 255], abs=3)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int16", "uint32"])
def test_tiff_of_other_samples_keeps_them(tmp_path: Path, dtype: str) -> None:
    stored = np.arange(1200, dtype=dtype).reshape(30, 40)
    tifffile.imwrite(tmp_path / "a.tif", stored, byteorder=">")
    assert np.array_equal(whole(tmp_path / "a.tif")[..., 0], stored)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    image = Image.fromarray(he_image(48, 32))
    exif = image.getexif()
    exif[274] = 6
    image.save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(whole(tmp_path / "a.png"), np.rot90(np.asarray(image), -1))


def test_dots_per_inch_are_no_scale(tmp_path: Path) -> None:
    for dpi in (72, 96, 300, 600):
        with open_slide(make_plain(tmp_path / "a.png", dpi=(dpi, dpi))) as slide:
            assert slide.info.mpp is None
            assert f"{dpi} dots per inch" in slide.info.mpp_problem


def test_microscopic_resolution_is_a_scale(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, he_image(64, 64), resolution=(20000, 20000), resolutionunit="CENTIMETER")
    with open_slide(file) as slide:
        assert slide.info.mpp == pytest.approx((0.5, 0.5))


def test_smaller_sizes_are_means_of_the_full_one(tmp_path: Path) -> None:
    image = he_image(1101, 703)
    with open_slide(make_plain(tmp_path / "a.png", image)) as slide:
        assert [lv.downsample for lv in slide.info.levels] == [1, 2, 4]
        small = slide.info.levels[1]
        assert (small.width, small.height) == (551, 352)
        pixels = slide.read(1, 0, 0, small.width, small.height)
    wanted = image[:702, :1100].reshape(351, 2, 550, 2, 3).mean((1, 3))
    assert np.abs(pixels[:351, :550] - wanted).max() <= 1


def test_rectangle_over_the_edge_is_white_outside(tmp_path: Path) -> None:
    image = he_image(60, 40)
    with open_slide(make_plain(tmp_path / "a.png", image)) as slide:
        pixels = slide.read(0, -10, 30, 80, 20)
        assert np.array_equal(pixels[:10, 10:70], image[30:])
        assert (pixels[10:] == 255).all()
        assert (pixels[:, :10] == 255).all()
        assert (slide.read(0, 500, 500, 4, 4) == 255).all()
        assert np.array_equal(slide.read(0, 0, 0, 60, 40, Plane(c=1))[..., 0], image[..., 1])
        with pytest.raises(SlideError, match="one plane only"):
            slide.read(0, 0, 0, 1, 1, Plane(z=1))


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_slide, "IN_MEMORY_PX", 1000)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
@pytest.mark.parametrize("width", [1300, 1299])
def test_large_picture_is_read_from_a_pyramid(tmp_path: Path, name: str, width: int) -> None:
    image = he_image(width, 900)
    file = make_plain(tmp_path / name, image)
    for _again in range(2):  # built, then found
        with open_slide(file) as slide:
            assert slide.path == file
            assert (slide.info.reader, slide.info.native_tile_px) == ("image", 512)
            assert np.array_equal(slide.read(0, 500, 100, 700, 600), image[100:700, 500:1200])
            assert len(slide.info.levels) == 3
            small = slide.read(1, 0, 0, 650, 450)
    assert np.abs(small.mean((0, 1)) - image.mean((0, 1))).max() < 2


@pytest.mark.usefixtures("little_memory")
def test_large_picture_is_upright_and_without_alpha(tmp_path: Path) -> None:
    image = Image.fromarray(he_image(200, 100))
    image.putalpha(0)
    exif = image.getexif()
    exif[274] = 8
    image.save(tmp_path / "a.png", exif=exif)
    with open_slide(tmp_path / "a.png") as slide:
        assert (slide.info.width, slide.info.height) == (100, 200)
        assert (slide.read(0, 0, 0, 100, 200) == 255).all()


@pytest.mark.usefixtures("little_memory")
def test_large_picture_cut_short_leaves_no_pyramid(tmp_path: Path, own_home: Path) -> None:
    file = make_plain(tmp_path / "a.png")
    file.write_bytes(file.read_bytes()[:-20000])
    with pytest.raises(SlideError, match="damaged or cut short"):
        open_slide(file)
    assert not list(own_home.rglob("*.tif"))


@pytest.mark.usefixtures("little_memory")
def test_pyramids_not_used_for_longest_make_room(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_image, "_MAX_CACHE_BYTES", 800_000)
    for seed in range(4):
        open_slide(make_plain(tmp_path / f"{seed}.png", he_image(320, 240, seed=seed))).close()
    assert 1 <= len(list(own_home.rglob("*.tif"))) < 4


@pytest.mark.usefixtures("little_memory")
def test_no_room_for_a_pyramid_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_image, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(StorageError, match="no room"):
        open_slide(make_plain(tmp_path / "a.png"))
