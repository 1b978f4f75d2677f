from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image
from PIL import ImageCms

from pathoview.core.pyramid import ALL_CHANNELS, Plane, TileKey
from pathoview.layers.slide_source import SlideSource
from pathoview.slides.slide import Channel, Pixels


class ChannelSlide(ArraySlide):
    def read(
        self, level: int, x: int, y: int, width: int, height: int, plane: Plane = Plane()
    ) -> Pixels:
        pixels = super().read(level, x, y, width, height)
        return pixels if plane.c == ALL_CHANNELS else pixels[..., plane.c : plane.c + 1]


def test_eight_bit_colours_are_shown_as_they_are_with_the_edge_cut() -> None:
    image = he_image(700, 600)
    source = SlideSource(ArraySlide(image))
    tile = source.read_tile(TileKey(0, 1, 1))
    assert tile is not None
    assert tile.shape == (600 - 512, 700 - 512, 4)
    np.testing.assert_array_equal(tile[..., :3], image[512:, 512:])
    assert (tile[..., 3] == 255).all()


def test_tiles_are_whole_multiples_of_the_stored_ones_near_512_px() -> None:
    sizes = {}
    for native in (0, 240, 256, 512, 1024, 100_000):
        slide = ArraySlide(np.zeros((8, 8, 3), np.uint8))
        slide.info = replace(slide.info, native_tile_px=native)
        sizes[native] = SlideSource(slide).pyramid.tile_size
    assert sizes == {0: 512, 240: 480, 256: 512, 512: 512, 1024: 1024, 100_000: 512}


def test_a_slide_with_one_huge_level_gets_coarser_ones_down_to_one_tile() -> None:
    image = he_image(2100, 1300)
    source = SlideSource(ArraySlide(image))
    assert [level.downsample for level in source.pyramid.levels] == [1, 2, 4, 8]
    assert source.pyramid.grid(3) == (1, 1)
    coarse = source.read_tile(TileKey(3, 0, 0))
    assert coarse is not None
    assert coarse.shape == (163, 263, 4)
    block = image[800:808, 1600:1608].mean(axis=(0, 1))
    np.testing.assert_allclose(coarse[100, 200, :3], block, atol=2)


def test_coarse_levels_that_were_made_are_kept() -> None:
    slide = ArraySlide(he_image(2100, 1300))
    source = SlideSource(slide)
    first = source.read_tile(TileKey(3, 0, 0))
    slide._pixels = [np.zeros((1300, 2100, 3), np.uint8)]
    second = source.read_tile(TileKey(3, 0, 0))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first, second)


def test_gaps_between_stored_levels_are_filled() -> None:
    slide = ArraySlide(he_image(2048, 2048), downsamples=(1, 4, 16))
    source = SlideSource(slide)
    assert [level.downsample for level in source.pyramid.levels] == [1, 2, 4, 8, 16]
    tile = source.read_tile(TileKey(1, 0, 0))
    assert tile is not None
    assert tile.shape == (512, 512, 4)
    assert slide.largest_read == 1024 * 1024


@pytest.mark.parametrize(("dtype", "top"), [(np.uint16, 4095), (np.float32, 0.02)])
def test_grey_values_of_any_kind_use_the_whole_range_of_the_screen(dtype: type, top: float) -> None:
    ramp = np.linspace(top / 2, top, 256)
    pixels = np.broadcast_to(ramp[None, :, None], (64, 256, 1)).astype(dtype)
    source = SlideSource(ArraySlide(pixels, is_rgb=False))
    tile = source.read_tile(TileKey(0, 0, 0))
    assert tile is not None
    assert tile[..., 0].min() == 0
    assert tile[..., 0].max() == 255
    assert (tile[..., 0] == tile[..., 1]).all()
    assert np.all(np.diff(tile[0, :, 0].astype(int)) >= 0)


def test_values_that_are_no_numbers_are_black_and_do_not_spoil_the_limits() -> None:
    pixels = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64, 1)
    pixels[0, 0], pixels[63, 63] = np.nan, np.inf
    tile = SlideSource(ArraySlide(pixels, is_rgb=False)).read_tile(TileKey(0, 0, 0))
    assert tile is not None
    assert tile[0, 0, 0] == 0
    assert 120 < tile[32, 0, 0] < 136


def test_channels_are_added_in_their_colours_and_one_alone_is_grey() -> None:
    pixels = np.zeros((64, 64, 2), np.uint16)
    pixels[:32, :, 0] = 1000
    pixels[:, :32, 1] = 200
    slide = ChannelSlide(pixels, is_rgb=False)
    red, green = Channel("a", (255, 0, 0)), Channel("b", (0, 255, 0))
    slide.info = replace(slide.info, channels=(red, green))
    source = SlideSource(slide)
    tile = source.read_tile(TileKey(0, 0, 0))
    assert tile is not None
    corners = [tile[y, x, :3].tolist() for y in (0, 63) for x in (0, 63)]
    assert corners == [[255, 255, 0], [255, 0, 0], [0, 255, 0], [0, 0, 0]]
    alone = source.read_tile(TileKey(0, 0, 0, Plane(c=1)))
    assert alone is not None
    assert alone[0, 0, :3].tolist() == [255, 255, 255]
    assert alone[0, 63, :3].tolist() == [0, 0, 0]


def test_channels_without_a_colour_get_different_ones() -> None:
    slide = ArraySlide(np.zeros((8, 8, 5), np.uint16), is_rgb=False)
    colors = [channel.color for channel in SlideSource(slide).display]
    assert len(set(colors)) == 5


def test_a_hidden_channel_and_other_limits_change_the_picture_and_the_style_version() -> None:
    pixels = np.full((8, 8, 2), 100, np.uint16)
    pixels[0, 0] = 0
    slide = ArraySlide(pixels, is_rgb=False)
    source = SlideSource(slide)
    told: list[object] = []
    source.changed.connect(told.append)
    first, second = source.display
    half = replace(first, low=0, high=200, color=(255, 0, 0))
    source.display = (half, replace(second, visible=False))
    assert source.style_version == 1
    assert told == [None]
    tile = source.read_tile(TileKey(0, 0, 0))
    assert tile is not None
    assert tile[4, 4].tolist() == [128, 0, 0, 255]


def test_limits_are_estimated_from_a_few_pixels_of_a_large_picture() -> None:
    pixels = np.zeros((4000, 4000, 1), np.uint16)
    pixels[1990:2010] = 500
    slide = ArraySlide(pixels, is_rgb=False)
    (display,) = SlideSource(slide).display
    assert slide.largest_read <= 1024 * 1024 // 9
    assert display.high == 500


def test_the_scanner_profile_is_followed_on_the_screen_only_if_wished() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    slide = ArraySlide(np.full((8, 8, 3), 100, np.uint8))
    slide.info = replace(slide.info, icc_profile=profile.tobytes())
    tile = SlideSource(slide).read_tile(TileKey(0, 0, 0))
    assert tile is not None
    assert tile[0, 0].tolist() == [100, 100, 100, 255]  # a profile that is not for RGB: ignored
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    slide.info = replace(slide.info, icc_profile=srgb.tobytes())
    source = SlideSource(slide)
    tile = source.read_tile(TileKey(0, 0, 0))
    assert tile is not None
    assert np.abs(tile[0, 0, :3].astype(int) - 100).max() <= 1
    source.correct_colors = False
    assert source.style_version == 1
