"""What rules measure of a patch: named, within bounds, and what their names say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from makers import he_scene

from pathoview.methods.hand_features import FAMILIES, N_HAND_FEATURES, NAMES, hand_features

SIDE = 96
PATCH = he_scene(SIDE, SIDE, seed=4).rgb


def described(*patches: npt.NDArray[np.uint8]) -> list[dict[str, float]]:
    rows = hand_features(np.stack(patches))
    return [dict(zip(NAMES, row.tolist(), strict=True)) for row in rows]


def plain(red: int, green: int, blue: int) -> npt.NDArray[np.uint8]:
    return np.tile(np.array((red, green, blue), np.uint8), (SIDE, SIDE, 1))


def of_family(name: str) -> npt.NDArray[np.bool_]:
    return np.array(FAMILIES) == name


def test_there_are_about_250_and_no_two_have_the_same_name() -> None:
    assert 230 <= N_HAND_FEATURES == len(set(NAMES)) == len(FAMILIES) <= 280
    assert set(FAMILIES) == {"HSV", "Lab", "stains", "Haralick", "LBP", "edges"}


@pytest.mark.parametrize("side", [16, 63, 224])
def test_any_patch_gives_numbers_that_half_precision_keeps(side: int) -> None:
    random = np.random.default_rng(side)
    noise = random.integers(0, 256, (side, side, 3), np.uint8)
    flat = [np.full((side, side, 3), value, np.uint8) for value in (0, 128, 255)]
    rows = hand_features(np.stack([noise, *flat]))
    assert (rows.shape, rows.dtype) == ((4, N_HAND_FEATURES), np.float32)
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() <= 1
    np.testing.assert_allclose(rows.astype(np.float16), rows, atol=1e-3)


def test_no_patches_are_no_harm() -> None:
    assert hand_features(np.zeros((0, SIDE, SIDE, 3), np.uint8)).shape == (0, N_HAND_FEATURES)


def test_histograms_say_which_colours_there_are() -> None:
    purple, white, red = described(plain(112, 64, 160), plain(255, 255, 255), plain(200, 0, 0))
    for said in (purple, white):
        for channel, n_bins in (("HSV: value", 12), ("Lab: a", 12), ("stains: eosin", 12)):
            bins = [said[f"{channel} {number + 1}/{n_bins}"] for number in range(n_bins)]
            assert sum(bins) == pytest.approx(1)
    assert purple["HSV: saturation mean"] == pytest.approx(0.6, abs=0.01)
    assert purple["HSV: hue from green on 7/16"] == 1, "270° is 150° behind green, of 360"
    assert red["HSV: hue from green on 11/16"] == 1, "0° is 240° behind green"
    assert purple["HSV: value mean"] == pytest.approx(160 / 256)
    assert white["stains: hematoxylin mean"] == pytest.approx(0, abs=1e-6)
    assert purple["stains: hematoxylin mean"] > 0.3
    assert white["HSV: value 12/12"] == 1


def test_texture_is_that_of_the_grey_levels() -> None:
    stripes = np.zeros((SIDE, SIDE), np.uint8)
    stripes[:, ::2] = 200
    field, upright = described(plain(120, 120, 120), np.dstack([stripes] * 3))
    assert field["Haralick: brightness energy at 1 px, mean"] == pytest.approx(1)
    assert field["Haralick: brightness contrast at 1 px, range"] == 0
    # Along the stripes nothing changes, across them everything does.
    assert upright["Haralick: brightness correlation at 1 px, range"] == pytest.approx(2, abs=0.05)
    assert upright["edges: strength 1/8, full resolution"] == pytest.approx(1)


def test_edges_are_told_from_the_most_frequent_direction_on() -> None:
    ramp = np.tile(np.arange(SIDE, dtype=np.uint8) * 2, (SIDE, 1))
    for turned in (ramp, ramp.T):
        (said,) = described(np.dstack([turned] * 3))
        assert said["edges: direction 1/8, full resolution"] == pytest.approx(1, abs=1e-6)


def test_brightness_and_contrast_do_not_change_texture() -> None:
    darker = (PATCH // 2 + 10).astype(np.uint8)
    lighter = (darker.astype(np.int64) + 100).astype(np.uint8)
    one, other = hand_features(np.stack([darker, lighter]))
    brightness = np.array(["Haralick: brightness" in name for name in NAMES])
    np.testing.assert_allclose(one[brightness], other[brightness], atol=0.01)
    assert np.abs(one[of_family("HSV")] - other[of_family("HSV")]).max() > 0.3


def test_a_patch_that_is_turned_looks_the_same() -> None:
    straight, turned = hand_features(np.stack([PATCH, np.rot90(PATCH)]))
    np.testing.assert_allclose(straight, turned, atol=0.01)


def test_nuclei_are_told_from_none() -> None:
    empty, full = he_scene(SIDE, SIDE, seed=4).rgb.copy(), PATCH
    empty[he_scene(SIDE, SIDE, seed=4).labels > 0] = (235, 190, 215)
    nothing, nuclei = described(empty, full)
    assert nuclei["stains: hematoxylin mean"] > nothing["stains: hematoxylin mean"] + 0.02
