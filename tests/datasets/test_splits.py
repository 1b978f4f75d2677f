from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.core.errors import UsageError
from pathoview.datasets.splits import (
    group_folds,
    linked_groups,
    parse_split,
    site_folds,
    split_groups,
)

SHARES = {"train": 0.8, "val": 0.2}
ITEMS = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(["tumour", "stroma", "fat"])),
    min_size=1,
    max_size=60,
)


def test_shares_are_read_and_must_add_up_to_one() -> None:
    assert parse_split("train=0.8, val=0.2") == SHARES
    assert parse_split("") == {}
    for wrong in ("train", "train=x", "=1", "a=0.5,b=0.4", "a=1.5,b=-0.5"):
        with pytest.raises(UsageError):
            parse_split(wrong)


def test_groups_are_shared_out_the_same_way_for_the_same_seed() -> None:
    groups = [f"patient {number}" for number in range(50)]
    first = split_groups(groups, SHARES, seed=1)
    assert first == split_groups(reversed(groups), SHARES, seed=1)
    assert first != split_groups(groups, SHARES, seed=2)
    assert Counter(first.values()) == {"train": 40, "val": 10}


def test_no_split_is_left_empty_while_there_are_groups_enough() -> None:
    shares = {"train": 0.9, "val": 0.05, "test": 0.05}
    assert set(split_groups("abc", shares, seed=1).values()) == {"train", "val", "test"}
    assert set(split_groups("a", shares, seed=1).values()) == {"train"}


def test_without_shares_there_is_no_split() -> None:
    assert split_groups("ab", {}, seed=1) == {"a": "", "b": ""}


def test_each_label_is_shared_out_as_the_shares_say() -> None:
    groups = [f"p{number // 4}" for number in range(400)]
    labels = ["rare" if number < 40 else "common" for number in range(400)]
    found = split_groups(groups, SHARES, 1, labels)
    counts = Counter((label, found[group]) for group, label in zip(groups, labels, strict=True))
    assert counts["rare", "val"] == 8
    assert counts["common", "val"] == 72


def test_what_is_tied_through_others_is_one_group() -> None:
    shared = [("p1", "s1"), ("p2", "s2"), ("", ""), ("p3", "s2"), ("", "")]
    assert linked_groups(shared).tolist() == [0, 1, 2, 1, 3]
    assert linked_groups(shared, [(0, 3), (4, 2)]).tolist() == [0, 0, 1, 0, 1]
    assert linked_groups([]).tolist() == []


@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=2), min_size=1, max_size=25),
    st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=6),
    st.integers(0, 9),
)
def test_nothing_that_is_tied_is_in_two_splits(
    shared: list[list[str]], pairs: list[tuple[int, int]], seed: int
) -> None:
    pairs = [(one % len(shared), other % len(shared)) for one, other in pairs]
    groups = [str(group) for group in linked_groups(shared, pairs)]
    found = split_groups(groups, {"train": 0.6, "val": 0.2, "test": 0.2}, seed)
    splits = [found[group] for group in groups]
    assert set(splits) <= {"train", "val", "test"}
    for one, other in pairs:
        assert splits[one] == splits[other]
    for key in "abcdefgh":
        assert len({split for split, keys in zip(splits, shared, strict=True) if key in keys}) <= 1


@given(ITEMS, st.integers(2, 5), st.integers(0, 9))
def test_folds_are_disjoint_by_group_and_hold_everything_once(
    items: list[tuple[str, str]], n_folds: int, seed: int
) -> None:
    groups = [group for group, _label in items]
    labels = [label for _group, label in items]
    if len(set(groups)) < n_folds:
        with pytest.raises(UsageError):
            group_folds(groups, labels, n_folds, seed)
        return
    folds = group_folds(groups, labels, n_folds, seed)
    assert folds.shape == (len(items),)
    assert set(folds.tolist()) == set(range(n_folds))
    for group in groups:
        assert len({fold for fold, own in zip(folds, groups, strict=True) if own == group}) == 1
    np.testing.assert_array_equal(folds, group_folds(groups, labels, n_folds, seed))


def test_folds_spread_the_labels_evenly() -> None:
    groups = [f"p{number // 3}" for number in range(300)]
    labels = ["rare" if number < 60 else "common" for number in range(300)]
    folds = group_folds(groups, labels, 5, 1)
    counts = Counter(zip(folds.tolist(), labels, strict=True))
    assert [counts[fold, "rare"] for fold in range(5)] == [12] * 5
    assert [counts[fold, "common"] for fold in range(5)] == [48] * 5


def test_a_site_is_held_out_with_all_that_is_tied_to_it() -> None:
    groups = ["p1", "p1", "p2", "p3", "p4", "p5"]
    sites = ["A", "", "B", "C", "", "A"]
    folds = site_folds(groups, sites)
    assert folds is not None
    assert folds.tolist() == [0, 0, 1, 2, -1, 0]


def test_sites_of_one_patient_are_one_and_two_are_too_few() -> None:
    assert site_folds(["p1", "p2", "p3"], ["A", "B", "A"]) is None
    assert site_folds(["p1", "p1", "p2"], ["A", "B", "C"]) is None


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "A", "B", "C", "D"]))))
def test_folds_by_site_are_disjoint_by_group_and_site(items: list[tuple[str, str]]) -> None:
    groups, sites = [group for group, _site in items], [site for _group, site in items]
    folds = site_folds(groups, sites)
    if folds is None:
        return
    for names in (groups, sites):
        for name in filter(None, set(names)):
            assert len({fold for fold, own in zip(folds, names, strict=True) if own == name}) == 1
