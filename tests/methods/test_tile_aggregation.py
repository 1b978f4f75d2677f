"""From tiles to a slide: which tiles count, how that is chosen, and how certain it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pathoview.evaluation.calibration import platt
from pathoview.methods.tile_aggregation import (
    RULES,
    Aggregation,
    Rule,
    chosen,
    slide_told,
    tile_weights,
)

Fractions = npt.NDArray[np.float64]


def told(second: npt.ArrayLike) -> Fractions:
    values = np.asarray(second, np.float64)
    return np.stack([1 - values, values], axis=1)


RANDOM = np.random.default_rng(3).random(237)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("max", RANDOM.max()),
        ("top5", np.sort(RANDOM)[-5:].mean()),
        ("p99", np.percentile(RANDOM, 99)),
        ("mean", RANDOM.mean()),
    ],
)
def test_a_rule_gives_what_its_name_says(rule: Rule, expected: float) -> None:
    assert slide_told(rule, told(RANDOM))[1] == pytest.approx(expected)


@pytest.mark.parametrize("rule", RULES)
def test_what_tiles_count_adds_up_and_few_tiles_are_enough(rule: Rule) -> None:
    for n in (1, 2, 4, 237):
        weights = tile_weights(rule, told(RANDOM[:n]))
        assert weights.shape == (n,)
        assert weights.sum() == pytest.approx(1)
        assert weights.min() >= 0


def test_tiles_alike_share_what_they_count() -> None:
    np.testing.assert_allclose(tile_weights("max", told([0.9, 0.2, 0.9])), [0.5, 0, 0.5])
    np.testing.assert_allclose(
        tile_weights("top5", told([0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 0.1])),
        [0.2, 0.2, 0.2, 0.2, 0.1, 0.1, 0],
    )


def slides(n: int, score: Fractions, n_tiles: int = 40) -> list[Fractions]:
    """Return slides of tiles at 0.3, of which the first has the score."""
    found = []
    for one in score[:n]:
        second = np.full(n_tiles, 0.3)
        second[0] = one
        found.append(told(second))
    return found


def test_another_rule_counts_only_where_it_is_clearly_better() -> None:
    truth = np.arange(20) % 2
    alike = slides(20, np.where(truth, 0.9, 0.35))
    assert chosen(alike, truth).rule == "top5"
    random = np.random.default_rng(0)
    # All tiles of positive slides are a little darker, and any may have artefacts.
    spread = [told(np.clip(0.3 + 0.05 * one + random.normal(0, 0.02, 40), 0, 1)) for one in truth]
    for one in spread:
        one[:] = told(np.where(random.random(40) < 0.1, random.random(40), one[:, 1]))
    found = chosen(spread, truth)
    assert found.rule == "mean"
    assert found.measured is not None
    assert found.measured["mean"]["auroc"] > found.measured["top5"]["auroc"] + 0.02
    assert set(found.measured) == set(RULES)


def test_of_few_slides_nothing_is_chosen_or_calibrated() -> None:
    truth = np.arange(8) % 2
    random = np.random.default_rng(0)
    some = [told(random.random(40)) for _one in truth]
    found = chosen(some, truth)
    assert (found.rule, found.slope, found.offset) == ("top5", 1.0, 0.0)
    only = chosen(some, np.zeros(8, np.int64))
    assert only.rule == "top5"
    assert only.measured is not None
    assert "auroc" not in only.measured["top5"]


def test_scores_that_rise_with_the_size_of_a_slide_are_told_of() -> None:
    random = np.random.default_rng(1)
    sizes = np.repeat([5, 50, 500], 10)
    some = [told(random.random(n)) for n in sizes]
    measured = chosen(some, np.arange(30) % 2).measured
    assert measured is not None
    assert measured["max"]["size"] > 0.8
    assert abs(measured["mean"]["size"]) < 0.4


def test_what_is_said_is_calibrated_and_the_order_stays() -> None:
    truth = np.arange(40) % 2
    random = np.random.default_rng(2)
    odds = np.where(truth, 0.5, -2.5) + random.normal(0, 1.5, 40)
    some = [told(np.full(6, 1 / (1 + np.exp(-one)))) for one in odds]
    found = chosen(some, truth)
    plain = np.stack([slide_told(found.rule, one) for one in some])
    certain = found.certain(plain)
    loss = [-np.log(one[np.arange(40), truth]).mean() for one in (plain, certain)]
    assert loss[1] < loss[0]
    assert (np.argsort(certain[:, 1]) == np.argsort(plain[:, 1])).all()
    softer = found.certain(plain, temperature=2.0)
    np.testing.assert_allclose(
        np.log(softer[:, 1] / softer[:, 0]), np.log(certain[:, 1] / certain[:, 0]) / 2
    )
    assert Aggregation.from_json(found.to_json()) == found


def test_three_classes_are_neither_moved_nor_mixed() -> None:
    some = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.2, 0.6, 0.2]])
    np.testing.assert_allclose(slide_told("max", some), some[1])
    np.testing.assert_allclose(Aggregation(slope=3.0, offset=1.0).certain(some), some)


def test_platts_line_is_never_certain_of_few_and_never_turns_the_order() -> None:
    odds = np.array([-3.0, -2, -1, 1, 2, 3])
    slope, offset = platt(odds, odds > 0)
    assert 0 < slope < 10
    assert 1 / (1 + np.exp(-(slope * 3 + offset))) < 0.95
    assert platt(-odds, odds > 0) == (1.0, 0.0)
