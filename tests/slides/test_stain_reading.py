from __future__ import annotations

import numpy as np
import pytest
import shapely
from fakes import ArraySlide

from pathoview.slides.stain_reading import level_for_shapes, measured_stains, resolution_words
from pathoview.slides.stains import H_E


def test_the_finest_level_is_read_at_which_the_largest_shape_is_small_enough() -> None:
    slide = ArraySlide(np.zeros((64, 64, 3), np.uint8), downsamples=(1, 4, 16))
    small, large = shapely.box(0, 0, 1000, 1000), shapely.box(0, 0, 10_000, 10_000)
    assert level_for_shapes(slide, [small]) == 0
    assert level_for_shapes(slide, [small, large]) == 1
    assert level_for_shapes(slide, [shapely.box(0, 0, 1e6, 1e6)]) == 2


@pytest.mark.parametrize(("mpp", "words"), [(0.25, "1 µm/px"), (None, "4 px")])
def test_the_resolution_is_told_in_um_where_they_are_known(mpp: float | None, words: str) -> None:
    slide = ArraySlide(np.zeros((64, 64, 3), np.uint8), mpp, downsamples=(1, 4))
    assert resolution_words(slide, 1) == words


@pytest.mark.parametrize("level", [0, 1])
def test_only_what_lies_in_the_shape_counts_wherever_it_is(level: int) -> None:
    pixels = np.full((256, 256, 3), 255, np.uint8)
    pixels[128:192, 64:128] = 100
    slide = ArraySlide(pixels, downsamples=(1, 4))
    dark, light = shapely.box(64, 128, 128, 192), shapely.box(130, 10, 190, 60)
    found = list(measured_stains(slide, [dark, light], H_E, level))
    name = f"Hematoxylin mean ({resolution_words(slide, level)})"
    assert found[0][name] > 0.3
    assert found[0][name.replace("mean", "SD")] == pytest.approx(0, abs=1e-6)
    assert found[1][name] == pytest.approx(0, abs=1e-6)
