"""Ink is told from stains and from blood, and taken out of the tissue."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.geometry import Rect
from pathoview.slides.pen import INKS
from pathoview.slides.tissue import tissue_mask

RED = (214, 45, 70)
COLORS = {1: (25, 40, 130), 2: (30, 140, 70), 3: (25, 25, 28), 4: RED}


def tissue_and_glass() -> np.ndarray:
    """Return 2,000 × 1,600 px at 2 µm: tissue in the left half, glass in the right."""
    picture = np.full((1600, 2000, 3), 243, np.uint8)
    picture[200:1400, 200:1000] = he_image(800, 1200, mpp=2.0)
    return picture


@pytest.mark.parametrize("kind", COLORS)
def test_each_ink_is_called_by_its_name_and_is_no_tissue(kind: int) -> None:
    picture = tissue_and_glass()
    picture[600:900, 1300:1500] = COLORS[kind]
    mask = tissue_mask(ArraySlide(picture, 2.0))
    assert mask.ink is not None
    inside = mask.ink[160:215, 335:365]
    assert (inside == kind).all(), INKS[kind]
    assert np.count_nonzero(mask.ink) * mask.downsample**2 == pytest.approx(60_000, rel=0.1)
    assert mask.fraction_in(Rect(1300, 600, 200, 300)) < 0.01


def test_the_pale_edge_of_ink_is_no_tissue() -> None:
    picture = tissue_and_glass()
    picture[600:900, 1300:1500] = COLORS[1]
    blurred = cv2.GaussianBlur(picture, (0, 0), 4)
    mask = tissue_mask(ArraySlide(blurred, 2.0))
    assert mask.fraction_in(Rect(1200, 500, 400, 500)) == 0.0
    assert mask.fraction_in(Rect(220, 220, 760, 1160)) == 1.0


def test_red_ink_that_reaches_over_tissue_is_left_out_there_too() -> None:
    picture = tissue_and_glass()
    picture[700:780, 600:1500] = RED
    mask = tissue_mask(ArraySlide(picture, 2.0))
    assert mask.fraction_in(Rect(600, 700, 380, 80)) < 0.01
    assert mask.fraction_in(Rect(220, 220, 300, 1160)) == 1.0


def test_where_red_ink_runs_out_it_is_no_tissue() -> None:
    picture = tissue_and_glass()
    picture[700:780, 1200:1500] = RED
    picture[700:780, 1500:1560] = (236, 190, 200)
    mask = tissue_mask(ArraySlide(picture, 2.0))
    assert mask.fraction_in(Rect(1100, 600, 700, 300)) == 0.0


def test_blood_amid_tissue_is_no_ink() -> None:
    picture = tissue_and_glass()
    picture[700:900, 500:700] = RED
    mask = tissue_mask(ArraySlide(picture, 2.0))
    assert mask.ink is not None
    assert not mask.ink.any()
    assert mask.fraction_in(Rect(500, 700, 200, 200)) == 1.0


def test_real_red_ink_is_found(shared_data: Path) -> None:
    folder = shared_data / "qc"
    picture = cv2.imread(str(folder / "pen__1k_version__pen_red.png"))[..., ::-1]
    truth = cv2.imread(str(folder / "pen__1k_version__pen_red_mask.png"), cv2.IMREAD_GRAYSCALE)
    mask = tissue_mask(ArraySlide(np.ascontiguousarray(picture), 8.0))
    assert mask.ink is not None
    is_red, is_truly = mask.ink == 4, truth > 127
    assert (is_red & is_truly).sum() / (is_red | is_truly).sum() > 0.85
    assert mask.mask[is_truly].mean() < 0.1


def test_real_fields_without_ink_have_none(shared_data: Path) -> None:
    folders = ["nuclei/MoNuSeg30/train/images", "nuclei/DSB2018_HE/images"]
    for path in [path for folder in folders for path in sorted((shared_data / folder).iterdir())]:
        picture = cv2.imread(str(path))[..., ::-1]
        mask = tissue_mask(ArraySlide(np.ascontiguousarray(picture), 0.25))
        assert mask.ink is not None
        assert not mask.ink.any(), path.name
