"""Score a method that outlines nuclei: on outlines and points, one image at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import CONFIDENCE, Detections
from pathoview.core.geometry import Rect
from pathoview.evaluation import instances
from pathoview.evaluation.confusion import ObjectPairs, object_pairs
from pathoview.evaluation.curves import hits_by_confidence
from pathoview.evaluation.faults import Fault, faults
from pathoview.evaluation.pixels import Tally
from pathoview.tasks.detect import detect
from pathoview.tasks.evaluate_cases import Case
from pathoview.tasks.evaluate_fields import (
    Field,
    known_places,
    margin_l0,
    near,
    study_field,
    whole_field,
)
from pathoview.tasks.evaluate_pictures import Painter
from pathoview.tasks.evaluate_scores import Block, Cell, ImageScores, Place, Scores
from pathoview.tasks.method_building import BuiltMethod

METRICS = ("aji", "aji_plus", "pq", "dice_object", "f1_pixel", "iou_pixel", "f1_detection")
MATCH_UM = 3.0
"""Centroids no further apart than this, in µm, are the same nucleus to ``f1_detection``."""

_GRID = 4
"""An image is parted into this many blocks on each axis, where it is the only one."""
_CELLS: dict[str, tuple[Cell, ...]] = {
    "matched": ((0, 0),),
    "missed": ((0, 1),),
    "spurious": ((1, 0),),
}
_BOTH: tuple[Cell, ...] = ((0, 1), (1, 0))
_LEAST_PLACE_UM = 12.0
_POINT_UM = 10.0

Points = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


def score_instances(
    case: Case, built: BuiltMethod, check: Callable[[], None]
) -> tuple[ImageScores, Painter]:
    """Return the scores of one image, and what paints its places."""
    if case.labels is None or case.is_one_positive:
        found = detect(case.slide, built, check)
        return _Image(case, found, _whole(case, found)).scored()
    places = known_places(case.labels, case.slide)
    is_wanted = partial(near, places, margin_l0(case.slide))
    found = detect(case.slide, built, check, is_wanted)
    return _Image(case, found, _fields(case, found, places)).scored()


def _whole(case: Case, found: Detections) -> list[Field]:
    width, height = case.slide.info.width, case.slide.info.height
    if case.labels is None:
        return []
    truth = case.labels.instances(Rect(0, 0, width, height), width, height).labels
    return [whole_field(truth, found)]


def _fields(case: Case, found: Detections, places: Sequence[Rect]) -> list[Field]:
    assert case.labels is not None
    pointed = case.labels.points().xy_l0
    fields = [study_field(case.labels, one, found, pointed) for one in places]
    return [one for one in fields if one.is_known.any()]


@dataclass(frozen=True, slots=True)
class _Centres:
    """Known and predicted centres that count, level-0 px."""

    truth: Points
    found: Points
    confidence: npt.NDArray[np.float64] | None
    pairs: ObjectPairs
    is_complete: bool
    """Whether all nuclei are known there: only then is a prediction spurious."""


class _Image:
    """One image while it is scored."""

    def __init__(self, case: Case, found: Detections, fields: Sequence[Field]) -> None:
        self._case, self._found, self._fields = case, found, fields
        self._mpp = case.slide.mpp
        self._centres = self._centres_of()
        self._has_areas = bool(fields) and (
            any(one.truth.any() for one in fields) or not len(self._centres.truth)
        )
        truth, predicted = self._flat()
        self._table = instances.overlaps(truth, predicted)
        self._middles = self._middles_of("truth"), self._middles_of("found")

    def scored(self) -> tuple[ImageScores, Painter]:
        scores: Scores = dict.fromkeys(METRICS)
        if self._has_areas:
            scores |= area_scores(self._table)
        pairs, centres = self._centres.pairs, self._centres
        if centres.is_complete:
            scores["f1_detection"] = _f1(len(centres.truth), len(centres.found), len(pairs.matched))
        result = ImageScores(scores, self._counts(), self._blocks())
        result.matrices = [self._matrix(*block) for block in self._parts()]
        result.tally = self._tally()
        result.places = self._places()
        return result, Painter(self._case, self._fields, self._found)

    # -- what counts ------------------------------------------------------------------------------

    def _centres_of(self) -> _Centres:
        said, radius = self._found.measurements.get(CONFIDENCE), MATCH_UM / self._mpp
        found = self._found.centroids_l0()
        certain = None if said is None else np.nan_to_num(said.astype(np.float64))
        case = self._case
        if case.table is not None or case.is_one_positive:
            truth = (
                case.table.xy_l0
                if case.table is not None
                else instances.centroids(self._fields[0].truth)
            )
            return _Centres(truth, found, certain, object_pairs(truth, found, radius), True)
        assert case.labels is not None
        truth, full = case.labels.points().xy_l0, case.labels.full_l0()
        is_complete = bool(len(full))
        if is_complete:
            truth = truth[_inside(full, truth)]
        pairs = object_pairs(truth, found, radius)
        counts = _inside(full, found) & self._is_known(found)
        counts[pairs.matched[:, 1]] = True
        kept = None if certain is None else certain[counts]
        pairs = object_pairs(truth, found[counts], radius)
        return _Centres(truth, found[counts], kept, pairs, is_complete)

    def _is_known(self, points_l0: Points) -> Chosen:
        known = np.zeros(len(points_l0), np.bool_)
        for one in self._fields:
            known |= one.knows(points_l0)
        return known

    def _flat(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the pixels of all fields in a row, ids unlike in each."""
        return self._row("truth"), self._row("found")

    def _row(self, side: str) -> npt.NDArray[np.int64]:
        parts, highest = [np.empty(0, np.int64)], 0
        for one in self._fields:
            ids = getattr(one, side).ravel().astype(np.int64)
            parts.append(np.where(ids > 0, ids + highest, 0))
            highest = max(highest, int(parts[-1].max(initial=0)))
        return np.concatenate(parts)

    def _middles_of(self, side: str) -> Points:
        """Return the middles of the nuclei, in the order of the table's rows, level-0 px."""
        parts = [one.to_l0(instances.centroids(getattr(one, side))) for one in self._fields]
        return np.concatenate([np.empty((0, 2)), *parts])

    # -- blocks -----------------------------------------------------------------------------------

    def _parts(self) -> list[tuple[Chosen, Chosen, Chosen, Chosen]]:
        """Return who is in which block: known and predicted nuclei, known and predicted centres.

        What belongs together is in one block.
        """
        table, pairs = self._table, self._centres.pairs
        truth, found = (self._block_of(middles) for middles in self._middles)
        best = np.lexsort((table.common, table.predicted))  # the largest overlap writes last
        found[table.predicted[best]] = truth[table.truth[best]]
        known, seen = (self._block_of(one) for one in (self._centres.truth, self._centres.found))
        seen[pairs.matched[:, 1]] = known[pairs.matched[:, 0]]
        sides = truth, found, known, seen
        numbers = np.unique(np.concatenate(sides))
        parts = [tuple(side == number for side in sides) for number in numbers.tolist()]
        return [(a, b, c, d) for a, b, c, d in parts]

    def _block_of(self, points_l0: Points) -> npt.NDArray[np.int64]:
        info = self._case.slide.info
        rects = [one.rect_l0 for one in self._fields] or [Rect(0, 0, info.width, info.height)]
        block = np.zeros(len(points_l0), np.int64)
        for number, one in enumerate(rects):
            place = (points_l0 - [one.x, one.y]) * _GRID / [one.width, one.height]
            is_in = ((place >= 0) & (place <= _GRID)).all(axis=1)
            cell = np.clip(np.floor(place), 0, _GRID - 1).astype(np.int64)
            block = np.where(is_in, (number * _GRID + cell[:, 1]) * _GRID + cell[:, 0], block)
        return block

    def _blocks(self) -> list[Block]:
        return [self._block(*part) for part in self._parts()]

    def _block(self, truth: Chosen, found: Chosen, known: Chosen, seen: Chosen) -> Block:
        table = self._table.part(truth, found)
        scores: Scores = dict.fromkeys(METRICS)
        pixels = float(table.truth_areas.sum() + table.predicted_areas.sum())
        weights = dict.fromkeys(METRICS, pixels)
        weights["pq"] = float(len(table.truth_areas) + len(table.predicted_areas))
        if self._has_areas:
            scores |= area_scores(table)
        if self._centres.is_complete:
            n_matched = int(known[self._centres.pairs.matched[:, 0]].sum())
            scores["f1_detection"] = _f1(int(known.sum()), int(seen.sum()), n_matched)
        weights["f1_detection"] = float(known.sum() + seen.sum())
        return Block(scores, weights)

    def _matrix(
        self, truth: Chosen, found: Chosen, known: Chosen, seen: Chosen
    ) -> npt.NDArray[np.int64]:
        """Return found and missed nuclei over spurious ones, (2, 2)."""
        if self._has_areas:
            table = self._table.part(truth, found)
            n_both = int(np.count_nonzero(table.iou > 0.5))
            n_truth, n_found = len(table.truth_areas), len(table.predicted_areas)
        else:
            n_both = int(known[self._centres.pairs.matched[:, 0]].sum())
            n_truth, n_found = int(known.sum()), int(seen.sum())
        return np.array([[n_both, n_truth - n_both], [n_found - n_both, 0]], np.int64)

    # -- what else --------------------------------------------------------------------------------

    def _counts(self) -> Counter[str]:
        pairs = self._centres.pairs
        counts = Counter(
            known=len(self._centres.truth),
            predicted=len(self._centres.found),
            matched=len(pairs.matched),
            missed=len(pairs.missed),
            spurious=len(pairs.spurious),
        )
        kinds = Counter(one.kind for one in self._faults())
        return counts + Counter({kind: kinds[kind] for kind in ("merged", "split", "outline")})

    def _faults(self) -> list[Fault]:
        return faults(self._table) if self._has_areas else []

    def _tally(self) -> Tally | None:
        """Return how often nuclei of each confidence are there; None: the method says none."""
        centres = self._centres
        if centres.confidence is None or not centres.is_complete:
            return None
        radius = MATCH_UM / self._mpp
        hit = hits_by_confidence(centres.truth, centres.found, centres.confidence, radius)
        tally = Tally(2)  # a nucleus, or none
        certain = centres.confidence.astype(np.float32)
        columns = [certain, 1 - certain, np.zeros_like(certain)]
        tally.add(np.stack(columns, axis=1), np.where(hit, 0, 1))
        tally.missed[0] = len(centres.truth) - np.count_nonzero(hit)
        return tally

    def _places(self) -> list[Place]:
        if not self._has_areas:
            return self._point_places()
        scale = self._fields[0].scale if self._fields else 1.0
        to_um2 = (self._mpp / scale) ** 2
        return [self._place(one, to_um2) for one in self._faults()]

    def _place(self, fault: Fault, to_um2: float) -> Place:
        truth, found = list(fault.truth), list(fault.predicted)
        middles = np.concatenate([self._middles[0][truth], self._middles[1][found]])
        sides = self._table.truth_areas[truth], self._table.predicted_areas[found]
        side_um = 2 * float(np.sqrt(np.concatenate(sides).max() * to_um2))
        side = max(_LEAST_PLACE_UM, side_um) / self._mpp
        box = _box(middles, side)
        cells = _CELLS.get(fault.kind, _BOTH)
        return Place(self._case.name, box, fault.kind, fault.pixels * to_um2, "µm²", cells)

    def _point_places(self) -> list[Place]:
        """Return points that were missed, and predictions where there is no point."""
        pairs, centres = self._centres.pairs, self._centres
        sides = [("matched", centres.truth[pairs.matched[:, 0]])]
        sides += [("missed", centres.truth[pairs.missed])]
        if centres.is_complete:
            sides += [("spurious", centres.found[pairs.spurious])]
        return [
            Place(
                self._case.name,
                _box(point[None], _POINT_UM / self._mpp),
                *(kind, 1.0, "", _CELLS[kind]),
            )
            for kind, points in sides
            for point in points
        ]


def area_scores(table: instances.Overlaps) -> Scores:
    """Return the scores of outlines."""
    known, found = int(table.truth_areas.sum()), int(table.predicted_areas.sum())
    common = int(table.common.sum())
    union = known + found - common
    return {
        "aji": instances.aji(table),
        "aji_plus": instances.aji_plus(table),
        "pq": instances.panoptic_quality(table),
        "dice_object": instances.dice_object(table),
        "f1_pixel": 2 * common / (union + common) if union else 1.0,
        "iou_pixel": common / union if union else 1.0,
    }


def _f1(n_known: int, n_found: int, n_matched: int) -> float:
    return 2 * n_matched / (n_known + n_found) if n_known + n_found else 1.0


def _inside(boxes_l0: Points, points_l0: Points) -> Chosen:
    x, y = points_l0[:, :1], points_l0[:, 1:]
    left, top, right, bottom = boxes_l0.T
    return np.asarray(((x >= left) & (x < right) & (y >= top) & (y < bottom)).any(axis=1))


def _box(middles: Points, side: float) -> Rect:
    low, high = middles.min(axis=0) - side / 2, middles.max(axis=0) + side / 2
    return Rect.from_corners(*low.tolist(), *high.tolist())
