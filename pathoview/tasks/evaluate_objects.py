"""Score a method that tells classes of objects: nuclei are found, told apart, and matched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from pathoview.annotations.detections import Detections
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.evaluation.confusion import (
    ObjectPairs,
    accuracy,
    balanced_accuracy,
    macro_f1,
    object_confusion,
    object_pairs,
    quadratic_kappa,
)
from pathoview.evaluation.pixels import Tally
from pathoview.methods.object_features import pictures, surroundings
from pathoview.methods.spec import ObjectBatch
from pathoview.slides.reading import analysis_grid
from pathoview.tasks.detect import detect
from pathoview.tasks.evaluate_cases import Case
from pathoview.tasks.evaluate_fields import margin_l0, near
from pathoview.tasks.evaluate_instances import MATCH_UM, METRICS
from pathoview.tasks.evaluate_pictures import Painter
from pathoview.tasks.evaluate_scores import ImageScores, Place, Scores
from pathoview.tasks.method_building import BuiltMethod

_SEEN_UM = 24.0
_PLACE_UM = 12.0
_BLOCKS = 4

Points = npt.NDArray[np.float64]
Values = npt.NDArray[np.int64]


def class_names(built: BuiltMethod) -> tuple[str, ...]:
    """Return what the model tells apart; raise `UsageError` when it does not say."""
    if built.card is None or not built.card.classes:
        raise UsageError(_("“{title}” does not say its classes.").format(title=built.spec.title))
    return tuple(one.name for one in built.card.classes)


def score_objects(
    case: Case,
    built: BuiltMethod,
    finder: BuiltMethod,
    names: Sequence[str],
    check: Callable[[], None],
) -> tuple[ImageScores, Painter]:
    """Return the scores of one image, and what paints its places.

    ``finder`` finds the nuclei; ``names``: the classes of the matrix, those of the first model.
    Truth of other classes is left out. Only tables of an image say that all nuclei are known: in a
    study, nuclei beside the labels are nothing wrong outside of fully labelled regions.
    """
    truth, known = _truth(case, names)
    found = detect(case.slide, finder, check, _wanted(case, truth))
    centers = found.centroids_l0()
    probabilities = told(case, built, found, names)
    said = probabilities.argmax(axis=1).astype(np.int64)
    pairs = object_pairs(truth, centers, MATCH_UM / case.slide.mpp)
    pairs = replace(pairs, spurious=_counted(case, centers, pairs.spurious))
    n = len(names)
    matrix = object_confusion(pairs, known, np.minimum(said, n), n)
    result = ImageScores(_scores(matrix, n), Counter(_counts(pairs)))
    block = _block_of(case, truth), _block_of(case, centers)
    result.matrices = _matrices(pairs, known, np.minimum(said, n), n, block)
    result.tally = Tally(n)
    rows, columns = pairs.matched.T
    if len(rows):
        result.tally.add(probabilities[columns], known[rows])
    result.places = _places(case, pairs, truth, centers, known, said, probabilities, n)
    return result, Painter(case, [], found)


def told(
    case: Case, built: BuiltMethod, found: Detections, names: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Return the probabilities of classes of objects, (n, names + 1), the last that of “other”."""
    out = np.zeros((len(found), len(names) + 1), np.float32)
    if not len(found):
        return out
    centers = found.centroids_l0()
    um = centers * case.slide.mpp
    measured = {**found.measurements, **surroundings(um, cKDTree(um))}
    seen = pictures(case.slide, analysis_grid(case.slide, built.mpp), centers)
    given = built.method.predict(ObjectBatch(measured, seen))
    for own, name in enumerate(class_names(built)):
        out[:, names.index(name) if name in names else len(names)] += given[:, own]
    return out


def _truth(case: Case, names: Sequence[str]) -> tuple[Points, Values]:
    """Return the known objects of the model's classes: places, and places of their classes."""
    if case.table is not None:
        xy, said = case.table.xy_l0, list(case.table.names)
    else:
        assert case.labels is not None
        examples = case.labels.examples()
        xy = examples.xy_l0
        called = ("", *(one.name for one in case.classes))
        said = [called[value] for value in examples.values.tolist()]
    known = np.array([names.index(one) if one in names else -1 for one in said], np.int64)
    is_told = known >= 0
    return xy[is_told], known[is_told]


def _wanted(case: Case, truth: Points) -> Callable[[Rect], bool]:
    """Say of tiles whether objects in them count: all of a picture, what is labelled of a slide."""
    if case.labels is None:
        return lambda _core_l0: True
    around = (_SEEN_UM + _PLACE_UM) / case.slide.mpp
    boxes = np.concatenate([np.hstack([truth - around, truth + around]), case.labels.full_l0()])
    places = [Rect.from_corners(*box) for box in boxes.tolist()]
    return partial(near, places, margin_l0(case.slide))


def _counted(case: Case, centers: Points, spurious: Values) -> Values:
    """Return which objects that match nothing are wrong: those where all nuclei are known."""
    if case.labels is None:
        return spurious
    full = case.labels.full_l0()
    x, y = centers[spurious, :1], centers[spurious, 1:]
    left, top, right, bottom = full.T
    inside = ((x >= left) & (x < right) & (y >= top) & (y < bottom)).any(axis=1)
    return np.asarray(spurious[inside])


def _counts(pairs: ObjectPairs) -> dict[str, int]:
    n_both, n_missed, n_spurious = map(len, (pairs.matched, pairs.missed, pairs.spurious))
    return {
        "known": n_both + n_missed,
        "predicted": n_both + n_spurious,
        "matched": n_both,
        "missed": n_missed,
        "spurious": n_spurious,
    }


def _scores(matrix: npt.NDArray[np.int64], n: int) -> Scores:
    """Return detection, and how well what was found is told apart."""
    found = matrix[:n]
    n_matched = int(matrix[:n, :n].sum())
    n_both = int(matrix[:n].sum() + matrix[:, :n].sum())
    told_apart = matrix[:n, :n]
    scores: Scores = dict.fromkeys(METRICS)
    scores |= {
        "f1_detection": 2 * n_matched / n_both if n_both else 1.0,
        "accuracy": accuracy(told_apart, n),
        "balanced_accuracy": balanced_accuracy(told_apart, n),
        "macro_f1": macro_f1(told_apart, n),
        "macro_f1_with_missed": macro_f1(matrix, n) if found.any() else None,
        "kappa_quadratic": quadratic_kappa(matrix, n),
    }
    return {key: None if value != value else value for key, value in scores.items()}


def _block_of(case: Case, points: Points) -> Values:
    info = case.slide.info
    cell = np.clip(points * _BLOCKS // [info.width, info.height], 0, _BLOCKS - 1).astype(np.int64)
    return np.asarray(cell[:, 1] * _BLOCKS + cell[:, 0])


def _matrices(
    pairs: ObjectPairs, known: Values, said: Values, n: int, blocks: tuple[Values, Values]
) -> list[npt.NDArray[np.int64]]:
    """Return the matrix of each block of the image that has objects."""
    truth_block, found_block = blocks
    sides = truth_block[pairs.matched[:, 0]], truth_block[pairs.missed], found_block[pairs.spurious]
    return [
        object_confusion(
            ObjectPairs(
                pairs.matched[sides[0] == one],
                pairs.missed[sides[1] == one],
                pairs.spurious[sides[2] == one],
            ),
            *(known, said, n),
        )
        for one in np.unique(np.concatenate(sides)).tolist()
    ]


def _places(
    case: Case,
    pairs: ObjectPairs,
    truth: Points,
    centers: Points,
    known: Values,
    said: Values,
    probabilities: npt.NDArray[np.float32],
    n: int,
) -> list[Place]:
    """Return all objects; how much is wrong is the probability of the wrong class."""
    side = _PLACE_UM / case.slide.mpp

    def place(middle: Points, kind: str, amount: float, cell: tuple[int, int]) -> Place:
        box = Rect(middle[0] - side / 2, middle[1] - side / 2, side, side)
        return Place(case.name, box, kind, amount, "", (cell,))

    found = []
    for one, other in pairs.matched.tolist():
        cell = int(known[one]), int(said[other])
        kind = "matched" if cell[0] == cell[1] else "class"
        found.append(place(truth[one], kind, float(probabilities[other].max()), cell))
    found += [place(truth[one], "missed", 0.5, (int(known[one]), n)) for one in pairs.missed]
    for one in pairs.spurious.tolist():
        amount = float(probabilities[one].max()) / 2
        found.append(place(centers[one], "spurious", amount, (n, int(said[one]))))
    return found
