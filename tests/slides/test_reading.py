"""The grid of analysis: which level, which reduction, and the same pixels whatever is read."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.errors import MissingScaleError
from pathoview.slides.reading import analysis_grid, read_patch


@pytest.mark.parametrize(
    ("slide_mpp", "wanted", "downsamples", "level", "factor"),
    [
        (0.25, 0.5, (1,), 0, 2),
        (0.499, 0.5, (1,), 0, 1),
        (0.25, 0.5, (1, 4.00011), 0, 2),
        (0.25, 1.0, (1, 4.00011), 1, 1),
        (0.23, 2.0, (1, 4.00011), 1, 2),
        (1.0, 0.5, (1,), 0, 1),
        (0.35, 0.5, (1,), 0, 1),
    ],
)
def test_the_nearest_whole_reduction_of_the_best_level_is_taken(
    slide_mpp: float, wanted: float, downsamples: tuple[float, ...], level: int, factor: int
) -> None:
    slide = ArraySlide(he_image(64, 48), slide_mpp, downsamples=downsamples)
    grid = analysis_grid(slide, wanted)
    assert (grid.level, grid.factor) == (level, factor)
    assert grid.scale_l0 == downsamples[level] * factor
    assert grid.mpp == pytest.approx(slide_mpp * grid.scale_l0)


def test_the_grid_covers_the_last_partial_pixel() -> None:
    grid = analysis_grid(ArraySlide(he_image(65, 47), 0.25), 0.5)
    assert (grid.width, grid.height) == (33, 24)


def test_a_slide_without_scale_is_refused() -> None:
    with pytest.raises(MissingScaleError):
        analysis_grid(ArraySlide(he_image(32, 32), None), 0.5)


@pytest.mark.parametrize("mpp", [0.5, 0.25, 0.17, 0.125])
def test_overlapping_patches_show_the_same_pixels(mpp: float) -> None:
    slide = ArraySlide(he_image(301, 253), mpp)
    grid = analysis_grid(slide, 0.5)
    whole = read_patch(slide, grid, 0, 0, grid.width, grid.height)
    part = read_patch(slide, grid, 13, 7, 31, 29)
    assert np.array_equal(part, whole[7:36, 13:44])


def test_beyond_the_edge_it_is_white() -> None:
    slide = ArraySlide(np.zeros((20, 20, 3), np.uint8))
    patch = read_patch(slide, analysis_grid(slide, 0.5), -4, -4, 30, 30)
    assert (patch[:4] == 255).all()
    assert (patch[24:] == 255).all()
    assert (patch[4:24, 4:24] == 0).all()


def test_twelve_bits_in_sixteen_give_the_picture_of_eight_bits() -> None:
    eight = he_image(131, 97)
    twelve = ArraySlide((eight.astype(np.int32) * 4095 // 255).astype(np.uint16))
    patch = read_patch(twelve, analysis_grid(twelve, 0.5), 0, 0, 131, 97)
    assert np.abs(patch.astype(int) - eight).max() <= 1


def test_fluorescence_is_shown_as_dark_objects_on_white() -> None:
    samples = np.full((64, 64, 2), 100, np.uint16)
    samples[20:30, 20:30, 1] = 3000
    slide = ArraySlide(samples, is_rgb=False)
    patch = read_patch(slide, analysis_grid(slide, 0.5), -2, 0, 70, 64)
    assert patch.shape == (64, 70, 3)
    assert (patch[25, 27] < 10).all()
    assert (patch[5, 5] > 245).all()
    assert (patch[:, :2] == 255).all()
    assert (patch[:, 66:] == 255).all()


def test_a_huge_level_of_sixteen_bits_is_sampled_in_strips() -> None:
    samples = np.full((5000, 6000, 1), 500, np.uint16)
    samples[1000:1400, 1000:1400] = 4000
    slide = ArraySlide(samples, is_rgb=False)
    rule = analysis_grid(slide, 0.5).rgb
    assert slide.largest_read <= 16e6
    assert (rule.low, rule.high, rule.is_inverted) == (500, 4000, True)
