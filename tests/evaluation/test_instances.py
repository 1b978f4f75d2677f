"""The metrics against values worked out by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pathoview.evaluation import instances

Labels = npt.NDArray[np.int32]


def image(*rectangles: tuple[int, int, int, int, int], size: int = 10) -> Labels:
    """Return labels with (id, x, y, width, height) painted in order."""
    labels = np.zeros((size, size), np.int32)
    for number, x, y, width, height in rectangles:
        labels[y : y + height, x : x + width] = number
    return labels


# Two known nuclei of 16 px. The first prediction covers 12 of the first; the second covers half of
# both; the third lies alone.
TRUTH = image((1, 0, 0, 4, 4), (2, 4, 0, 4, 4))
PREDICTED = image((5, 0, 0, 2, 4), (9, 2, 0, 4, 4), (7, 8, 8, 2, 2))


def test_overlaps_lists_every_pair_that_shares_pixels() -> None:
    table = instances.overlaps(TRUTH, PREDICTED)
    assert table.truth_areas.tolist() == [16, 16]
    assert table.predicted_areas.tolist() == [8, 4, 16]  # ids 5, 7, 9
    pairs = zip(table.truth, table.predicted, table.common, strict=True)
    assert sorted((int(t), int(p), int(c)) for t, p, c in pairs) == [
        (0, 0, 8),
        (0, 2, 8),
        (1, 2, 8),
    ]


def test_aji_lets_a_prediction_serve_two_nuclei_only_by_its_best_iou() -> None:
    # Nucleus 1: IoU 8/16 with id 5, 8/24 with id 9 → id 5. Nucleus 2: id 9, 8/24. Id 7 is alone.
    table = instances.overlaps(TRUTH, PREDICTED)
    assert instances.aji(table) == pytest.approx((8 + 8) / (16 + 24 + 4))


def test_aji_reuses_a_prediction_and_aji_plus_does_not() -> None:
    predicted = image((1, 0, 0, 8, 4))  # one object over both nuclei
    table = instances.overlaps(TRUTH, predicted)
    assert instances.aji(table) == pytest.approx((16 + 16) / (32 + 32))
    assert instances.aji_plus(table) == pytest.approx(16 / (32 + 16))


def test_aji_plus_takes_the_matching_of_the_largest_total_iou() -> None:
    # Greedy would pair nucleus 1 with the better of its two and leave nucleus 2 alone.
    truth = image((1, 0, 0, 6, 1), (2, 6, 0, 2, 1))
    predicted = image((1, 0, 0, 2, 1), (2, 2, 0, 6, 1))
    table = instances.overlaps(truth, predicted)
    # 1–1: 2/6, 2–2: 2/6, 1–2: 4/8. 1–2 alone gives 0.5; 1–1 and 2–2 give 0.667.
    assert instances.aji_plus(table) == pytest.approx((2 + 2) / (6 + 6))


def test_panoptic_quality_counts_pairs_above_one_half_only() -> None:
    table = instances.overlaps(TRUTH, PREDICTED)
    assert instances.panoptic_quality(table) == 0.0  # the best IoU is exactly 0.5
    better = instances.overlaps(TRUTH, image((1, 0, 0, 3, 4), (2, 4, 0, 4, 4), (3, 8, 8, 2, 2)))
    assert instances.panoptic_quality(better) == pytest.approx((12 / 16 + 1) / (2 + 0.5))


def test_dice_object_weighs_by_area_from_both_sides() -> None:
    # By overlap nucleus 1 has ties (8, 8): the first, id 5 → Dice 16/24; nucleus 2: id 9 → 16/32.
    # id 5 → nucleus 1: 16/24 (weight 8/28); id 9 → nucleus 1: 16/32 (16/28); id 7 → 0 (4/28).
    table = instances.overlaps(TRUTH, PREDICTED)
    from_truth = 0.5 * 16 / 24 + 0.5 * 16 / 32
    from_predicted = 8 / 28 * 16 / 24 + 16 / 28 * 16 / 32
    assert instances.dice_object(table) == pytest.approx((from_truth + from_predicted) / 2)


def test_pixel_scores_ignore_instances() -> None:
    scores = instances.pixel_scores(TRUTH, PREDICTED)
    assert scores.iou == pytest.approx(24 / 36)
    assert scores.f1 == pytest.approx(48 / 60)
    assert scores.accuracy == pytest.approx(1 - 12 / 100)


METRICS = [
    instances.aji,
    instances.aji_plus,
    instances.panoptic_quality,
    instances.dice_object,
]


@pytest.mark.parametrize("metric", METRICS)
def test_the_same_nuclei_under_other_ids_score_one(metric) -> None:  # type: ignore[no-untyped-def]
    other = np.choose(TRUTH, [0, 60_000, 3]).astype(np.uint16)
    assert metric(instances.overlaps(TRUTH, other)) == 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_two_empty_images_score_one_and_one_empty_image_zero(metric) -> None:  # type: ignore[no-untyped-def]
    nothing = image()
    assert metric(instances.overlaps(nothing, nothing)) == 1.0
    assert metric(instances.overlaps(TRUTH, nothing)) == 0.0
    assert metric(instances.overlaps(nothing, TRUTH)) == 0.0


def test_pixel_scores_of_empty_images() -> None:
    nothing = image()
    assert instances.pixel_scores(nothing, nothing) == instances.PixelScores(1.0, 1.0, 1.0)
    assert instances.pixel_scores(TRUTH, nothing).f1 == 0.0


def test_huge_ids_need_no_huge_table() -> None:
    truth = TRUTH.astype(np.int64) * 10**12
    assert instances.aji(instances.overlaps(truth, TRUTH)) == 1.0


@given(
    arrays(np.int32, (6, 7), elements=st.integers(0, 4)),
    arrays(np.int32, (6, 7), elements=st.integers(0, 4)),
)
def test_metrics_lie_between_zero_and_one(truth: Labels, predicted: Labels) -> None:
    table = instances.overlaps(truth, predicted)
    for metric in METRICS:
        assert 0.0 <= metric(table) <= 1.0
    assert int(table.common.sum()) == np.count_nonzero((truth > 0) & (predicted > 0))


def test_centroids_are_measured_from_the_corner() -> None:
    assert instances.centroids(image((4, 0, 0, 2, 2), (2, 3, 5, 1, 3))).tolist() == [
        [3.5, 6.5],
        [1.0, 1.0],
    ]


def test_detection_matches_the_nearest_pair_first_and_each_point_once() -> None:
    truth = np.array([[0.0, 0.0], [4.0, 0.0]])
    predicted = np.array([[3.0, 0.0], [5.5, 0.0]])
    # 4 takes 3, its nearest; 0 and 5.5 stay alone, though 0–3 and 4–5.5 would have matched both.
    assert instances.detection_f1(truth, predicted, 3.0) == pytest.approx(2 * 1 / 4)


def test_detection_counts_the_very_distance_and_nothing_beyond() -> None:
    origin = np.array([[0.0, 0.0]])
    assert instances.detection_f1(origin, np.array([[3.0, 4.0]]), 5.0) == 1.0
    assert instances.detection_f1(origin, np.array([[3.0, 4.01]]), 5.0) == 0.0


def test_detection_of_nothing() -> None:
    nothing = np.empty((0, 2))
    assert instances.detection_f1(nothing, nothing, 3.0) == 1.0
    assert instances.detection_f1(np.array([[1.0, 1.0]]), nothing, 3.0) == 0.0
