from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from skimage.metrics import structural_similarity

from pathoview.evaluation.synthesis import (
    LEAST_SIDE_PX,
    Flags,
    Picture,
    TileMeasures,
    correlation,
    identity,
    measured,
    scores,
    scores_with_intervals,
)

RANDOM = np.random.default_rng(7)


def enlarged(picture: Picture, times: int) -> Picture:
    return picture.repeat(times, axis=0).repeat(times, axis=1)


TILE = enlarged(RANDOM.integers(60, 200, (12, 16, 3), np.uint8), 4)
"""48 × 64 px, with structure at several scales."""
NONE: Flags = np.zeros(TILE.shape[:2], np.bool_)


def square(side: int, top: int = 8) -> Flags:
    mask = NONE.copy()
    mask[top : top + side, top : top + side] = True
    return mask


def noisy(picture: Picture, deviation: float) -> Picture:
    noise = np.random.default_rng(1).normal(0, deviation, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


def painted(picture: Picture, mask: Flags, value: int) -> Picture:
    made = picture.copy()
    made[mask] = value
    return made


def said_of(
    before: Sequence[int], after: Sequence[int], identities: Sequence[float]
) -> list[TileMeasures]:
    rows = zip(before, after, identities, strict=True)
    return [TileMeasures(100, n, m, 100, 100, value) for n, m, value in rows]


def test_the_same_picture_is_the_same_tissue() -> None:
    assert identity(TILE, TILE, NONE) == pytest.approx(1)


@pytest.mark.parametrize("value", [0, 255])
def test_what_is_within_the_pathology_does_not_count_for_identity(value: int) -> None:
    mask = square(16)
    assert identity(TILE, painted(TILE, mask, value), mask) == pytest.approx(1)
    assert identity(TILE, painted(TILE, mask, value), NONE) < 0.98


def test_an_inverted_picture_is_not_the_same_tissue() -> None:
    inverted: Picture = 255 - TILE
    assert identity(TILE, inverted, NONE) == 0
    assert identity(TILE, inverted, square(16)) < 0.1


def test_more_noise_is_less_the_same_tissue() -> None:
    told = [identity(TILE, noisy(TILE, deviation), NONE) for deviation in (2, 10, 40)]
    assert 1 > told[0] > told[1] > told[2] > 0


def test_replaced_tissue_does_not_count_as_alike() -> None:
    # The paper's mean over the whole picture would call most of this one alike.
    mask, changed = square(40, top=4), NONE.copy()
    changed[:, 50:] = True
    made = np.where(changed[..., None] & ~mask[..., None], 255 - TILE, TILE)
    whole = identity(painted(TILE, mask, 0), painted(made, mask, 0), NONE)
    assert identity(TILE, made, mask) < whole - 0.1


def test_one_scale_agrees_with_that_of_scikit_image() -> None:
    # Coarse structures are alike in all of three scales, so that both scores lie together.
    smooth = enlarged(RANDOM.integers(60, 200, (3, 4, 1), np.uint8), 64)
    brighter: Picture = smooth + np.uint8(40)
    told = identity(smooth, brighter, np.zeros(smooth.shape[:2], np.bool_))
    single = structural_similarity(  # type: ignore[no-untyped-call]
        smooth[..., 0], brighter[..., 0], gaussian_weights=True, use_sample_covariance=False
    )
    # Luminance counts at the coarsest scale only, by its exponent.
    assert told == pytest.approx(float(single) ** (0.3001 / 0.6305), abs=0.01)


def test_identity_is_that_of_colours_of_their_own() -> None:
    made = TILE.copy()
    made[..., 0] = 255 - made[..., 0]
    assert identity(TILE, made, NONE) == pytest.approx(2 / 3)
    grey: Picture = TILE[..., :1].copy()
    assert identity(grey, grey, NONE) == pytest.approx(1)


def test_identity_is_unknown_where_all_is_pathology() -> None:
    assert np.isnan(identity(TILE, TILE, ~NONE))


def test_too_small_a_picture_is_refused() -> None:
    small = TILE[: LEAST_SIDE_PX - 1, :LEAST_SIDE_PX]
    with pytest.raises(ValueError, match="28 px"):
        identity(small, small, NONE[: LEAST_SIDE_PX - 1, :LEAST_SIDE_PX])
    least = TILE[:LEAST_SIDE_PX, :LEAST_SIDE_PX]
    assert identity(least, least, NONE[:LEAST_SIDE_PX, :LEAST_SIDE_PX]) == pytest.approx(1)


def test_a_tile_is_counted_by_what_is_known_of_it() -> None:
    truth, said = square(16), square(16, top=16)
    twin = painted(TILE, truth, 100)
    sick = painted(TILE, truth, 202)
    made = painted(TILE, truth, 151)
    told = measured(sick, made, truth, said, (truth, square(4)), twin)
    assert (told.n_true, told.n_before, told.n_after) == (256, 256, 16)
    assert (told.n_said, told.n_right) == (256, 64)
    assert told.identity == pytest.approx(1)
    assert told.twin_before == pytest.approx(256 * 102 / 255)
    assert told.twin_after == pytest.approx(256 * 51 / 255)
    score = scores([told])
    assert score["twin_share"] == pytest.approx(0.5)
    assert score["twin_l1"] == pytest.approx(0.2)
    assert score["dice"] == pytest.approx(0.25)
    assert score["healthiness"] == pytest.approx(1 - 16 / 256)


def test_without_a_twin_nothing_is_said_of_it() -> None:
    told = scores([measured(TILE, TILE, square(8), NONE, (NONE, NONE))])
    assert np.isnan(told["twin_l1"])
    assert np.isnan(told["healthiness"])  # nothing was found before
    assert told["healthiness_of_truth"] == 1
    assert told["dice"] == 0


def test_healthiness_is_of_all_pixels_of_all_tiles() -> None:
    told = scores(said_of([10, 90], [10, 0], [1.0, 0.5]))
    assert told["healthiness"] == pytest.approx(0.9)
    assert told["healthiness_of_truth"] == pytest.approx(0.95)
    assert told["identity"] == pytest.approx(0.75)
    worse = scores(said_of([10, 10], [20, 20], [1.0, np.nan]))
    assert worse["healthiness"] == pytest.approx(-1)
    assert worse["identity"] == 1


def test_intervals_hold_the_score_and_draw_whole_groups() -> None:
    random = np.random.default_rng(2)
    after = random.integers(0, 40, 40)
    measures = said_of([100] * 40, after.tolist(), random.random(40).tolist())
    alone = scores_with_intervals(measures)
    told = scores(measures)
    assert "twin_l1" not in alone
    for name in ("healthiness", "identity"):
        assert alone[name].value == pytest.approx(told[name])
        assert alone[name].low < told[name] < alone[name].high
        assert alone[name].n_units == 40
    groups: npt.NDArray[np.int64] = np.argsort(np.argsort(after)) // 10  # the alike together
    wide = scores_with_intervals(measures, groups)["healthiness"]
    assert wide.n_units == 4
    assert wide.high - wide.low > 1.5 * (alone["healthiness"].high - alone["healthiness"].low)


def test_correlation_tells_an_inverted_world() -> None:
    picture = TILE / 255
    assert correlation(picture, picture) == pytest.approx(1)
    assert correlation(picture, 0.3 * picture + 0.2) == pytest.approx(1)
    assert correlation(picture, 1 - picture) == pytest.approx(-1)


def test_colours_that_all_pixels_share_do_not_correlate() -> None:
    color = np.array([0.8, 0.4, 0.6])
    first, second = (color + RANDOM.normal(0, 0.05, (64, 64, 3)) for _number in range(2))
    assert abs(correlation(first, second)) < 0.1


def test_an_even_picture_correlates_with_nothing() -> None:
    even = np.full((2, 32, 32, 3), 0.9)
    assert np.isnan(correlation(even, np.stack([TILE[:32, :32]] * 2) / 255))
