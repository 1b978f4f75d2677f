"""Features tell what they are named after, and are the same wherever a patch is cut."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from makers import EOSIN, HEMATOXYLIN, he_image

from pathoview.methods.pixel_features import PixelFeatures

FEATURES = PixelFeatures((1.0, 2.0, 4.0, 8.0))


def plane(rgb: npt.NDArray[np.uint8], name: str, mpp: float = 1.0) -> npt.NDArray[np.float32]:
    return FEATURES.of(rgb, mpp)[..., FEATURES.names.index(name)]


def stained(
    hematoxylin: npt.NDArray[np.float64], eosin: npt.NDArray[np.float64]
) -> npt.NDArray[np.uint8]:
    density = hematoxylin[..., None] * HEMATOXYLIN + eosin[..., None] * EOSIN
    return np.clip(256 * np.exp(-density) - 1, 0, 255).round().astype(np.uint8)


def spot(sigma: float, side: int = 101) -> npt.NDArray[np.float64]:
    amounts = np.zeros((side, side))
    amounts[side // 2, side // 2] = 1
    return cv2.GaussianBlur(amounts, (0, 0), sigma) * 2 * np.pi * sigma**2


def test_each_feature_has_a_name_and_is_a_number() -> None:
    found = FEATURES.of(he_image(120, 90), 1.0)
    assert found.shape == (90, 120, len(FEATURES.names))
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert len(set(FEATURES.names)) == len(FEATURES.names)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("mpp", [0.5, 1.0, 1.3, 5.0])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (37, 101), (64, 7)])
def test_a_pixel_is_the_same_in_whichever_patch_it_lies(mpp: float, x: int, y: int) -> None:
    rgb, side, reach = he_image(420, 400, 3), 280, FEATURES.reach_px(mpp)
    core = (slice(reach, side - reach),) * 2
    part = np.ascontiguousarray(rgb[y : y + side, x : x + side])
    whole = FEATURES.of(rgb, mpp)[y : y + side, x : x + side][core]
    assert whole.size
    np.testing.assert_allclose(FEATURES.of(part, mpp, core), whole, atol=1e-5)


def test_the_reach_is_no_less_than_what_is_looked_at() -> None:
    rgb = he_image(201, 201, 3)
    other = rgb.copy()
    other[100, 100] = 0
    changed = np.argwhere((FEATURES.of(rgb, 1.0) != FEATURES.of(other, 1.0)).any(axis=2))
    farthest = np.abs(changed - 100).max()
    assert FEATURES.reach_px(1.0) - 3 <= farthest <= FEATURES.reach_px(1.0)


def test_stains_are_told_apart() -> None:
    left = np.repeat([[1.0, 0.0]], 60, axis=1).reshape(1, -1) * np.ones((80, 1))
    rgb = stained(left * 0.8, (1 - left) * 0.6)
    assert plane(rgb, "hematoxylin")[40, 20] == pytest.approx(0.8 * 0.99, abs=0.05)
    assert plane(rgb, "hematoxylin")[40, 100] == pytest.approx(0, abs=0.05)
    assert plane(rgb, "eosin")[40, 100] == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize(("size", "other"), [(2.0, 8.0), (8.0, 2.0)])
def test_a_spot_stands_out_most_at_its_own_size(size: float, other: float) -> None:
    rgb = stained(spot(size), np.full((101, 101), 0.3))
    at_size, at_other = (plane(rgb, f"laplacian, {um:g} µm")[50, 50] for um in (size, other))
    assert at_size < at_other < 0


def test_sizes_are_in_micrometres() -> None:
    fine = stained(spot(8.0), np.full((101, 101), 0.3))
    coarse = stained(spot(4.0, 51), np.full((51, 51), 0.3))
    assert plane(fine, "hessian smaller, 4 µm", 0.5)[50, 50] == pytest.approx(
        plane(coarse, "hessian smaller, 4 µm", 1.0)[25, 25], rel=0.1
    )


def test_an_edge_has_a_gradient_and_one_direction() -> None:
    amounts = np.zeros((80, 80))
    amounts[:, 40:] = 0.8
    rgb = stained(amounts, np.full((80, 80), 0.3))
    gradient = plane(rgb, "gradient, 2 µm")
    assert gradient[40, 40] > 0.2
    assert gradient[40, 10] < 0.01
    assert plane(rgb, "structure larger, 2 µm")[40, 40] > 0.05
    assert plane(rgb, "structure smaller, 2 µm")[40, 40] == pytest.approx(0, abs=1e-3)


def test_features_do_not_depend_on_the_direction() -> None:
    rgb = he_image(150, 150, 8)
    turned = FEATURES.of(np.ascontiguousarray(np.rot90(rgb)), 1.0)
    np.testing.assert_allclose(turned, np.rot90(FEATURES.of(rgb, 1.0)), atol=1e-4)


def test_noise_has_more_pattern_changes_than_a_slope() -> None:
    slope = np.linspace(0.2, 6.0, 100)[None] * np.ones((100, 1))
    noise = np.random.default_rng(0).uniform(0.2, 1.2, (100, 100))
    name, eosin = "pattern changes, 4 µm", np.zeros((100, 100))
    ramp = plane(stained(np.minimum(slope, 1.5), eosin), name)[50, 15]
    assert plane(stained(noise, eosin), name)[50, 50] > ramp + 0.5


def test_texture_deviates() -> None:
    flat = np.full((100, 100), 0.5)
    rough = flat + np.random.default_rng(0).normal(0, 0.15, flat.shape)
    name = "hematoxylin deviation, 4 µm"
    assert plane(stained(rough, flat), name)[50, 50] == pytest.approx(0.15, abs=0.04)
    assert plane(stained(flat, flat), name)[50, 50] == pytest.approx(0, abs=1e-3)
