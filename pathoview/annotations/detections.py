"""Detections as columns: a million outlines in packed arrays rather than a million objects.

Coordinates are kept as whole hundredths of a level-0 pixel (int32): exactly the grid that QuPath
uses, so that a round trip through GeoJSON changes nothing, ids never wobble, and 10⁶ outlines of 16
vertices take 128 MB.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect

SUBPIXEL = 100
"""Units of the stored coordinates in one level-0 px."""

CONFIDENCE = "Confidence"
"""The measurement that says how sure a method is of an object, 0–1."""

Ints = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DetectionClass:
    """A class of detections: name (``Tumor: Positive`` nests) and colour (r, g, b), 0–255."""

    name: str
    color: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Detections:
    """A table of outlines. All arrays are read-only by convention; n objects, v vertices.

    One detection is one simple polygon (a ring without a hole).
    """

    points: Ints
    """(v, 2) x, y in hundredths of a level-0 px, ring after ring, not closed."""
    offsets: Offsets
    """(n + 1,) where each ring starts in `points`."""
    ids: npt.NDArray[np.uint8]
    """(n, 16) bytes of the UUIDs."""
    class_index: npt.NDArray[np.int16]
    """(n,) index into `classes`; -1: unclassified."""
    classes: tuple[DetectionClass, ...]
    measurements: Mapping[str, Floats]
    """Name with unit (``Area µm²``) → (n,); NaN where unknown."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def ring_l0(self, index: int) -> npt.NDArray[np.float64]:
        """Return one ring, (vertices, 2) float64 level-0 px, not closed."""
        return self.points[self.offsets[index] : self.offsets[index + 1]] / SUBPIXEL

    def uuid(self, index: int) -> uuid.UUID:
        return uuid.UUID(bytes=self.ids[index].tobytes())

    def boxes_l0(self) -> npt.NDArray[np.float64]:
        """Return the bounding boxes, (n, 4) float64: left, top, right, bottom, level-0 px."""
        if not len(self):
            return np.empty((0, 4))
        starts = self.offsets[:-1]
        low = np.minimum.reduceat(self.points, starts, axis=0)
        high = np.maximum.reduceat(self.points, starts, axis=0)
        return np.concatenate([low, high], axis=1) / SUBPIXEL

    def centroids_l0(self) -> npt.NDArray[np.float64]:
        """Return the area centroids of the rings, (n, 2) float64 level-0 px.

        A ring without area has the mean of its vertices.
        """
        if not len(self):
            return np.empty((0, 2))
        starts = self.offsets[:-1]
        counts = np.diff(self.offsets)
        first = np.repeat(self.points[starts], counts, axis=0).astype(np.float64)
        here = self.points - first  # relative to the ring's first vertex: no cancellation
        following = np.roll(here, -1, axis=0)
        following[self.offsets[1:] - 1] = here[starts]
        cross = here[:, 0] * following[:, 1] - following[:, 0] * here[:, 1]
        area2 = np.add.reduceat(cross, starts)
        moment = np.add.reduceat((here + following) * cross[:, None], starts, axis=0)
        mean = np.add.reduceat(here, starts, axis=0) / counts[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.where(area2[:, None] != 0, moment / (3 * area2[:, None]), mean)
        return (inner + self.points[starts]) / SUBPIXEL

    def extent_l0(self) -> Rect:
        """Return the rectangle around everything; empty when there is nothing."""
        if not len(self.points):
            return Rect(0, 0, 0, 0)
        x, y = self.points.T  # a column at a time: numpy is slow along pairs
        left, top, right, bottom = (
            float(one) / SUBPIXEL for one in (x.min(), y.min(), x.max(), y.max())
        )
        return Rect.from_corners(left, top, right, bottom)

    def take(self, indices: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Detections:
        """Return the chosen rows, in the given order (or by a mask of n booleans)."""
        rows = np.flatnonzero(indices) if indices.dtype == bool else np.asarray(indices)
        return Detections(
            *self.points_of(rows),
            self.ids[rows],
            self.class_index[rows],
            self.classes,
            {name: column[rows] for name, column in self.measurements.items()},
        )

    def without(self, ids: npt.NDArray[np.uint8]) -> Detections:
        """Return the rows that have none of these ids, (m, 16) bytes."""
        gone = self.rows_of(ids)
        return self.take(np.delete(np.arange(len(self)), gone)) if len(gone) else self

    def rows_of(self, ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
        """Return the rows that have one of these ids, (m, 16) bytes, ascending."""
        if not len(ids) or not len(self):
            return np.empty(0, np.intp)
        # by their halves first: numbers are fast
        ours, others = (np.ascontiguousarray(one).view(np.uint64) for one in (self.ids, ids))
        rows = np.flatnonzero(np.isin(ours[:, 0], others[:, 0]))
        return rows[np.isin(_keys(self.ids[rows]), _keys(ids))]

    def points_of(self, rows: npt.NDArray[np.integer]) -> tuple[Ints, Offsets]:
        """Return the rings of the chosen rows, as `points` and `offsets` are."""
        starts = self.offsets[rows]
        counts = self.offsets[rows + 1] - starts
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        # `take`, unlike an index in brackets, lets other threads run meanwhile
        return self.points.take(
            np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts), axis=0
        ), offsets

    def moved(self, dx_l0: int, dy_l0: int) -> Detections:
        """Return the table with every point moved by whole level-0 px."""
        return replace(self, points=self.points + np.array([dx_l0, dy_l0], np.int32) * SUBPIXEL)


def _keys(ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.bytes_]:
    return np.ascontiguousarray(ids).view("S16").ravel()


def empty_detections() -> Detections:
    """Return a table without rows."""
    return Detections(
        np.empty((0, 2), np.int32),
        np.zeros(1, np.int64),
        np.empty((0, 16), np.uint8),
        np.empty(0, np.int16),
        (),
        {},
    )


def concatenate(tables: Sequence[Detections]) -> Detections:
    """Return all rows in order; classes are merged by name, missing measurements are NaN."""
    tables = [table for table in tables if len(table)]
    if not tables:
        return empty_detections()
    if len(tables) == 1:
        return tables[0]
    classes = list(dict.fromkeys(entry for table in tables for entry in table.classes))
    by_name = {entry.name: position for position, entry in reversed(list(enumerate(classes)))}
    kept = sorted(set(by_name.values()))
    rank = {name: kept.index(position) for name, position in by_name.items()}
    names = list(dict.fromkeys(name for table in tables for name in table.measurements))
    starts = np.cumsum([0] + [len(table.points) for table in tables])
    return Detections(
        np.concatenate([table.points for table in tables]),
        np.concatenate(
            [np.zeros(1, np.int64)]
            + [table.offsets[1:] + start for table, start in zip(tables, starts, strict=False)]
        ),
        np.concatenate([table.ids for table in tables]),
        np.concatenate([_reindexed(table, rank) for table in tables]),
        tuple(classes[position] for position in kept),
        {name: np.concatenate([_column(table, name) for table in tables]) for name in names},
    )


def _reindexed(table: Detections, rank: Mapping[str, int]) -> npt.NDArray[np.int16]:
    lookup = np.array([rank[entry.name] for entry in table.classes] + [-1], dtype=np.int16)
    return lookup[table.class_index]


def _column(table: Detections, name: str) -> Floats:
    column = table.measurements.get(name)
    return np.full(len(table), np.nan, np.float32) if column is None else column
