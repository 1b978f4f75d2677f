from __future__ import annotations

import cv2
import numpy as np

from pathoview.datasets.labels import BACKGROUND, UNKNOWN
from pathoview.methods.weak.point_nuclei_centers import CENTER, center_map, parted_at_centers
from pathoview.methods.weak.point_nuclei_labels import cellmap

MPP = 0.25
SIDE = 64
POINTS = np.array([[20.0, 30.0]])


def near(x: int, y: int) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.hypot(columns - x, rows - y) * MPP


def test_only_what_is_close_to_a_point_is_known_where_others_have_none() -> None:
    cells = cellmap(POINTS, SIDE, SIDE, MPP)
    unknown = np.full((SIDE, SIDE), UNKNOWN, np.uint8)
    none, every = np.zeros((SIDE, SIDE), np.bool_), np.ones((SIDE, SIDE), np.bool_)
    values = center_map(cells, unknown, none, every)
    assert values[30, 20] == CENTER
    assert values[30, 24] < CENTER  # 1 µm beside it
    assert (values[near(20, 30) > 3.1] == UNKNOWN).all()
    assert (values[near(20, 30) < 2.9] != UNKNOWN).all()


def test_where_all_have_a_point_or_colour_says_so_there_is_no_other_center() -> None:
    cells = cellmap(POINTS, SIDE, SIDE, MPP)
    clusters = np.full((SIDE, SIDE), UNKNOWN, np.uint8)
    clusters[:, 50:] = BACKGROUND
    none, every = np.zeros((SIDE, SIDE), np.bool_), np.ones((SIDE, SIDE), np.bool_)
    assert (center_map(cells, clusters, none, every)[:, 50:] == 0).all()
    assert (center_map(cells, clusters, every, every)[near(20, 30) > 5] == 0).all()
    assert (center_map(cells, clusters, none, none)[:, :50] == UNKNOWN).all()


def blob(*middles: tuple[int, int], radius: int = 8) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for middle in middles:
        cv2.circle(mask, middle, radius, 1, cv2.FILLED)
    return mask


def peaks(*middles: tuple[int, int]) -> np.ndarray:
    nearness = np.zeros((SIDE, SIDE), np.float64)
    for x, y in middles:
        nearness = np.maximum(nearness, np.exp(-(near(x, y) ** 2) / (2 * 1.2**2)))
    return np.rint(nearness * 255).astype(np.uint8)


def test_touching_nuclei_are_parted_between_their_centers() -> None:
    two = (24, 32), (38, 32)
    labels = parted_at_centers(blob(*two), peaks(*two), MPP, 10)
    assert labels.max() == 2
    assert labels[32, 24] != labels[32, 38]
    borders = np.flatnonzero(np.diff(labels[32, 24:39]))
    assert abs(24 + borders[0] - 31) <= 1


def test_what_has_no_center_is_no_nucleus() -> None:
    labels = parted_at_centers(blob((16, 16), (48, 48)), peaks((16, 16)), MPP, 10)
    assert labels.max() == 1
    assert labels[48, 48] == 0


def test_a_center_on_background_makes_nothing() -> None:
    assert not parted_at_centers(blob((16, 16)), peaks((48, 48)), MPP, 10).any()
