"""Objects that two neighbouring tiles both claim are kept once, always the same one."""

from __future__ import annotations

import numpy as np
import pytest

from pathoview.annotations.detections import Detections, concatenate, empty_detections
from pathoview.core.geometry import Rect
from pathoview.tasks.seams import find_duplicates

CORES = {(c, r): Rect(c * 100, r * 100, 100, 100) for c in range(3) for r in range(3)}


def square(x: float, y: float, side: float = 10, number: int = 0) -> Detections:
    """A square around a point whose id is its number."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2 + [x, y]
    ids = np.zeros((1, 16), np.uint8)
    ids[0, 0] = number
    points = np.rint(corners * 100).astype(np.int32)
    return Detections(points, np.array([0, 4]), ids, np.array([-1], np.int16), (), {})


def dropped(tiles: dict[tuple[int, int], list[Detections]]) -> tuple[list[int], int]:
    tables = {place: concatenate(objects) for place, objects in tiles.items()}
    seams = find_duplicates(
        CORES,
        lambda col, row: tables.get((col, row), empty_detections()),
        sight_l0=20,
        check=lambda: None,
    )
    return sorted(int(one[0]) for one in seams.ids), seams.n_kept


@pytest.mark.parametrize(
    ("second", "place"),
    [((1, 0), (100.5, 50)), ((0, 1), (50, 100.5)), ((1, 1), (100.5, 100.5))],
)
def test_the_tile_that_comes_first_keeps_the_object(
    second: tuple[int, int], place: tuple[float, float]
) -> None:
    x, y = place
    tiles = {
        (0, 0): [square(x - 1, y - 1, number=1)],
        second: [square(x, y, number=2)],
    }
    assert dropped(tiles) == ([2], 1)


def test_the_neighbour_below_left_is_looked_at_too() -> None:
    tiles = {(1, 0): [square(100.5, 99.5, number=1)], (0, 1): [square(99.5, 100.5, number=2)]}
    assert dropped(tiles) == ([2], 1)


def test_an_object_that_lies_wholly_in_its_core_is_found_too() -> None:
    tiles = {(0, 0): [square(99.9, 50, number=1)], (1, 0): [square(105.1, 50, number=2)]}
    assert dropped(tiles) == ([2], 1)


def test_touching_neighbours_are_two_objects() -> None:
    tiles = {(0, 0): [square(95.5, 50, number=1)], (1, 0): [square(104.5, 50, number=2)]}
    assert dropped(tiles) == ([], 2)


def test_objects_of_one_tile_are_never_compared() -> None:
    tiles = {(0, 0): [square(99, 50, number=1), square(99, 50.5, number=2)]}
    assert dropped(tiles) == ([], 2)


def test_what_was_dropped_drops_nothing_itself() -> None:
    tiles = {
        (0, 0): [square(99.9, 97, number=1)],
        (1, 0): [square(103, 99, number=2)],  # the same as 1, and as 3
        (1, 1): [square(106, 100.5, number=3)],  # not the same as 1
    }
    assert dropped(tiles) == ([2], 2)


def test_tiles_far_apart_and_missing_rows_are_fine() -> None:
    cores = {(0, 0): CORES[0, 0], (2, 2): CORES[2, 2]}
    seams = find_duplicates(cores, lambda col, row: square(50, 50), sight_l0=20, check=lambda: None)
    assert seams.ids.shape == (0, 16)
    assert seams.n_kept == 2


def test_three_claims_leave_one() -> None:
    tiles = {
        (0, 0): [square(99.5, 99.5, number=1)],
        (1, 0): [square(100.2, 99.6, number=2)],
        (0, 1): [square(99.6, 100.2, number=3)],
        (1, 1): [square(100.3, 100.3, number=4)],
    }
    assert dropped(tiles) == ([2, 3, 4], 1)
