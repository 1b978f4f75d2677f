"""Stains: known amounts come back, colours are estimated, and bad estimates are refused."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import orjson
import pytest
from makers import EOSIN, HEMATOXYLIN, he_image

from pathoview.slides.stains import (
    H_DAB,
    H_E,
    StainMatrix,
    amount_table,
    estimate_h_e,
    separate,
    whole_amounts,
)


def mixed(first: npt.ArrayLike, second: npt.ArrayLike, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Return 200 × 200 RGB of two stains: mostly the second, a fifth mostly the first."""
    rng = np.random.default_rng(seed)
    is_nucleus = rng.random((200, 200, 1)) < 0.2
    blue = np.where(is_nucleus, rng.uniform(0.7, 1.4, is_nucleus.shape), 0.02)
    pink = np.where(is_nucleus, 0.05, rng.uniform(0.3, 0.8, is_nucleus.shape))
    density = blue * np.asarray(first) + pink * np.asarray(second)
    return np.clip(256 * np.exp(-density) - 1, 0, 255).round().astype(np.uint8)


def angle(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    a, b = np.asarray(first), np.asarray(second)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


@pytest.mark.parametrize("matrix", [H_E, H_DAB])
def test_separation_returns_the_amounts_that_were_mixed(matrix: StainMatrix) -> None:
    amounts = np.array([0.8, 0.4])
    density = amounts @ np.array(matrix.rows)[:2]
    rgb = np.full((3, 5, 3), 256 * np.exp(-density) - 1).round().astype(np.uint8)
    found = separate(rgb, matrix)
    assert found.shape == (3, 5, 3)
    assert found.dtype == np.float32
    assert found[1, 2] == pytest.approx([0.8, 0.4, 0], abs=0.02)


def test_whole_amounts_are_the_separated_amounts_rounded() -> None:
    rgb = he_image(64, 48)
    whole = whole_amounts(rgb, amount_table(H_E.unmixing[:, 0], 100))
    assert np.abs(whole / 100 - separate(rgb, H_E)[..., 0]).max() <= 0.02


def test_whole_amounts_do_not_depend_on_where_a_pixel_lies() -> None:
    rgb = he_image(129, 67)
    table = amount_table(H_E.unmixing[:, 0], 100)
    whole = whole_amounts(rgb, table)
    assert np.array_equal(
        whole_amounts(np.ascontiguousarray(rgb[5:40, 13:90]), table), whole[5:40, 13:90]
    )


def test_estimation_finds_the_colours_within_a_degree() -> None:
    blue, pink = np.array([0.58, 0.74, 0.34]), np.array([0.20, 0.88, 0.43])
    estimate = estimate_h_e(mixed(blue, pink).reshape(-1, 3))
    assert estimate.problem == ""
    assert estimate.matrix.source == "Macenko"
    assert angle(estimate.matrix.rows[0], blue) < 1.5
    assert angle(estimate.matrix.rows[1], pink) < 1.5


def test_pale_eosin_still_counts_as_tissue() -> None:
    # Eosin absorbs hardly any red: a rule of "every channel" would lose these pixels.
    estimate = estimate_h_e(mixed(HEMATOXYLIN, EOSIN).reshape(-1, 3))
    assert angle(estimate.matrix.rows[1], EOSIN) < 2


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((5_000, 3), 250, np.uint8),
        np.zeros((0, 3), np.uint8),
        mixed(HEMATOXYLIN, EOSIN).reshape(-1, 3)[:1_000],
        mixed(HEMATOXYLIN, HEMATOXYLIN).reshape(-1, 3),
        np.full((5_000, 3), 90, np.uint8),
        # One purple stain whose dark pixels are the redder ones.
        mixed((0.55, 0.80, 0.25), (0.75, 0.63, 0.20)).reshape(-1, 3),
    ],
    ids=["glass", "nothing", "too few", "one stain", "grey", "dark is not blue"],
)
def test_an_estimate_that_cannot_be_trusted_is_replaced_with_a_reason(
    pixels: npt.NDArray[np.uint8],
) -> None:
    estimate = estimate_h_e(pixels)
    assert estimate.matrix == H_E
    assert estimate.problem


def test_a_matrix_survives_json() -> None:
    assert StainMatrix.from_json(orjson.loads(orjson.dumps(H_DAB.to_json()))) == H_DAB
