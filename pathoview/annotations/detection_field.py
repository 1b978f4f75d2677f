"""The detections of a run as points, and what annotations hold of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.columns import TextColumn, joined
from pathoview.annotations.detection_rows import CLASS, DetectionRows
from pathoview.annotations.feature import Feature
from pathoview.annotations.hierarchy import Places, counts_inside
from pathoview.annotations.scores import (
    density_per_mm2,
    h_score,
    has_grades,
    positive_fraction,
    scored_bases,
)
from pathoview.annotations.shapes import Mpp

Floats = npt.NDArray[np.float64]
Figure = Callable[[Floats, Floats], Floats]
"""From the counts by class, (n, classes), and the areas in µm², (n,)."""

ALL, ALL_DENSITY = "Detections inside", "Detections per mm²"


class DetectionField:
    """Centroids and classes of detections. A detection lies in what holds its centroid."""

    def __init__(
        self, parts: Sequence[DetectionRows], features: Sequence[Feature], mpp: Mpp | None
    ) -> None:
        """``features``: detections and cells that are kept one by one; they come last."""
        self._parts = tuple(parts)
        self._features = tuple(features)
        said = TextColumn.of([class_of(one) for one in features])
        column = joined([*(part.column(CLASS) for part in parts), said])
        assert isinstance(column, TextColumn)
        used, self._codes = np.unique(column.codes, return_inverse=True)
        self.classes = tuple(column.labels[code] for code in used.tolist())
        """Those that occur; an empty one: unclassified."""
        self._figures = dict(self._named(has_scale=mpp is not None))
        self.names = tuple(self._figures)
        """Names of the columns of `column`."""

    def _named(self, *, has_scale: bool) -> Mapping[str, Figure]:
        named: dict[str, Figure] = {ALL: lambda counts, _areas: counts.sum(axis=1)}
        places = {name: place for place, name in enumerate(self.classes) if name}
        for name, place in places.items():
            named[f"{name} inside"] = partial(_count, place)
        if has_scale:
            named[ALL_DENSITY] = lambda counts, areas: density_per_mm2(counts.sum(axis=1), areas)
            for name, place in places.items():
                named[f"{name} per mm²"] = partial(_density, place)
        for base in scored_bases(self.classes):
            prefix = f"{base}: " if base else ""
            named[f"{prefix}Positive %"] = partial(_positive, self.classes, base)
            if has_grades(self.classes, base):
                named[f"{prefix}H-score"] = partial(_h_score, self.classes, base)
        return named

    def is_of(self, parts: Sequence[DetectionRows], features: Sequence[Feature]) -> bool:
        """Whether it consists of exactly these detections."""
        ours, others = (*self._parts, *self._features), (*parts, *features)
        return len(ours) == len(others) and all(map(operator.is_, ours, others))

    @cached_property
    def places(self) -> Places:
        """The centroids, in the order of the rows."""
        single = centroids_of([one.geometry for one in self._features])
        return Places(np.concatenate([*(part.centroids_l0 for part in self._parts), single]))

    def counts(self, geometries: npt.NDArray[np.object_]) -> Floats:
        """Return the detections inside by class, (n, classes); NaN for what has no area."""
        counts = counts_inside(geometries, self.places, self._codes, len(self.classes))
        return np.where(shapely.area(geometries)[:, None] > 0, counts, np.nan)

    def column(self, name: str, counts: Floats, areas_um2: Floats) -> Floats:
        """Return one of `names`, (n,), of annotations whose `counts` and areas are known."""
        return self._figures[name](counts, areas_um2)


def is_detected(feature: Feature) -> bool:
    """Whether an object is what was found, rather than what holds others."""
    return feature.object_type in ("detection", "cell")


def class_of(feature: Feature) -> str:
    return "" if feature.classification is None else feature.classification.name


def centroids_of(shapes: Sequence[BaseGeometry]) -> Floats:
    """Return the centroids of shapes, (n, 2) level-0 px; NaN of an empty one."""
    centers = shapely.centroid(np.array(shapes, object))
    return np.stack([shapely.get_x(centers), shapely.get_y(centers)], axis=-1)


def _count(place: int, counts: Floats, _areas_um2: Floats) -> Floats:
    return counts[:, place]


def _density(place: int, counts: Floats, areas_um2: Floats) -> Floats:
    return density_per_mm2(counts[:, place], areas_um2)


def _positive(classes: Sequence[str], base: str, counts: Floats, _areas_um2: Floats) -> Floats:
    return 100 * positive_fraction(_whole(counts), classes, base)


def _h_score(classes: Sequence[str], base: str, counts: Floats, _areas_um2: Floats) -> Floats:
    return h_score(_whole(counts), classes, base)


def _whole(counts: Floats) -> npt.NDArray[np.int64]:
    """Return counts as whole numbers; where nothing can be inside, nothing is."""
    return np.nan_to_num(counts).astype(np.int64)
