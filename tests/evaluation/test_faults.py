from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathoview.evaluation.faults import faults
from pathoview.evaluation.instances import overlaps
from pathoview.evaluation.pixels import Tally

Boxes = list[tuple[int, int, int, int]]


def image(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    labels = np.zeros((60, 60), np.int32)
    for number, (x, y, width, height) in enumerate(boxes, 1):
        labels[y : y + height, x : x + width] = number
    return labels


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [
        ([(0, 0, 10, 10)], [(0, 0, 10, 9)], [("matched", 10)]),
        ([(0, 0, 10, 10)], [], [("missed", 100)]),
        ([], [(0, 0, 5, 10)], [("spurious", 50)]),
        ([(0, 0, 10, 10), (10, 0, 8, 10)], [(0, 0, 18, 10)], [("merged", 80)]),
        ([(0, 0, 20, 10)], [(0, 0, 11, 10), (12, 0, 8, 10)], [("split", 90)]),
        ([(0, 0, 10, 10)], [(0, 0, 10, 4)], [("outline", 60)]),
        ([(0, 0, 10, 10)], [(30, 30, 5, 5)], [("missed", 100), ("spurious", 25)]),
    ],
)
def test_what_is_wrong_has_a_name_and_a_size(
    truth: Boxes, found: Boxes, expected: list[tuple[str, int]]
) -> None:
    told = faults(overlaps(image(*truth), image(*found)))
    assert [(one.kind, one.pixels) for one in told] == expected


@given(st.integers(0, 10_000))
def test_every_nucleus_is_told_of_once(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sides = [
        image(*(tuple(generator.integers([0, 0, 1, 1], [50, 50, 15, 15])) for _n in range(8)))
        for _side in range(2)
    ]
    table = overlaps(*sides)
    told = faults(table)
    assert sorted(row for one in told for row in one.truth) == list(range(len(table.truth_areas)))
    rows = sorted(row for one in told for row in one.predicted)
    assert rows == list(range(len(table.predicted_areas)))


def test_a_part_of_a_table_is_the_table_of_a_part() -> None:
    truth, found = image((0, 0, 9, 9), (20, 20, 9, 9)), image((1, 1, 9, 9), (21, 20, 9, 9))
    part = overlaps(truth, found).part(np.array([False, True]), np.array([False, True]))
    alone = overlaps(np.where(truth == 2, 2, 0), np.where(found == 2, 2, 0))
    assert part.iou.tolist() == alone.iou.tolist()
    assert part.truth_areas.tolist() == alone.truth_areas.tolist()


def test_tallies_add_up_to_that_of_all_pixels() -> None:
    generator = np.random.default_rng(0)
    odds = generator.dirichlet([1, 1, 1], 300).astype(np.float32)
    probabilities = np.concatenate([odds, np.zeros((300, 1), np.float32)], axis=1)
    truth = generator.integers(0, 3, 300)
    whole, first, second = Tally(3), Tally(3), Tally(3)
    whole.add(probabilities, truth)
    first.add(probabilities[:100], truth[:100])
    second.add(probabilities[100:], truth[100:])
    first.merge(second)
    assert first.n == whole.n == 300
    assert (first.matrix == whole.matrix).all()
    assert first.matrix[:, 3].sum() == 0
    assert first.brier == pytest.approx(whole.brier)
    assert first.curve(1).average_precision == whole.curve(1).average_precision
    whole.missed[1] = 100
    assert whole.curve(1).recall[-1] < 1
