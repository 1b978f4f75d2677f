"""Blurred tiles are found relative to the sharp ones of the same slide."""

from __future__ import annotations

import cv2
import numpy as np
from fakes import ArraySlide
from makers import he_image

from pathoview.slides.blur import BlurMap, blur_grid, blur_map, measured_blur
from pathoview.slides.tissue import tissue_mask


def measured(picture: np.ndarray, mpp: float | None = 0.5) -> BlurMap:
    slide = ArraySlide(picture, mpp)
    grid = blur_grid(slide, tissue_mask(slide))
    return blur_map(grid, measured_blur(slide, grid))


def tissue() -> np.ndarray:
    return np.tile(he_image(512, 512), (4, 4, 1))


def test_only_the_blurred_half_is_blurred() -> None:
    picture = tissue()
    picture[:1024] = cv2.GaussianBlur(picture[:1024], (0, 0), 4)
    found = measured(picture)
    assert found.mpp == 1.0
    assert found.variance.shape == (4, 4)
    assert found.blurred[:2].all()
    assert not found.blurred[2:].any()
    assert found.lost_detail[:2].min() > 1 > found.lost_detail[2:].max()


def test_a_sharp_slide_has_no_blurred_tile() -> None:
    found = measured(tissue())
    assert (found.n_tiles, found.n_blurred) == (16, 0)


def test_glass_is_not_measured() -> None:
    picture = tissue()
    picture[:, 1024:] = 245
    found = measured(picture)
    assert np.isnan(found.variance[:, 2:]).all()
    assert found.n_tiles == 8


def test_too_few_tiles_are_not_compared() -> None:
    found = measured(he_image(600, 600))
    assert np.isnan(found.sharp)
    assert found.n_blurred == 0


def test_without_a_scale_full_resolution_is_measured() -> None:
    found = measured(tissue(), None)
    assert found.mpp is None
    assert found.variance.shape == (8, 8)
