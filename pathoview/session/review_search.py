"""Finding what to ask a person next; slow work for another thread."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.detections import CONFIDENCE
from pathoview.annotations.feature import Feature
from pathoview.datasets.next_labels import (
    SAYING_MUCH,
    SAYING_OF_NUCLEI,
    doubt_of,
    far_from,
    labelled,
    spread,
    without_partner,
)
from pathoview.layers.outline_colors import column_of
from pathoview.session.runs import RunView
from pathoview.study.model import LabelClass
from pathoview.study.review_queue import Reason, ReviewPlace

FIELD_UM = 100.0
"""No two places are nearer to each other, along x or along y."""
_MOST = 200


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked about, and what is labelled already."""

    reason: Reason
    runs: tuple[RunView, ...]
    """One; two that are compared."""
    features: tuple[Feature, ...]
    classes: tuple[LabelClass, ...]
    mpp: float
    """µm per level-0 px."""

    @property
    def field_l0(self) -> float:
        return FIELD_UM / self.mpp

    def find(self) -> list[ReviewPlace]:
        """Return places that lie apart, the most doubtful first."""
        how = {"confidence": self._unsure, "disagreement": self._disputed, "map": self._doubtful}
        return how[self.reason]()

    def _unsure(self) -> list[ReviewPlace]:
        objects = _Objects.of(self.runs[0])
        return self._asked(objects, doubt_of(objects.confidence))

    def _disputed(self) -> list[ReviewPlace]:
        """Return what one of two runs has found and the other has not, where both have looked."""
        first, second = (_Objects.of(run) for run in self.runs)
        reach_l0 = float(np.median(np.concatenate([first.sizes_l0, second.sizes_l0]))) / 2
        alone = []
        for objects, other in ((first, second), (second, first)):
            is_alone = without_partner(objects.places, other.places, reach_l0)
            alone.append(objects.take(is_alone & other.has_looked_at(objects.places)))
        both = _Objects.joined(alone)
        return self._asked(both, np.nan_to_num(both.confidence, nan=0.5).astype(np.float64) + 1e-3)

    def _doubtful(self) -> list[ReviewPlace]:
        run = self.runs[0]
        assert run.map is not None
        fields = run.map.doubtful_fields(self.field_l0)
        shapes = labelled(self.features, self.classes, self.mpp, SAYING_MUCH)
        chosen = self._spread(fields.places_l0, fields.doubts, shapes)
        run_id = uuid.UUID(run.record.id)
        return [
            ReviewPlace(
                x_l0=x,
                y_l0=y,
                run_id=run.record.id,
                object_id=uuid.uuid5(run_id, f"{x:.2f} {y:.2f}").hex,
                value=float(fields.doubts[row]),
                class_name=run.record.classes[int(fields.classes[row])].name,
            )
            for row in chosen.tolist()
            for x, y in (fields.places_l0[row].tolist(),)
        ]

    def _asked(self, objects: _Objects, doubts: npt.NDArray[np.float64]) -> list[ReviewPlace]:
        shapes = labelled(self.features, self.classes, self.mpp, SAYING_OF_NUCLEI)
        return [
            ReviewPlace(
                x_l0=float(objects.places[row, 0]),
                y_l0=float(objects.places[row, 1]),
                run_id=objects.run_ids[row],
                object_id=objects.ids[row].tobytes().hex(),
                value=float(np.nan_to_num(objects.confidence[row])),
            )
            for row in self._spread(objects.places, doubts, shapes).tolist()
        ]

    def _spread(
        self,
        places: npt.NDArray[np.float64],
        doubts: npt.NDArray[np.float64],
        shapes: Sequence[BaseGeometry],
    ) -> npt.NDArray[np.intp]:
        """Return the rows of places to be asked about, far from what is labelled."""
        is_free = np.flatnonzero(far_from(places, shapes, self.field_l0 / 2))
        return is_free[spread(places[is_free], doubts[is_free], self.field_l0, _MOST)]


@dataclass(frozen=True, slots=True)
class _Objects:
    """The n objects of a run, or of several."""

    run_ids: npt.NDArray[np.str_]
    ids: npt.NDArray[np.uint8]
    """(n, 16)"""
    places: npt.NDArray[np.float64]
    """(n, 2) middles, level-0 px."""
    sizes_l0: npt.NDArray[np.float64]
    """(n,) larger side of the box around each."""
    confidence: npt.NDArray[np.float32]
    """(n,) NaN: not known."""
    region_l0: tuple[int, int, int, int] | None = None

    @classmethod
    def of(cls, run: RunView) -> _Objects:
        empty = np.empty((0, 2))
        tables = run.source.tables
        boxes = np.concatenate([np.empty((0, 4)), *(one.boxes_l0() for one in tables)])
        ids = np.concatenate([np.empty((0, 16), np.uint8), *(one.ids for one in tables)])
        return cls(
            np.full(len(ids), run.record.id),
            ids,
            np.concatenate([empty, *(one.centroids_l0() for one in tables)]),
            (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0),
            np.concatenate(
                [np.empty(0, np.float32), *(column_of(one, CONFIDENCE) for one in tables)]
            ),
            run.record.region_l0,
        )

    @classmethod
    def joined(cls, parts: Sequence[_Objects]) -> _Objects:
        return cls(
            np.concatenate([one.run_ids for one in parts]),
            np.concatenate([one.ids for one in parts]),
            np.concatenate([one.places for one in parts]),
            np.concatenate([one.sizes_l0 for one in parts]),
            np.concatenate([one.confidence for one in parts]),
        )

    def take(self, rows: npt.NDArray[np.bool_]) -> _Objects:
        return _Objects(
            *(self.run_ids[rows], self.ids[rows], self.places[rows]),
            *(self.sizes_l0[rows], self.confidence[rows], self.region_l0),
        )

    def has_looked_at(self, places: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Say which places lie in the region that was analysed."""
        if self.region_l0 is None:
            return np.ones(len(places), np.bool_)
        x, y, width, height = self.region_l0
        inside = (places >= (x, y)) & (places < (x + width, y + height))
        return np.asarray(inside.all(axis=1))
