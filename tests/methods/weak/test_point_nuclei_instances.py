"""Touching nuclei are parted by the embedding of their pixels, one by one or in windows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.methods.weak.point_nuclei_instances import PartingRule, parted, parts_of
from pathoview.methods.weak.point_nuclei_windows import clustered, parted_in_windows

RULE = PartingRule(least_px=20, usual_px=300, window_px=64)

Labels = npt.NDArray[np.int32]


def ellipses(*middles: tuple[int, int], side: int = 120) -> Labels:
    """Return nuclei of 12 × 8 px; the later lies over the earlier."""
    labels = np.zeros((side, side), np.int32)
    for number, middle in enumerate(middles, 1):
        cv2.ellipse(labels, middle, (12, 8), 0, 0, 360, number, -1)
    return labels


class Perfect:
    """Embeds the pixels of each nucleus 4 apart from the others, around windows too."""

    def __init__(self, labels: Labels, side: int) -> None:
        self._labels = np.pad(labels, side)
        self._side = side
        self.asked: list[tuple[int, int]] = []

    def __call__(self, corners: Sequence[tuple[int, int]]) -> list[npt.NDArray[np.float32]]:
        self.asked += corners
        side = self._side
        windows = (
            self._labels[y + side : y + 2 * side, x + side : x + 2 * side] for x, y in corners
        )
        return [np.stack([4 * window, 0 * window]).astype(np.float32) for window in windows]


def same_parts(found: Labels, truth: Labels) -> bool:
    pairs = np.unique(np.stack([found.ravel(), truth.ravel()]), axis=1)
    return len(pairs[0]) == len(np.unique(pairs[0])) == len(np.unique(pairs[1]))


TRUTH = ellipses((30, 60), (52, 60), (92, 30), (92, 70), (92, 84))
MASK = (TRUTH > 0).astype(np.uint8)


def test_only_what_is_too_large_for_one_nucleus_is_looked_at_and_parted() -> None:
    windows = Perfect(TRUTH, RULE.window_px)
    found = parted(MASK, windows, RULE)
    assert same_parts(found, TRUTH)
    assert len(windows.asked) == 2


def test_a_piece_is_parted_alike_wherever_its_patch_begins() -> None:
    whole = parted(MASK, Perfect(TRUTH, RULE.window_px), RULE)
    part = np.ascontiguousarray(MASK[35:, 10:])
    moved = parted(part, Perfect(np.ascontiguousarray(TRUTH[35:, 10:]), RULE.window_px), RULE)
    assert same_parts(moved[10:, :50], whole[45:, 10:60])


def test_windows_part_everything_and_nuclei_at_seams_stay_whole() -> None:
    found = parted_in_windows(MASK, Perfect(TRUTH, RULE.window_px), RULE)
    assert same_parts(found, TRUTH)


def test_an_empty_mask_has_no_nuclei() -> None:
    nothing = np.zeros((50, 50), np.uint8)
    for part in (parted, parted_in_windows):
        assert not part(nothing, Perfect(TRUTH, RULE.window_px), RULE).any()


def test_small_parts_join_what_is_beside_them() -> None:
    piece = np.ones((20, 40), np.bool_)
    embedding = np.zeros((1, 20, 40), np.float32)
    embedding[0, :, 20:] = 5
    embedding[0, :2, 30:32] = -5
    parts = parts_of(piece, embedding, least_px=30)
    assert parts.max() == 2
    assert len(np.unique(parts[:, :20])) == len(np.unique(parts[:, 20:])) == 1
    assert parts_of(piece, embedding, least_px=500).max() == 1


def test_the_most_scattered_cluster_of_a_window_is_dropped() -> None:
    mask = np.ones((60, 60), np.uint8)
    embedding = np.zeros((1, 60, 60), np.float32)
    embedding[0, 10:20, ::12] = 4
    embedding[0, 30:40, ::12] = 4  # ten pieces of one cluster
    embedding[0, 45:, 45:] = 9
    found = clustered(mask, embedding, least_px=5)
    assert found[15, 0] == 0
    assert found[50, 50] > 0
    assert found[0, 0] > 0
