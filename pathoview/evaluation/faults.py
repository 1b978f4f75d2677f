"""What is wrong with predicted nuclei: missed, spurious, merged, split, ill outlined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pathoview.evaluation.instances import Overlaps

FaultKind = Literal["matched", "missed", "spurious", "merged", "split", "outline"]
_MATCH = 0.5
"""IoU above which two nuclei are one, as in the panoptic quality."""
_HELD = 0.5
"""Share of a nucleus that has to lie in another one to belong to it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong (or, as ``matched``, right enough)."""

    kind: FaultKind
    truth: tuple[int, ...]
    """Rows of the known nuclei."""
    predicted: tuple[int, ...]
    pixels: int
    """How much is wrong, px: all that is missed or spurious; of what holds several others, all but
    the largest of them; of a pair, what only one of the two has."""


def faults(table: Overlaps) -> list[Fault]:
    """Return every nucleus once: in a pair that matches, or in what is wrong with it.

    *merged*: most of several known nuclei lies in one prediction; *split*: most of several
    predictions lies in one known nucleus; *outline*: the two mean the same, but their IoU is 0.5 or
    less; *missed* and *spurious*: nothing corresponds.
    """
    free_truth = np.ones(len(table.truth_areas), np.bool_)
    free_predicted = np.ones(len(table.predicted_areas), np.bool_)
    found = _grouped(table, "merged", free_truth, free_predicted)
    found += _grouped(table, "split", free_truth, free_predicted)
    found += _pairs(table, free_truth, free_predicted)
    found += [
        Fault("missed", (row,), (), int(table.truth_areas[row]))
        for row in np.flatnonzero(free_truth).tolist()
    ]
    found += [
        Fault("spurious", (), (row,), int(table.predicted_areas[row]))
        for row in np.flatnonzero(free_predicted).tolist()
    ]
    return found


def _grouped(
    table: Overlaps,
    kind: Literal["merged", "split"],
    free_truth: npt.NDArray[np.bool_],
    free_predicted: npt.NDArray[np.bool_],
) -> list[Fault]:
    """Return what holds several others, and mark all of them as taken."""
    is_merged = kind == "merged"
    holder, held = (table.predicted, table.truth) if is_merged else (table.truth, table.predicted)
    areas = table.truth_areas if is_merged else table.predicted_areas
    holder_areas = table.predicted_areas if is_merged else table.truth_areas
    free_holder, free_held = (
        (free_predicted, free_truth) if is_merged else (free_truth, free_predicted)
    )
    lies_in = (table.common > _HELD * areas[held]) & free_holder[holder] & free_held[held]
    n_held = np.bincount(holder[lies_in], minlength=len(free_holder))
    found = []
    for one in np.flatnonzero(n_held > 1).tolist():
        pairs = np.flatnonzero(lies_in & (holder == one))
        others = tuple(held[pairs].tolist())
        wrong = holder_areas[one] - table.common[pairs].max()
        free_holder[one] = False
        free_held[list(others)] = False
        truth, predicted = (others, (one,)) if is_merged else ((one,), others)
        found.append(Fault(kind, truth, predicted, int(wrong)))
    return found


def _pairs(
    table: Overlaps, free_truth: npt.NDArray[np.bool_], free_predicted: npt.NDArray[np.bool_]
) -> list[Fault]:
    """Return pairs that mean the same nucleus, the best first, and mark them as taken."""
    smaller = np.minimum(table.truth_areas[table.truth], table.predicted_areas[table.predicted])
    iou = table.iou
    means_same = (iou > _MATCH) | (table.common > _HELD * smaller)
    found = []
    for pair in np.flatnonzero(means_same)[np.argsort(-iou[means_same], kind="stable")].tolist():
        truth, predicted = int(table.truth[pair]), int(table.predicted[pair])
        if free_truth[truth] and free_predicted[predicted]:
            free_truth[truth] = free_predicted[predicted] = False
            kind: FaultKind = "matched" if iou[pair] > _MATCH else "outline"
            wrong = int(table.union[pair] - table.common[pair])
            found.append(Fault(kind, (truth,), (predicted,), wrong))
    return found
