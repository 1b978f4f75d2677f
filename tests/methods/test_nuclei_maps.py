"""Nuclei become maps, and maps nuclei again."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from makers import he_scene

from pathoview.evaluation import instances
from pathoview.methods.nuclei_maps import Parting, depth_of, nuclei_of, targets_of

KNOWN = he_scene(300, 240, seed=5).labels


def pair(distance: int) -> npt.NDArray[np.int32]:
    """Two discs of radius 8 that share a border."""
    labels = np.zeros((40, 60), np.int32)
    cv2.circle(labels, (20, 20), 8, 1, -1)
    cv2.circle(labels, (20 + distance, 20), 8, 2, -1)
    return labels


def test_the_maps_of_nuclei_give_them_back() -> None:
    found = nuclei_of(targets_of(KNOWN), Parting())
    assert instances.aji(instances.overlaps(KNOWN, found.labels)) > 0.99


def test_touching_nuclei_are_parted_where_they_touch() -> None:
    labels = pair(15)
    found = nuclei_of(targets_of(labels), Parting()).labels
    assert instances.aji(instances.overlaps(labels, found)) > 0.95
    one_piece = cv2.connectedComponents((labels > 0).astype(np.uint8))[0] - 1
    assert (one_piece, found.max()) == (1, 2)


def test_depth_is_full_in_the_middle_of_small_and_large_nuclei() -> None:
    labels = np.zeros((60, 60), np.int32)
    cv2.circle(labels, (12, 12), 4, 1, -1)
    cv2.circle(labels, (40, 40), 15, 7, -1)
    _foreground, depth = targets_of(labels)
    assert depth[12, 12] == depth[40, 40] == 1
    assert depth[labels == 0].max() == 0
    assert 0 < depth[40, 26] < 0.2


def test_the_edge_of_the_picture_is_no_border() -> None:
    labels = np.ones((30, 30), np.int32)
    labels[:, 15:] = 0
    assert depth_of(labels)[0, 3] == depth_of(labels)[15, 3] > 10


def test_confidence_is_the_mean_probability() -> None:
    maps = targets_of(pair(30))
    maps[0] *= np.where(np.arange(60) < 35, 0.8, 0.6)
    found = nuclei_of(maps, Parting())
    assert found.confidence is not None
    assert found.confidence[0] == 0
    assert np.allclose(sorted(found.confidence[1:]), [0.6, 0.8], atol=0.01)


@pytest.mark.parametrize("deepest", [0.45, 0.3, 0.05])
def test_nuclei_without_a_core_are_parted_still(deepest: float) -> None:
    labels = pair(15)
    maps = targets_of(labels)
    maps[1][labels == 2] *= deepest
    found = nuclei_of(maps, Parting()).labels
    assert found.max() == (1 if deepest < 0.1 else 2)  # hardly deep at all is no nucleus' middle


def test_the_parameters_decide() -> None:
    maps = targets_of(KNOWN)
    n = nuclei_of(maps, Parting()).labels.max()
    areas = np.bincount(KNOWN.ravel())[1:]
    middle = float(np.median(areas))
    assert 0 < nuclei_of(maps, Parting(min_area_px=middle)).labels.max() < n
    assert 0 < nuclei_of(maps, Parting(max_area_px=middle)).labels.max() < n
    maps[0] *= 0.45
    assert nuclei_of(maps, Parting()).labels.max() == 0
    assert nuclei_of(maps, Parting(threshold=0.4)).labels.max() == n


def test_nothing_gives_nothing() -> None:
    found = nuclei_of(np.zeros((2, 5, 7), np.float32), Parting())
    assert found.labels.shape == (5, 7)
    assert not found.labels.any()
    assert found.confidence is not None
    assert found.confidence.tolist() == [0]
