"""The detections of a run as points, and what annotations hold of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, partial

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.columns import TextColumn, joined
from pathoview.annotations.detection_rows import CLASS, DetectionRows
from pathoview.annotations.feature import Feature
from pathoview.annotations.hierarchy import Places, counts_inside
from pathoview.annotations.origin import stands_for
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
_NOT_LISTED = -1
_NONE = np.empty(0, np.intp)


class DetectionField:
    """Centroids and classes of detections. A detection lies in what holds its centroid."""

    def __init__(
        self,
        parts: Sequence[DetectionRows],
        features: Sequence[Feature],
        mpp: Mpp | None,
        before: DetectionField | None = None,
    ) -> None:
        """``parts``: all of one owner; ``features``: what is kept one by one.

        ``before``: as it was; places are looked for once in tables that are the same.
        """
        self._parts = tuple(parts)
        self._features = tuple(features)
        said = TextColumn.of([class_of(one) for one in features])
        column = joined([*(part.column(CLASS) for part in parts), said])
        assert isinstance(column, TextColumn)
        used, codes = np.unique(column.codes, return_inverse=True)
        n_listed = len(codes) - len(self._features)
        self._codes = np.full(sum(len(part.table) for part in parts), _NOT_LISTED)
        self._codes[np.concatenate([_NONE, *(part.indices for part in parts)])] = codes[:n_listed]
        self._codes_of_features = codes[n_listed:]
        self.classes = tuple(column.labels[code] for code in used.tolist())
        """Those that occur; an empty one: unclassified."""
        self._figures = dict(self._named(has_scale=mpp is not None))
        self.names = tuple(self._figures)
        """Names of the columns of `column`."""
        self._found_places: Callable[[], Places] = cache(partial(_places_of, self._parts))
        if before is not None and before._has_tables_of(parts):
            self._found_places = before._found_places

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

    def _has_tables_of(self, parts: Sequence[DetectionRows]) -> bool:
        ours = [part.table for part in self._parts]
        return len(ours) == len(parts) and all(
            one is part.table for one, part in zip(ours, parts, strict=True)
        )

    @property
    def places(self) -> Places:
        """The centroids of the tables, listed or not, by their indices."""
        return self._found_places()

    @cached_property
    def _places_of_features(self) -> Places:
        return Places(centroids_of([one.geometry for one in self._features]))

    def counts(self, geometries: npt.NDArray[np.object_]) -> Floats:
        """Return the detections inside by class, (n, classes); NaN for what has no area."""
        n = len(self.classes)
        counts = counts_inside(geometries, self.places, self._codes, n)
        if self._features:
            single, codes = self._places_of_features, self._codes_of_features
            counts += counts_inside(geometries, single, codes, n)
        return np.where(shapely.area(geometries)[:, None] > 0, counts, np.nan)

    def column(self, name: str, counts: Floats, areas_um2: Floats) -> Floats:
        """Return one of `names`, (n,), of annotations whose `counts` and areas are known."""
        return self._figures[name](counts, areas_um2)


def _places_of(parts: Sequence[DetectionRows]) -> Places:
    return Places(np.concatenate([np.empty((0, 2)), *(part.centroids_l0 for part in parts)]))


def is_detected(feature: Feature) -> bool:
    """Whether an object is what was found, rather than what holds others.

    So is an outline that stands for what a run has found. A point that does says that it is none.
    """
    if feature.object_type in ("detection", "cell"):
        return True
    has_area = feature.geometry.geom_type in ("Polygon", "MultiPolygon")
    return has_area and bool(stands_for(feature.origin))


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
