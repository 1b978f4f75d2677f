"""How well predicted nuclei agree with known ones: the metrics of the field, written out.

Everything is computed from one table of overlaps, so an image with thousands of nuclei takes
milliseconds. Conventions where a formula has none: two empty images agree perfectly (1.0), an
empty one and one that is not do not agree at all (0.0). Ids need not be consecutive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Labels = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]
Fractions = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Which known nucleus shares how many pixels with which predicted one.

    Only pairs that share a pixel are listed, sorted by known, then by predicted nucleus.
    """

    truth_areas: Counts
    predicted_areas: Counts
    truth: Counts
    """(k,) row of the known nucleus of each pair."""
    predicted: Counts
    """(k,) row of the predicted nucleus of each pair."""
    common: Counts
    """(k,) pixels they share."""

    @property
    def union(self) -> Counts:
        return self.truth_areas[self.truth] + self.predicted_areas[self.predicted] - self.common

    @property
    def iou(self) -> Fractions:
        return self.common / self.union

    @property
    def is_empty_twice(self) -> bool:
        return not len(self.truth_areas) and not len(self.predicted_areas)

    def part(self, of_truth: Chosen, of_predicted: Chosen) -> Overlaps:
        """Return the table of some nuclei only, chosen by (n,) booleans each."""
        kept = of_truth[self.truth] & of_predicted[self.predicted]
        return Overlaps(
            self.truth_areas[of_truth],
            self.predicted_areas[of_predicted],
            (np.cumsum(of_truth) - 1)[self.truth[kept]],
            (np.cumsum(of_predicted) - 1)[self.predicted[kept]],
            self.common[kept],
        )


def overlaps(truth: Labels, predicted: Labels) -> Overlaps:
    """Return the table of two label images of equal shape (0 is background)."""
    truth_rows, truth_areas = _relabelled(truth)
    predicted_rows, predicted_areas = _relabelled(predicted)
    both = (truth_rows > 0) & (predicted_rows > 0)
    pixels = np.ones(np.count_nonzero(both), np.int64)
    shape = len(truth_areas) + 1, len(predicted_areas) + 1
    table = coo_array((pixels, (truth_rows[both], predicted_rows[both])), shape=shape).tocsr()
    table.sum_duplicates()
    pairs = table.tocoo()
    rows, columns = pairs.coords
    return Overlaps(
        truth_areas,
        predicted_areas,
        rows.astype(np.int64) - 1,
        columns.astype(np.int64) - 1,
        pairs.data.astype(np.int64),
    )


def _relabelled(labels: Labels) -> tuple[Counts, Counts]:
    """Return the pixels with ids 1 … n without gaps (flat), and the n areas."""
    flat = labels.ravel().astype(np.int64)
    if flat.size and int(flat.max()) > 50_000_000:  # a table of all ids would be too long
        flat = np.unique(flat, return_inverse=True)[1] + (0 if (flat == 0).any() else 1)
    areas = np.bincount(flat, minlength=1)
    areas[0] = 0
    present = np.flatnonzero(areas)
    rank = np.zeros(len(areas), np.int64)
    rank[present] = np.arange(1, len(present) + 1)
    return rank[flat], areas[present].astype(np.int64)


def aji(table: Overlaps) -> float:
    """Return the aggregated Jaccard index: each known nucleus with its best prediction by IoU.

    A prediction may serve several known nuclei, as in the original definition.
    """
    best = _best_by(table.iou, table.truth, len(table.truth_areas))
    return _aggregated_jaccard(table, best[best >= 0])


def aji_plus(table: Overlaps) -> float:
    """Return the aggregated Jaccard index with one-to-one pairs of the largest total IoU."""
    return _aggregated_jaccard(table, _assignment(table))


def _aggregated_jaccard(table: Overlaps, pairs: Counts) -> float:
    if table.is_empty_twice:
        return 1.0
    lonely_truth = np.ones(len(table.truth_areas), np.bool_)
    lonely_truth[table.truth[pairs]] = False
    lonely_predicted = np.ones(len(table.predicted_areas), np.bool_)
    lonely_predicted[table.predicted[pairs]] = False
    union = (
        table.union[pairs].sum()
        + table.truth_areas[lonely_truth].sum()
        + table.predicted_areas[lonely_predicted].sum()
    )
    return float(table.common[pairs].sum() / union)


def panoptic_quality(table: Overlaps) -> float:
    """Return PQ: the IoU of pairs above 0.5, over their number and half of what is unpaired."""
    if table.is_empty_twice:
        return 1.0
    iou = table.iou
    n_both = len(table.truth_areas) + len(table.predicted_areas)
    return float(2 * iou[iou > 0.5].sum() / n_both)  # TP + FP/2 + FN/2 is half of all nuclei


def dice_object(table: Overlaps) -> float:
    """Return the area-weighted mean Dice of each nucleus with the one it overlaps most.

    Half of it looks from the known nuclei, half from the predicted ones.
    """
    if table.is_empty_twice:
        return 1.0
    if not len(table.common):
        return 0.0
    from_truth = _weighted_dice(table, table.truth, table.truth_areas)
    from_predicted = _weighted_dice(table, table.predicted, table.predicted_areas)
    return (from_truth + from_predicted) / 2


def _weighted_dice(table: Overlaps, rows: Counts, areas: Counts) -> float:
    best = _best_by(table.common.astype(np.float64), rows, len(areas))
    pairs = best[best >= 0]
    both = table.truth_areas[table.truth] + table.predicted_areas[table.predicted]
    dice = 2 * table.common[pairs] / both[pairs]
    return float((areas[rows[pairs]] * dice).sum() / areas.sum())


def _best_by(value: Fractions, rows: Counts, n_rows: int) -> Counts:
    """Return for each row the pair of the largest value (the first of equals), or -1."""
    best = np.full(n_rows, -1, np.int64)
    order = np.lexsort((-np.arange(len(value)), value))  # the last write wins
    best[rows[order]] = order
    return best


def _assignment(table: Overlaps) -> Counts:
    """Return the pairs of a one-to-one matching with the largest total IoU.

    Solved apart for each group of nuclei that touch one another: never one huge matrix.
    """
    n_truth, n_predicted = len(table.truth_areas), len(table.predicted_areas)
    n_all = n_truth + n_predicted
    ends = table.truth, table.predicted + n_truth
    graph = coo_array((np.ones(len(table.common)), ends), shape=(n_all, n_all))
    group = connected_components(graph, directed=False)[1][table.truth] if n_all else table.truth
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    chosen = [_assign_group(table, pairs) for pairs in np.split(order, cuts) if len(pairs)]
    return np.concatenate([np.empty(0, np.int64), *chosen])


def _assign_group(table: Overlaps, pairs: Counts) -> Counts:
    if len(pairs) == 1:
        return pairs
    rows, row = np.unique(table.truth[pairs], return_inverse=True)
    columns, column = np.unique(table.predicted[pairs], return_inverse=True)
    iou = np.zeros((len(rows), len(columns)))
    iou[row, column] = table.iou[pairs]
    index = np.full(iou.shape, -1, np.int64)
    index[row, column] = pairs
    found = index[linear_sum_assignment(iou, maximize=True)]
    return found[found >= 0]


@dataclass(frozen=True, slots=True)
class PixelScores:
    """Agreement of foreground and background, whatever the instances."""

    accuracy: float
    iou: float
    f1: float


def pixel_scores(truth: Labels, predicted: Labels) -> PixelScores:
    """Return how well the nuclei's pixels agree, instances aside."""
    known, found = truth > 0, predicted > 0
    common = int(np.count_nonzero(known & found))
    union = int(np.count_nonzero(known | found))
    accuracy = 1 - (union - common) / known.size if known.size else 1.0
    if union == 0:
        return PixelScores(accuracy, 1.0, 1.0)
    return PixelScores(accuracy, common / union, 2 * common / (union + common))


def centroids(labels: Labels) -> Fractions:
    """Return the mean position of each instance, (n, 2) x, y in px from the top-left corner."""
    rows, areas = _relabelled(labels)
    y, x = np.divmod(np.arange(rows.size), max(1, labels.shape[1]))
    sums = [np.bincount(rows, weights, len(areas) + 1)[1:] for weights in (x + 0.5, y + 0.5)]
    return np.stack(sums, axis=1) / areas[:, None]


def detection_f1(truth: Fractions, predicted: Fractions, max_distance: float) -> float:
    """Return the F1 of points matched one to one, the nearest pair first.

    Both are (n, 2) in the unit of ``max_distance``, which still counts as a match.
    """
    if not len(truth) and not len(predicted):
        return 1.0
    n_matched = len(matched_points(truth, predicted, max_distance))
    return 2 * n_matched / (len(truth) + len(predicted))


def matched_points(truth: Fractions, predicted: Fractions, max_distance: float) -> Counts:
    """Return the rows of points matched one to one, the nearest pair first: (k, 2) both rows."""
    if not len(truth) or not len(predicted):
        return np.empty((0, 2), np.int64)
    near = cKDTree(truth).sparse_distance_matrix(
        cKDTree(predicted), max_distance, output_type="ndarray"
    )
    known_free = np.ones(len(truth), np.bool_)
    found_free = np.ones(len(predicted), np.bool_)
    chosen: list[tuple[int, int]] = []
    for i, j in near[np.lexsort((near["j"], near["i"], near["v"]))][["i", "j"]].tolist():
        if known_free[i] and found_free[j]:
            known_free[i] = found_free[j] = False
            chosen.append((i, j))
    return np.array(chosen, np.int64).reshape(-1, 2)
