from __future__ import annotations

from collections import Counter

import pytest

from pathoview.core.errors import UsageError
from pathoview.tasks.tile_splits import parse_split, split_groups

SHARES = {"train": 0.8, "val": 0.2}


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
