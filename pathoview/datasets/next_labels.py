"""What to label next: where a method is unsure, or two disagree, and nothing is labelled yet.

Plain functions of arrays: n candidates with their places, (n, 2) level-0 px, and doubts, (n,).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.feature import Feature
from pathoview.datasets.meanings import LABELS, ClassRecord, Kind, understood

Places = npt.NDArray[np.float64]
Doubts = npt.NDArray[np.float64]

SAYING_MUCH: tuple[Kind, ...] = (*LABELS, "full", "ignore")
"""Kinds of annotations that say of every pixel in them what it is, or that it does not count."""
SAYING_OF_NUCLEI: tuple[Kind, ...] = ("point", "nucleus", "full", "ignore")
"""Those that say it of nuclei: a region of tumour does not tell which are found well."""


def doubt_of(probability: npt.NDArray[np.floating]) -> Doubts:
    """Return how near probabilities are to one half: 0 at 0 and 1, 1 at one half; NaN: 0."""
    doubt = 1 - np.abs(2 * probability.astype(np.float64) - 1)
    return np.asarray(np.nan_to_num(doubt, nan=0.0))


def labelled(
    features: Iterable[Feature],
    classes: Sequence[ClassRecord],
    mpp: float,
    kinds: Collection[Kind] = SAYING_MUCH,
) -> list[BaseGeometry]:
    """Return the shapes of annotations that leave nothing to be asked where they are."""
    return [one.feature.geometry for one in understood(features, classes, mpp) if one.kind in kinds]


def far_from(
    places: Places, shapes: Sequence[BaseGeometry], distance_l0: float
) -> npt.NDArray[np.bool_]:
    """Say which places lie farther from all shapes than a distance, (n,)."""
    is_far = np.ones(len(places), np.bool_)
    if len(shapes) and len(places):
        tree = shapely.STRtree(list(shapes))
        near = tree.query(shapely.points(places), predicate="dwithin", distance=distance_l0)
        is_far[near[0]] = False
    return is_far


def spread(places: Places, doubts: Doubts, apart_l0: float, n_most: int) -> npt.NDArray[np.intp]:
    """Return the most doubtful places, most first, no two of them within a square of a field.

    ``apart_l0``: side of a field. Places without any doubt are left out.
    """
    cells = np.floor(places / apart_l0).astype(np.int64)
    taken: dict[tuple[int, int], tuple[float, float]] = {}
    chosen: list[int] = []
    for index in np.argsort(-doubts, kind="stable").tolist():
        if len(chosen) == n_most or doubts[index] <= 0:
            break
        x, y = places[index].tolist()
        column, row = cells[index].tolist()
        around = ((column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        others = (taken[cell] for cell in around if cell in taken)
        if all(max(abs(x - other[0]), abs(y - other[1])) >= apart_l0 for other in others):
            taken[column, row] = x, y
            chosen.append(index)
    return np.array(chosen, np.intp)


def without_partner(places: Places, others: Places, reach_l0: float) -> npt.NDArray[np.bool_]:
    """Say which places have none of some others within reach, (n,)."""
    if not len(others) or not len(places):
        return np.ones(len(places), np.bool_)
    from scipy.spatial import cKDTree  # slow to import, and the window needs it late

    distances, _nearest = cKDTree(others).query(places, distance_upper_bound=reach_l0)
    return np.asarray(np.isinf(distances))
