"""Batches of bags: what is drawn, filled up, weighed and asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from teaching import bag, bag_data

from pathoview.datasets.bag_batches import BagSampler, filled_up, spread, tile_statistics
from pathoview.datasets.bags import Bag

BAGS = bag_data(6, n_tiles=10, n_held_back=0).bags


def sampler(bags: Any = BAGS, **how: Any) -> BagSampler:
    how = {"n_in_batch": 2, "n_tiles": 4, "seed": 1, **how}
    return BagSampler(bags, 2, **how)


def numbered(n_tiles: int, number: int = 0) -> Bag:
    """Return a bag whose tiles say their own number."""
    tiles = np.arange(n_tiles)[:, None] + np.zeros((1, 3))
    return bag(tiles, number % 2, name=f"slide-{number}")


def test_a_step_gives_the_same_and_another_step_or_seed_another() -> None:
    first = sampler().batch(3)
    for name, array in sampler().batch(3).items():
        np.testing.assert_array_equal(first[name], array)
    assert not np.array_equal(first["features"], sampler().batch(4)["features"])
    assert not np.array_equal(first["features"], sampler(seed=2).batch(3)["features"])


def test_every_bag_comes_once_before_one_comes_twice() -> None:
    bags = [bag(np.full((2, 3), number), number % 2) for number in range(7)]
    steps = [sampler(bags, n_in_batch=3).batch(step) for step in range(7)]
    seen = np.concatenate([one["features"][:, 0, 0] for one in steps]).astype(int).reshape(3, 7)
    assert all(sorted(turn) == list(range(7)) for turn in seen.tolist())
    assert seen[0].tolist() != seen[1].tolist()


def test_tiles_are_drawn_anew_and_none_comes_twice() -> None:
    one = [numbered(10), numbered(10, 1)]
    drawn = [sampler(one).batch(step)["features"][0, :, 0].tolist() for step in range(20)]
    assert all(len(set(tiles)) == 4 for tiles in drawn)
    assert {tile for tiles in drawn for tile in tiles} == set(range(10))


def test_a_share_of_tiles_is_left_out_but_of_few_tiles_none() -> None:
    large = sampler([numbered(100), numbered(16, 1)], n_tiles=1000, tile_dropout=0.7)
    drawn = [large.batch(step) for step in range(20)]
    for one in drawn:
        assert sorted(one["is_tile"].sum(axis=1).tolist()) == [16, 30]
    tiles = np.concatenate([one["features"][one["is_tile"]][:, 0] for one in drawn])
    assert set(tiles.astype(int).tolist()) == set(range(100))
    assert sampler([numbered(100)] * 2, tile_dropout=0.7).batch(0)["features"].shape[1] == 4


def test_bags_are_filled_up_and_the_mask_says_where() -> None:
    small = [numbered(2), numbered(9, 1)]
    batch = sampler(small, n_in_batch=4, n_tiles=5).batch(0)
    assert batch["features"].shape == (4, 5, 3)
    assert sorted(batch["is_tile"].sum(axis=1).tolist()) == [2, 2, 5, 5]
    assert not batch["features"][~batch["is_tile"]].any()


def test_classes_weigh_the_same_all_in_all() -> None:
    uneven = [replace(one, label=int(number == 0)) for number, one in enumerate(BAGS)]
    steps = [sampler(uneven).batch(step) for step in range(3)]  # one turn
    label, weight = (np.concatenate([one[name] for one in steps]) for name in ("label", "weight"))
    assert weight[label == 0].sum() == pytest.approx(weight[label == 1].sum())
    assert weight.mean() == pytest.approx(1)


def test_features_that_are_left_out_are_those_of_the_mean_tile() -> None:
    mean = np.full(8, 7.0, np.float32)
    batch = sampler(feature_dropout=0.5, mean=mean, n_tiles=10).batch(0)
    is_out = (batch["features"] == 7).all(axis=1)
    assert 0 < is_out.sum() < is_out.size
    assert not np.array_equal(is_out[0], is_out[1])
    plain = sampler(n_tiles=10).batch(0)["features"]
    kept = ~np.repeat(is_out[:, None], 10, axis=1)
    np.testing.assert_array_equal(batch["features"][kept], plain[kept])


def test_answers_come_with_their_tiles_and_only_where_there_are_some() -> None:
    answers = np.full(10, -1, np.int8)
    answers[[2, 7]] = 1, 0
    judged = [replace(numbered(10), answers=answers), numbered(10, 1)]
    batch = sampler(judged).batch(0)
    (row,) = np.flatnonzero(batch["label"] == 0)
    said = dict(
        zip(batch["judged"][row, :, 0].tolist(), batch["answers"][row].tolist(), strict=True)
    )
    assert said == {2.0: 1, 7.0: 0}
    assert (batch["answers"][1 - row] == -1).all()
    assert "judged" not in sampler([numbered(10), numbered(10, 1)]).batch(0)


def test_every_slide_counts_the_same_for_what_tiles_look_like() -> None:
    random = np.random.default_rng(0)
    many, few = random.normal(0, 1, (4000, 2)), random.normal(6, 2, (40, 2))
    many[:, 1] = few[:, 1] = 5.0  # always the same
    look = tile_statistics([bag(many, 0), bag(few, 1)])
    means = [many.mean(axis=0), few.mean(axis=0)]
    np.testing.assert_allclose(look.mean, np.mean(means, axis=0), rtol=1e-5)
    both = [np.square(one[:, 0] - look.mean[0]).mean() for one in (many, few)]
    assert look.scale[0] == pytest.approx(1 / np.sqrt(np.mean(both)), rel=1e-5)
    assert look.scale[1] == 0
    assert look.sample.shape == (104, 2)


def test_tiles_that_are_spread_are_the_ends_and_what_lies_between() -> None:
    assert spread(11, 3).tolist() == [0, 5, 10]
    assert len(spread(11, 99)) == 11
    assert spread(1, 3).tolist() == [0]


def test_bags_without_tiles_are_filled_up_too() -> None:
    filled, is_tile = filled_up([np.zeros((0, 3), np.float32), np.ones((2, 3), np.float32)])
    assert filled.shape == (2, 2, 3)
    assert is_tile.tolist() == [[False, False], [True, True]]
