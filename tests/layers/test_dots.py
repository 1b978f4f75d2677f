"""Every kind of object keeps its share of the picture, however far one looks from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from painted import straight

from pathoview.core.geometry import Rect
from pathoview.layers.density import UNCOUNTED, Density
from pathoview.layers.dots import N_DOTS, dot_image, shared_dots

SIDE = 16
"""Bins a side."""


def crowd(shares: list[float], n_a_bin: int, seed: int) -> np.ndarray:
    """Return counts, (kinds, down, across), of objects drawn at random with the given shares."""
    chances = np.array(shares) / sum(shares)
    drawn = np.random.default_rng(seed).multinomial(n_a_bin, chances, (SIDE, SIDE))
    return np.moveaxis(drawn, -1, 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.1, 1), min_size=1, max_size=6),
    st.integers(30, 3000),
    st.integers(0, 1000),
)
def test_shares_of_dots_are_the_shares_of_objects(
    shares: list[float], n_a_bin: int, seed: int
) -> None:
    stack = crowd(shares, n_a_bin, seed)
    dots = shared_dots(stack)
    assert (dots.sum(axis=0) == N_DOTS).all()
    of_dots = dots.sum(axis=(1, 2)) / dots.sum()
    of_objects = stack.sum(axis=(1, 2)) / stack.sum()
    # a kind that has less than a dot's share of a bin has a whole one, and another kind less
    missing = np.maximum(1 / N_DOTS - stack / stack.sum(axis=0), 0) * (stack > 0)
    assert of_dots == pytest.approx(of_objects, abs=0.01 + missing.mean(axis=(1, 2)).sum())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=16).filter(any), st.integers(1, 100_000))
def test_each_of_up_to_16_kinds_in_a_bin_has_a_dot(counts: list[int], n_main: int) -> None:
    stack = np.array([n_main * counts[0] + 1, *counts[1:]])[:, None, None]
    dots = shared_dots(stack)[:, 0, 0]
    assert dots.sum() == N_DOTS
    assert ((dots > 0) == (stack[:, 0, 0] > 0)).all()


@pytest.mark.parametrize("n_kinds", [17, 20, 24, 32])
def test_where_more_kinds_meet_than_dots_neighbours_show_the_others(n_kinds: int) -> None:
    stack = np.ones((n_kinds, SIDE, SIDE), np.int64)
    stack[0] = 1000
    dots = shared_dots(stack)
    assert (dots.sum(axis=0) == N_DOTS).all()
    assert ((dots > 0).sum(axis=0) == N_DOTS).all()
    for down in range(0, SIDE, 4):
        for across in range(0, SIDE, 4):
            assert dots[:, down : down + 4, across : across + 4].any(axis=(1, 2)).all()


def test_the_picture_has_as_many_dots_of_a_colour_as_were_given_away() -> None:
    stack = crowd([0.6, 0.3, 0.1], 200, 0)
    palette = {3: (200, 0, 0), 5: (0, 200, 0), -1: (0, 0, 200)}
    counts = dict(zip((-1, 3, 5), stack, strict=True))
    tile = straight(dot_image(counts, palette, 100.0, (SIDE * 4, SIDE * 4)))
    n_dots = shared_dots(stack).sum(axis=(1, 2)).tolist()
    for kind, n in zip((-1, 3, 5), n_dots, strict=True):
        assert int((tile[..., :3] == palette[kind]).all(axis=-1).sum()) == n


def test_an_empty_bin_stays_empty() -> None:
    counts = np.zeros((4, 4), np.int64)
    counts[1, 2] = 7
    tile = dot_image({0: counts}, {0: (9, 9, 9)}, 1.0, (16, 16))
    assert tile[4:8, 8:12, 3].min() > 0
    tile[4:8, 8:12] = 0
    assert not tile.any()


@pytest.mark.parametrize("bin_l0", [16, 32, 64, 256])
def test_coarse_bins_hold_what_the_fine_ones_hold_also_while_objects_come(bin_l0: int) -> None:
    width, height = 20_000, 9_000
    whole_l0 = Rect(0, 0, width, height)
    density = Density(width, height)
    rng = np.random.default_rng(1)
    places = np.empty((0, 2))
    for left in range(0, width, 5000):
        new = rng.uniform((left, 0), (left + 5000, height), (500, 2))
        boxes_l0 = np.concatenate([new - 3, new + 3], axis=1)
        density.add(density.places(boxes_l0), np.where(np.arange(500) < 100, UNCOUNTED, 7))
        places = np.concatenate([places, new[100:]])
        found = density.counts(whole_l0, bin_l0)
        expected = np.zeros_like(found[7])
        np.add.at(expected, tuple((places[:, ::-1] // bin_l0).astype(int).T), 1)
        assert (found[7] == expected).all()
        assert list(found) == [7]
