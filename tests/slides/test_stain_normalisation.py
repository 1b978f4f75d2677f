"""Normalised colours are those of the target; what cannot be trusted is not used, and says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import orjson
import pytest
from fakes import ArraySlide
from makers import he_image

from pathoview.core.errors import InputError, UsageError
from pathoview.core.geometry import Rect
from pathoview.slides.stain_look import StainLook, target_look
from pathoview.slides.stain_normalisation import (
    NORMALISING_METHODS,
    NormalisingMethod,
    StainNormaliser,
    target_of,
)
from pathoview.slides.stain_target import CMU_1
from pathoview.slides.stains import H_DAB

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

SOURCE = np.array([(0.58, 0.74, 0.34), (0.20, 0.88, 0.43)])
TARGET = np.array([(0.70, 0.65, 0.30), (0.09, 0.95, 0.28)])
SOURCE_STRENGTH = np.array([0.7, 0.8])


def amounts(seed: int = 0, side: int = 256) -> Floats:
    """Return how much of both stains there is, (side, side, 2): nuclei, stroma, a rim of glass."""
    rng = np.random.default_rng(seed)
    is_nucleus = rng.random((side, side)) < 0.25
    blue = np.where(is_nucleus, rng.uniform(0.7, 1.4, (side, side)), 0.02)
    pink = np.where(is_nucleus, 0.04, rng.uniform(0.3, 0.9, (side, side)))
    found = np.stack([blue, pink], axis=-1)
    found[:, : side // 8] = 0
    return found


def shown(stains: Floats, colors: Floats) -> Rgb:
    unit = colors / np.linalg.norm(colors, axis=1, keepdims=True)
    return np.clip(np.rint(256 * np.exp(-(stains @ unit)) - 1), 0, 255).astype(np.uint8)


def tile(seed: int = 0) -> Rgb:
    return shown(amounts(seed) * SOURCE_STRENGTH, SOURCE)


def wanted(seed: int = 0) -> Rgb:
    return shown(amounts(seed), TARGET)


def target() -> StainLook:
    return target_look(wanted(7).reshape(-1, 3), "made up")


def angle(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    a, b = np.asarray(first), np.asarray(second)
    return float(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))


def error(found: Rgb, truth: Rgb) -> float:
    return float(np.abs(found.astype(float) - truth).mean())


def test_macenko_finds_the_stains_within_a_degree() -> None:
    made = StainNormaliser.fit_pixels(tile(), "macenko", target())
    assert made.source is not None
    assert angle(made.source.stains.rows[0], SOURCE[0]) <= 1
    assert angle(made.source.stains.rows[1], SOURCE[1]) <= 1


@pytest.mark.parametrize(
    ("method", "most"), [("macenko", 3.0), ("reinhard", 9.0), ("vahadane", 9.0)]
)
def test_colours_become_those_of_the_target(method: NormalisingMethod, most: float) -> None:
    made = StainNormaliser.fit_pixels(tile(), method, target())
    assert made.used == method
    before = error(tile()[:, 32:], wanted()[:, 32:])
    after = error(made.apply(tile())[:, 32:], wanted()[:, 32:])
    assert after <= most
    assert after < before / 2


@pytest.mark.parametrize("method", NORMALISING_METHODS)
def test_the_target_itself_stays_as_it_is(method: NormalisingMethod) -> None:
    own = wanted(7)
    made = StainNormaliser.fit_pixels(own, method, target())
    assert error(made.apply(own), own) <= 2


@pytest.mark.parametrize("method", NORMALISING_METHODS)
def test_glass_stays_as_it_is(method: NormalisingMethod) -> None:
    picture = tile()
    picture[:, :16] = 240
    changed = StainNormaliser.fit_pixels(picture, method).apply(picture)
    change = np.abs(changed[:, :32].astype(int) - picture[:, :32])
    assert change.max() <= 1


@pytest.mark.parametrize("method", NORMALISING_METHODS)
def test_a_pixel_looks_the_same_whatever_patch_it_lies_in(method: NormalisingMethod) -> None:
    picture = tile()
    made = StainNormaliser.fit_pixels(picture, method, target())
    whole = made.apply(picture)
    assert np.array_equal(made.apply(picture[13:90, 41:150]), whole[13:90, 41:150])
    again = StainNormaliser.fit_pixels(picture, method, target())
    assert np.array_equal(again.apply(picture), whole)


def test_hardly_any_stain_is_strengthened_tenfold_at_most() -> None:
    made = StainNormaliser.fit_pixels(tile(), "macenko", target())
    assert made.source is not None

    def with_amounts(share: float) -> Rgb:
        first, second = made.target.amounts
        source = replace(made.source, amounts=(share * first, share * second))
        return replace(made, source=source).apply(tile())

    assert np.array_equal(with_amounts(1e-9), with_amounts(0.1))
    assert not np.array_equal(with_amounts(0.2), with_amounts(0.1))


def test_one_stain_alone_is_given_to_reinhard_with_the_reason() -> None:
    one = shown(amounts() * (1.0, 0.0), SOURCE)
    made = StainNormaliser.fit_pixels(one, "macenko", target())
    assert (made.method, made.used) == ("macenko", "reinhard")
    assert "no pair of stains" in " ".join(made.why)
    assert "Reinhard instead of Macenko" in made.summary
    assert made.apply(one).shape == one.shape


def test_without_tissue_nothing_is_done_and_that_is_said() -> None:
    blank = np.full((300, 300, 3), 245, np.uint8)
    made = StainNormaliser.fit(ArraySlide(blank), "reinhard")
    assert made.used == "none"
    assert "too few stained pixels" in made.summary
    assert np.array_equal(made.apply(blank), blank)


def test_a_region_without_stain_takes_the_colours_of_the_slide() -> None:
    picture = np.full((1024, 1536, 3), 245, np.uint8)
    picture[:, :1024] = np.tile(tile(), (4, 4, 1))
    slide = ArraySlide(picture)
    of_slide = StainNormaliser.fit(slide)
    assert (of_slide.used, of_slide.fitted_on) == ("macenko", "slide")
    assert StainNormaliser.fit(slide, region_l0=Rect(0, 0, 512, 512)).fitted_on == "region"
    of_glass = StainNormaliser.fit(slide, region_l0=Rect(1200, 0, 300, 300))
    assert (of_glass.used, of_glass.fitted_on) == ("macenko", "slide")
    assert of_glass.why
    assert of_glass.source is not None
    assert of_slide.source is not None
    assert of_glass.source.stains == of_slide.source.stains


def test_the_same_slide_is_measured_the_same_twice() -> None:
    picture = np.tile(tile(), (8, 8, 1))
    assert StainNormaliser.fit(ArraySlide(picture)) == StainNormaliser.fit(ArraySlide(picture))
    assert StainNormaliser.fit(ArraySlide(picture)).n_pixels >= 100_000


def test_brown_slides_are_refused() -> None:
    brown = shown(amounts(), np.array(H_DAB.rows[:2]) * [[1], [1]])
    with pytest.raises(UsageError, match="DAB"):
        StainNormaliser.fit_pixels(brown)
    with pytest.raises(UsageError, match="PAS"):
        StainNormaliser.fit_pixels(tile(), stain="PAS")
    assert StainNormaliser.fit_pixels(brown, "reinhard", stain="H&E").used == "reinhard"


def test_pictures_without_colours_are_refused() -> None:
    grey = ArraySlide(np.full((300, 300, 1), 90, np.uint8), is_rgb=False)
    with pytest.raises(UsageError, match="colours"):
        StainNormaliser.fit(grey)


def test_a_target_without_stains_is_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        target_of(ArraySlide(np.full((300, 300, 3), 245, np.uint8)))
    assert target_of(ArraySlide(he_image(600, 600))).amounts[0] > 0.3


@pytest.mark.parametrize("method", NORMALISING_METHODS)
def test_a_normaliser_survives_json(method: NormalisingMethod) -> None:
    made = StainNormaliser.fit_pixels(tile(), method)
    again = StainNormaliser.from_json(orjson.loads(orjson.dumps(made.to_json())))
    assert again == made
    assert made.target == CMU_1


def test_an_empty_patch_is_a_patch_too() -> None:
    made = StainNormaliser.fit_pixels(tile())
    assert made.apply(np.zeros((0, 5, 3), np.uint8)).shape == (0, 5, 3)
