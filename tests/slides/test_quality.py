"""Tissue, ink and sharpness as numbers and words."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.slides.quality import Quality, quality_steps


def measured(slide: ArraySlide, stain: str = "") -> Quality:
    *fractions, last = quality_steps(slide, stain)
    assert fractions == sorted(fractions)  # type: ignore[type-var]
    assert isinstance(last, Quality)
    return last


def penned() -> ArraySlide:
    picture = np.full((2048, 3072, 3), 244, np.uint8)
    picture[:, :2048] = np.tile(he_image(1024, 1024, mpp=1.0), (2, 2, 1))
    picture[400:900, 2300:2800] = (25, 40, 130)
    return ArraySlide(picture, 1.0)


def test_what_is_on_the_slide_is_told_in_numbers_and_words() -> None:
    found = measured(penned())
    assert found.tissue_mm2 == pytest.approx(2048 * 2048 / 1e6, rel=0.05)
    assert found.ink_shares == {"Blue ink": pytest.approx(250_000 / (2048 * 3072), rel=0.1)}
    assert found.blurred_share == 0
    assert found.warnings == ()
    assert found.summary.endswith("0 of 64 tiles blurred")
    assert "mm² of tissue; Blue ink: 3.9% of the slide" in found.summary
    assert orjson.loads(orjson.dumps(found.facts()))["blur_tiles"] == 64


def test_what_makes_it_doubtful_is_said() -> None:
    blank = measured(ArraySlide(np.full((600, 800, 3), 240, np.uint8), None), "IHC")
    said = " ".join(blank.warnings)
    assert blank.tissue_mm2 is None
    assert blank.blurred_share is None
    for words in ("Hardly any tissue", "H&E only", "too little tissue", "scale is unknown"):
        assert words in said
