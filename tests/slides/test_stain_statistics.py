"""What tissue looks like in a few numbers, whatever the scanner's resolution."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.errors import MissingScaleError
from pathoview.slides.stain_statistics import (
    STATISTICS,
    picture_statistics,
    square_statistics,
    tissue_statistics,
)

FIELD = he_image(512, 512, seed=2)


def test_a_slide_and_its_picture_tell_the_same() -> None:
    slide = np.median(tissue_statistics(ArraySlide(FIELD, 0.5)), axis=0)
    picture = np.median(picture_statistics(FIELD, 0.5), axis=0)
    assert slide.shape == (len(STATISTICS),)
    np.testing.assert_allclose(slide, picture, rtol=0.05)


def test_the_magnification_does_not_matter() -> None:
    fine = cv2.resize(FIELD, (1024, 1024), interpolation=cv2.INTER_LINEAR)
    coarse = np.median(tissue_statistics(ArraySlide(FIELD, 0.5)), axis=0)
    np.testing.assert_allclose(
        np.median(tissue_statistics(ArraySlide(fine, 0.25)), axis=0), coarse, rtol=0.1
    )


def test_squares_of_glass_say_nothing() -> None:
    half = np.full_like(FIELD, 245)
    half[:, :256] = FIELD[:, :256]
    found = tissue_statistics(ArraySlide(half, 0.5))
    assert 0 < len(found) <= 8
    assert square_statistics(np.full((64, 64, 3), 245, np.uint8), 1.0) is None
    assert tissue_statistics(ArraySlide(np.full_like(FIELD, 245), 0.5)).shape == (0, 10)


def test_numbers_mean_what_they_are_called() -> None:
    def of(rgb: tuple[int, int, int]) -> dict[str, float]:
        found = square_statistics(np.full((64, 64, 3), rgb, np.uint8), 1.0)
        assert found is not None
        return dict(zip(STATISTICS, found.tolist(), strict=True))

    blue, pink = of((110, 90, 180)), of((240, 130, 220))
    assert blue["hematoxylin"] > pink["hematoxylin"]
    assert pink["eosin"] > blue["eosin"]
    assert blue["red density"] == pytest.approx(-np.log(111 / 256))
    assert blue["red contrast"] == pytest.approx(0)
    assert blue["detail"] == pytest.approx(0)


def test_without_a_scale_nothing_is_compared() -> None:
    with pytest.raises(MissingScaleError):
        tissue_statistics(ArraySlide(FIELD, None))
