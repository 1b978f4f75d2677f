from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import ArraySlide
from makers import EOSIN, HEMATOXYLIN, he_image

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane, TileKey
from pathoview.layers.display import PLAIN
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.slide_style import (
    SlideStyle,
    StainView,
    adjusted,
    estimated_stains,
    stain_picture,
)
from pathoview.slides.stains import H_DAB, H_E, separate


def stained(hematoxylin: float, second: float, vector: object = EOSIN) -> np.ndarray:
    density = hematoxylin * HEMATOXYLIN + second * np.asarray(vector)
    color = np.rint(256 * np.exp(-density) - 1).clip(0, 255).astype(np.uint8)
    return np.full((4, 4, 3), color)


def tile_of(source: SlideSource) -> np.ndarray:
    tile = source.read_tile(TileKey(0, 0, 0))
    assert isinstance(tile, np.ndarray)
    return tile


@pytest.mark.parametrize(
    ("style", "low", "high"),
    [
        (SlideStyle(), 0, 255),
        (SlideStyle(brightness=0.5), -127.5, 127.5),
        (SlideStyle(brightness=-1), 255, 510),
        (SlideStyle(contrast=2), 63.75, 191.25),
        (SlideStyle(brightness=0.25, contrast=0.5), -191.25, 318.75),
    ],
)
def test_brightness_moves_the_window_and_contrast_narrows_it(
    style: SlideStyle, low: float, high: float
) -> None:
    window = adjusted(PLAIN, style)
    assert (window.low, window.high) == (low, high)


def test_a_style_changes_what_is_seen_and_not_what_is_read() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    slide = ArraySlide(np.repeat(ramp, 4, axis=0))
    source = SlideSource(slide)
    told: list[object] = []
    source.changed.connect(told.append)
    source.style = SlideStyle(brightness=0.2, contrast=2, gamma=1.5)
    source.style = SlideStyle(brightness=0.2, contrast=2, gamma=1.5)
    assert (source.style_version, told) == (1, [None])
    window = adjusted(PLAIN, source.style)
    share = ((np.arange(256) - window.low) / (window.high - window.low)).clip(0, 1) ** 1.5
    np.testing.assert_allclose(tile_of(source)[0, :, 0], share * 255, atol=0.51)
    np.testing.assert_array_equal(slide.read(0, 0, 0, 256, 4)[0], ramp[0])


def test_limits_and_gamma_of_channels_are_adjusted_too() -> None:
    pixels = np.full((8, 8, 1), 100, np.uint16)
    source = SlideSource(ArraySlide(pixels, is_rgb=False))
    source.display = (replace(source.display[0], low=0, high=200, gamma=2.0),)
    assert tile_of(source)[0, 0, 0] == 64
    source.style = SlideStyle(gamma=0.5)
    assert tile_of(source)[0, 0, 0] == 128
    source.style = SlideStyle(brightness=0.25)
    assert tile_of(source)[0, 0, 0] == round(255 * 0.75**2)


@pytest.mark.parametrize(
    ("view", "hematoxylin", "eosin"), [("first", 0.7, 0.0), ("second", 0.0, 0.5)]
)
def test_a_stain_alone_has_its_colour_on_white(
    view: StainView, hematoxylin: float, eosin: float
) -> None:
    shown = stain_picture(stained(0.7, 0.5), SlideStyle(stain=view))
    np.testing.assert_allclose(shown, stained(hematoxylin, eosin), atol=3)
    assert stain_picture(np.full((1, 1, 3), 255, np.uint8), SlideStyle(stain=view)).min() == 255


def test_brown_is_shown_by_the_vectors_of_dab() -> None:
    brown = stained(0.2, 0.8, H_DAB.rows[1])
    style = SlideStyle(stain="second", stains=H_DAB)
    np.testing.assert_allclose(stain_picture(brown, style), stained(0, 0.8, H_DAB.rows[1]), atol=3)


def test_amounts_are_shown_in_grey_and_agree_with_those_of_the_methods() -> None:
    image = he_image(64, 64)
    shown = stain_picture(image, SlideStyle(stain="first", grey=True))
    assert (shown[..., 0] == shown[..., 1]).all()
    amounts = separate(image, H_E)[..., 0].clip(0, 2)
    np.testing.assert_allclose(shown[..., 0], 255 * (1 - amounts / 2), atol=1)


def test_what_no_stain_explains_is_dark_in_the_residual() -> None:
    pure = stain_picture(stained(0.7, 0.5), SlideStyle(stain="residual"))
    odd = stain_picture(np.full((1, 1, 3), (30, 220, 30), np.uint8), SlideStyle(stain="residual"))
    assert pure.min() > 245
    assert odd.max() < 150


def test_a_stain_is_seen_through_the_window_and_one_channel_alone_is_not_taken_apart() -> None:
    slide = ArraySlide(stained(0.7, 0.5))
    source = SlideSource(slide)
    source.style = SlideStyle(stain="first")
    plain = tile_of(source)
    source.style = SlideStyle(stain="first", brightness=1)
    assert tile_of(source)[..., :3].min() == 255
    assert plain[..., :3].min() < 200
    alone = source.read_tile(TileKey(0, 0, 0, Plane(c=0)))
    assert isinstance(alone, np.ndarray)


def test_stains_are_estimated_from_a_region() -> None:
    slide = ArraySlide(he_image(700, 500), downsamples=(1, 4))
    estimate = estimated_stains(slide, Rect(100, 100, 400, 300))
    assert estimate.problem == ""
    assert np.dot(estimate.matrix.rows[0], HEMATOXYLIN / np.linalg.norm(HEMATOXYLIN)) > 0.97
    assert slide.largest_read <= 400 * 300
    with pytest.raises(UsageError, match="outside"):
        estimated_stains(slide, Rect(800, 0, 100, 100))


def test_a_large_region_of_a_slide_without_smaller_sizes_is_not_read_whole() -> None:
    slide = ArraySlide(np.tile(he_image(500, 500), (6, 6, 1)))
    assert estimated_stains(slide, Rect(0, 0, 3000, 3000)).problem == ""
    assert slide.largest_read <= 2050 * 2050
