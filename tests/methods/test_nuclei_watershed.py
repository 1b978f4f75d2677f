"""What the parameters of the watershed do."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide
from makers import EOSIN, HEMATOXYLIN, he_image

from pathoview.core.errors import UsageError
from pathoview.methods.supervised.nuclei_watershed import NucleiWatershed
from pathoview.methods.supervised.nuclei_watershed_params import NucleiWatershedParams

DAB = np.array([0.268, 0.570, 0.776])


def painted(*layers: tuple[npt.NDArray[np.float64], npt.NDArray[Any]]) -> npt.NDArray[np.uint8]:
    """Return RGB of stains: (colour, amounts) each."""
    density = sum((amounts[..., None] * color for color, amounts in layers), np.zeros(3))
    return np.clip(256 * np.exp(-density) - 1, 0, 255).round().astype(np.uint8)


def blobs(*ellipses: tuple[int, int, int, int], side: int = 200) -> npt.NDArray[np.float64]:
    """Return amounts of 1 in soft ellipses (x, y, half width, half height), 0 elsewhere."""
    amounts = np.zeros((side, side))
    for x, y, a, b in ellipses:
        cv2.ellipse(amounts, (x, y), (a, b), 0, 0, 360, 1.0, -1)
    return cv2.GaussianBlur(amounts, (0, 0), 0.7)


def found(rgb: npt.NDArray[np.uint8], **params: Any) -> npt.NDArray[np.int32]:
    method = NucleiWatershed(NucleiWatershedParams(**params))
    return method.predict(rgb, 0.5, method.prepare(ArraySlide(rgb, 0.5), 0.5)).labels


def count(rgb: npt.NDArray[np.uint8], **params: Any) -> int:
    return len(np.unique(found(rgb, **params))) - 1


def he(nuclei: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    return painted((HEMATOXYLIN, nuclei), (EOSIN, np.full(nuclei.shape, 0.4)))


PAIR = he(blobs((60, 60, 9, 9), (75, 60, 9, 9), (140, 140, 8, 8)))


def test_touching_nuclei_are_parted() -> None:
    labels = found(PAIR)
    assert len(np.unique(labels)) - 1 == 3
    assert labels[60, 60] != labels[60, 75]


def test_a_larger_split_parts_less() -> None:
    near = he(blobs((60, 60, 7, 9), (71, 60, 5, 8), (140, 140, 8, 8)))
    assert count(near) == 3
    assert count(near, split_um=6) == 2


def test_sizes_are_in_micrometres() -> None:
    nuclei = he(blobs((50, 50, 3, 3), (100, 100, 9, 9), (150, 40, 9, 20)))  # 7, 64 and 141 µm²
    assert count(nuclei, opening_um=0.5) == 3
    assert count(nuclei, opening_um=0.5, min_area_um2=20) == 2
    assert count(nuclei, opening_um=0.5, max_area_um2=100) == 2


def test_small_holes_are_filled_and_large_ones_stay() -> None:
    ring = blobs((100, 100, 14, 14)) - blobs((100, 100, 4, 4))
    assert found(he(ring))[100, 100] > 0
    assert found(he(ring), largest_hole_um2=5)[100, 100] == 0


def test_brown_nuclei_are_found_where_any_stain_marks_nuclei() -> None:
    blue, brown = blobs((60, 60, 8, 8)), blobs((140, 140, 8, 8))
    noise = np.random.default_rng(0).uniform(0.05, 0.15, blue.shape)
    rgb = painted((HEMATOXYLIN, blue + noise), (DAB, brown))
    only_blue = found(rgb, stain="H-DAB")
    assert only_blue[60, 60] > 0
    assert only_blue[140, 140] == 0
    both = found(rgb, stain="H-DAB", nuclei_are="any stain")
    assert both[60, 60] > 0
    assert both[140, 140] > 0


def test_estimated_stains_are_kept_in_the_context() -> None:
    slide = ArraySlide(he_image(400, 400), 0.5)
    estimated = NucleiWatershed(NucleiWatershedParams()).prepare(slide, 0.5)
    assert estimated["stains"]["source"] == "Macenko"
    assert estimated["stains_problem"] == ""
    fixed = NucleiWatershed(NucleiWatershedParams(stain="H&E")).prepare(slide, 0.5)
    assert fixed["stains"]["source"] == "Ruifrok-Johnston"


def test_a_slide_without_nuclei_gets_none() -> None:
    plain = painted((EOSIN, np.random.default_rng(1).uniform(0.3, 0.6, (300, 300))))
    assert count(plain) == 0


def test_tissue_beside_glass_is_not_taken_for_nuclei() -> None:
    amounts = 0.7 + 0.6 * blobs((150, 50, 8, 8), (150, 100, 8, 8), (150, 150, 8, 8))
    rgb = painted((HEMATOXYLIN, amounts), (EOSIN, np.full(amounts.shape, 0.4)))
    rgb[:, :100] = 255
    assert count(rgb, stain="H&E") == 3


def test_a_patch_s_neighbours_on_the_sample_do_not_matter() -> None:
    # The threshold comes from the slide: a patch alone gives what it gives on the whole.
    rgb = he_image(512, 512, seed=5)
    method = NucleiWatershed(NucleiWatershedParams())
    context = method.prepare(ArraySlide(rgb, 0.5), 0.5)
    assert context == method.prepare(ArraySlide(rgb.copy(), 0.5), 0.5)


def test_parameters_out_of_bounds_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match="min_area_um2"):
        NucleiWatershedParams.parse({"min_area_um2": -1})
