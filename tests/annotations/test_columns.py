from __future__ import annotations

import uuid

import numpy as np
import pytest

from pathoview.annotations.columns import IdColumn, NumberColumn, TextColumn, joined

ALL = np.arange(4)


def test_numbers_are_sorted_both_ways_and_unknown_ones_come_last() -> None:
    column = NumberColumn(np.array([2.0, np.nan, -1.0, 2.0]))
    assert column.sorted(ALL).tolist() == [2, 0, 3, 1]
    assert column.sorted(ALL, is_descending=True).tolist() == [0, 3, 2, 1]


def test_numbers_are_told_as_short_as_they_can_be() -> None:
    column = NumberColumn(np.array([0.1, 12.0, np.nan, -3.25], np.float32))
    assert column.texts(ALL) == ["0.1", "12", "", "-3.25"]
    assert column.text(0) == "0.1"
    assert NumberColumn(np.array([5000.000000000001, 1234567.0])).texts(ALL[:2]) == [
        *("5000", "1234567"),
    ]


def test_a_range_holds_its_ends_and_nothing_that_is_unknown() -> None:
    column = NumberColumn(np.array([1.0, 2.0, 3.0, np.nan]))
    assert column.within(1, 2).tolist() == [True, True, False, False]
    assert column.within(-np.inf, np.inf).tolist() == [True, True, True, False]


def test_words_are_sorted_with_their_numbers_and_empty_ones_come_last() -> None:
    column = TextColumn.of(["Place 10", "", "place 9", "Area"])
    assert column.sorted(ALL).tolist() == [3, 2, 0, 1]
    assert column.sorted(ALL, is_descending=True).tolist() == [0, 2, 3, 1]


def test_words_are_found_whole_and_in_part() -> None:
    column = TextColumn.of(["Tumor", "Stroma", "tumor bed", "Tumor"])
    assert column.equal_to("Tumor").tolist() == [True, False, False, True]
    assert column.containing("TUM").tolist() == [True, False, True, True]
    assert column.words() == ("Stroma", "Tumor", "tumor bed")


def test_words_that_no_row_has_do_not_count() -> None:
    assert TextColumn(np.array([1, 1], np.int32), ("Tumor", "Stroma")).words() == ("Stroma",)


def test_ids_are_told_as_uuids_and_have_an_order() -> None:
    ids = [uuid.UUID(int=value) for value in (7, 1 << 100, 5)]
    column = IdColumn(np.frombuffer(b"".join(one.bytes for one in ids), np.uint8).reshape(-1, 16))
    rows = np.arange(3)
    assert column.texts(rows) == [str(one) for one in ids]
    assert column.text(1) == str(ids[1])
    assert column.sorted(rows).tolist() == [2, 0, 1]
    assert column.sorted(rows, is_descending=True).tolist() == [1, 0, 2]


def test_no_id_is_told_as_nothing() -> None:
    column = IdColumn(np.zeros((1, 16), np.uint8))
    assert column.text(0) == ""
    assert column.texts(np.array([0])) == [""]


def test_columns_are_joined_and_words_are_kept_once() -> None:
    column = joined([TextColumn.of(["a", "b"]), TextColumn.of(["c", "a"])])
    assert isinstance(column, TextColumn)
    assert column.texts(ALL) == ["a", "b", "c", "a"]
    assert column.labels == ("a", "b", "c")
    numbers = joined([NumberColumn(np.ones(1, np.float32)), NumberColumn(np.zeros(1))])
    assert numbers.texts(np.arange(2)) == ["1", "0"]


@pytest.mark.parametrize("is_descending", [False, True])
def test_some_rows_are_sorted_among_themselves(is_descending: bool) -> None:
    column = TextColumn.of(["d", "c", "b", "a"])
    rows = column.sorted(np.array([0, 2]), is_descending=is_descending)
    assert rows.tolist() == ([0, 2] if is_descending else [2, 0])
