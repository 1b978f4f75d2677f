"""Which annotation holds which object, kept up while annotations come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.detection_field import DetectionField
from pathoview.annotations.feature import Feature
from pathoview.annotations.hierarchy import (
    NO_PARENT,
    Index,
    Places,
    Shapes,
    parents_of_points,
    parents_of_regions,
)

_MOST_CHANGED = 200
"""Where more annotations have changed, all is found anew."""
_REACH = 1.0
"""Beyond a box, px: more than what holding is rounded by."""


class Parents:
    """Numbers of annotations among all that may hold others; -1: none holds the object."""

    def __init__(
        self,
        holders: Sequence[Feature],
        fields: Mapping[int, DetectionField],
        before: Parents | None = None,
    ) -> None:
        """``fields``: detections by whatever names their run.

        ``before``: as it was; only objects near what has changed since are looked at again. What
        has stayed must be in the same order, which decides between holders of one size.
        """
        self.holders = tuple(holders)
        self.shapes: Shapes = np.array([one.geometry for one in holders], object)
        changes = None if before is None else _Changes(before, self)
        if before is None or changes is None or len(changes.shapes) > _MOST_CHANGED:
            changes = None
            self.of_holders = parents_of_regions(self.shapes)
        else:
            self.of_holders = changes.of_holders(before.of_holders)
        self.of_detections: dict[int, Index] = {}
        """(n,) by whatever names the run."""
        self._fields = dict(fields)
        for key, field in fields.items():
            known = None if before is None else before._fields.get(key)
            is_same = known is not None and known.places is field.places
            if before is not None and changes is not None and is_same:
                found = changes.of_points(field.places, before.of_detections[key])
            else:
                found = parents_of_points(self.shapes, field.places)
            self.of_detections[key] = found

    def of_points(self, points_l0: npt.ArrayLike) -> Index:
        """Return what holds some other points, (n,)."""
        return parents_of_points(self.shapes, points_l0)


class _Changes:
    """From some holders to others: those that went, came or were edited.

    What holds an object near a change reaches there too, so no other holder need be asked.
    """

    def __init__(self, before: Parents, after: Parents) -> None:
        places = {id(one): place for place, one in enumerate(after.holders)}
        moved = [places.get(id(one), NO_PARENT) for one in before.holders]
        self._moved = np.array([*moved, NO_PARENT], np.int64)
        """(n before + 1,) the numbers that holders have now; -1: gone, and at the end for none."""
        gone = np.flatnonzero(self._moved[:-1] == NO_PARENT)
        is_new = np.ones(len(after.holders), bool)
        is_new[self._moved[self._moved >= 0]] = False
        self.shapes: Shapes = np.concatenate([before.shapes[gone], after.shapes[is_new]])
        self._after = after
        self._near = self._touched(after.shapes)
        """Numbers of the holders near a change, ascending."""

    def _touched(self, shapes: Shapes) -> Index:
        left, top, right, bottom = shapely.bounds(shapes).T
        around = shapely.box(left - _REACH, top - _REACH, right + _REACH, bottom + _REACH)
        return np.unique(shapely.STRtree(self.shapes).query(around)[0]).astype(np.int64)

    def of_holders(self, before: Index) -> Index:
        """Return what holds the holders; ``before``: what held them."""
        found = np.full(len(self._after.shapes), NO_PARENT, np.int64)
        stayed = self._moved[:-1] >= 0
        found[self._moved[:-1][stayed]] = self._moved[before[stayed]]
        found[self._near] = self._numbers(parents_of_regions(self._after.shapes[self._near]))
        return found

    def of_points(self, places: Places, before: Index) -> Index:
        """Return what holds some points; ``before``: what held them."""
        found = self._moved[before]
        inside = [places.inside(shape) for shape in self.shapes]
        rows = np.unique(np.concatenate([np.empty(0, np.int64), *inside]))
        near = self._after.shapes[self._near]
        found[rows] = self._numbers(parents_of_points(near, places.points_l0(rows)))
        return found

    def _numbers(self, among_near: Index) -> Index:
        if not len(self._near):
            return among_near
        return np.where(among_near >= 0, self._near[among_near], NO_PARENT)
