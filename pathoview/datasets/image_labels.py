"""Labels that come as a picture of their own, or as a table of points."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.datasets.feature_labels import POINT_UM, FeatureLabels
from pathoview.datasets.label_files import Numbers, PointTable
from pathoview.datasets.labels import (
    BACKGROUND,
    UNKNOWN,
    Flags,
    InstancePatch,
    LabelledPoints,
    Mask,
)
from pathoview.datasets.meanings import ClassRecord

_NO_OBJECT = -1


class _Raster:
    """A label image that lies over the whole picture, one number a level-0 px."""

    def __init__(self, pixels: npt.NDArray[np.integer]) -> None:
        self._pixels = pixels

    def _cut(self, rect_l0: Rect, width: int, height: int, outside: int) -> npt.NDArray[np.int32]:
        """Return the number under the centre of each pixel of a patch, (height, width)."""
        rows, is_row = _centers(rect_l0.y, rect_l0.height, height, self._pixels.shape[0])
        columns, is_column = _centers(rect_l0.x, rect_l0.width, width, self._pixels.shape[1])
        found = self._pixels[np.ix_(rows, columns)].astype(np.int32)
        found[~is_row] = outside
        found[:, ~is_column] = outside
        return found

    def fingerprint(self) -> str:
        """Return a hexadecimal hash of all that is said."""
        said = np.ascontiguousarray(self._pixels)
        return hashlib.sha256(f"{said.shape}".encode() + said.tobytes()).hexdigest()[:32]

    def no_nuclei(self, rect_l0: Rect, width: int, height: int) -> Flags:
        """Return nothing: no class of a picture means that there is no nucleus."""
        del rect_l0
        return np.zeros((height, width), np.bool_)

    def no_nuclei_at(self) -> npt.NDArray[np.float64]:
        return np.empty((0, 2))

    def _whole_l0(self) -> npt.NDArray[np.float64]:
        height, width = self._pixels.shape
        return np.array([[0, 0, width, height]], np.float64)


class InstanceImage(_Raster):
    """A picture of instance ids, 0 background; everything is known. Masks have one class, 1."""

    def __init__(self, pixels: Numbers) -> None:
        """``pixels``: (height, width) level-0 px."""
        super().__init__(pixels.astype(np.int32))
        self._centroids = _centroids(self._pixels)

    @property
    def n_labels(self) -> int:
        return len(self._centroids)

    def counts(self) -> Mapping[int, int]:
        return {1: self.n_labels}

    def mask(self, rect_l0: Rect, width: int, height: int) -> Mask:
        found = self._cut(rect_l0, width, height, _NO_OBJECT)
        return np.where(found == _NO_OBJECT, UNKNOWN, found > 0).astype(np.uint8)

    def instances(self, rect_l0: Rect, width: int, height: int) -> InstancePatch:
        found = self._cut(rect_l0, width, height, _NO_OBJECT)
        return InstancePatch(np.maximum(found, 0), found != _NO_OBJECT)

    def points(self) -> LabelledPoints:
        return LabelledPoints(self._centroids, np.ones(self.n_labels, np.int16))

    def examples(self) -> LabelledPoints:
        return self.points()

    def full_l0(self) -> npt.NDArray[np.float64]:
        return self._whole_l0()

    def extents_l0(self) -> npt.NDArray[np.float64]:
        return self._whole_l0()


class ClassImage(_Raster):
    """A picture of classes, 0 background, 255 unknown; it tells no objects."""

    def __init__(self, pixels: Numbers, numbers: Sequence[int] = ()) -> None:
        """``pixels``: (height, width) level-0 px, values 0–255.

        ``numbers``: the value of each class that is learned; empty: they are 1, 2 …. What is of
        another class is background.
        """
        values = np.asarray(pixels, np.uint8)
        if numbers:
            to_value = np.full(256, BACKGROUND, np.uint8)
            to_value[UNKNOWN] = UNKNOWN
            to_value[list(numbers)] = np.arange(1, len(numbers) + 1)
            values = to_value[values]
        super().__init__(values)

    def only(self, values: Sequence[int]) -> ClassImage:
        """Return the same with only some of its classes, which become 1, 2 …."""
        return ClassImage(self._pixels, values)

    @property
    def n_labels(self) -> int:
        return sum(self.counts().values())

    def counts(self) -> Mapping[int, int]:
        """Return the number of connected areas of each class."""
        return {
            value: cv2.connectedComponents((self._pixels == value).astype(np.uint8))[0] - 1
            for value in np.unique(self._pixels).tolist()
            if value not in (BACKGROUND, UNKNOWN)
        }

    def mask(self, rect_l0: Rect, width: int, height: int) -> Mask:
        return self._cut(rect_l0, width, height, UNKNOWN).astype(np.uint8)

    def instances(self, rect_l0: Rect, width: int, height: int) -> InstancePatch:
        del rect_l0
        nothing = np.zeros((height, width), np.int32)
        return InstancePatch(nothing, np.zeros((height, width), np.bool_))

    def points(self) -> LabelledPoints:
        return LabelledPoints(np.empty((0, 2)), np.empty(0, np.int16))

    def examples(self) -> LabelledPoints:
        return self.points()

    def full_l0(self) -> npt.NDArray[np.float64]:
        return np.empty((0, 4)) if (self._pixels == UNKNOWN).any() else self._whole_l0()

    def extents_l0(self) -> npt.NDArray[np.float64]:
        return self._whole_l0()


def point_labels(
    table: PointTable,
    classes: Sequence[ClassRecord],
    mpp: float,
    size_l0: tuple[int, int],
    point_um: float = POINT_UM,
) -> FeatureLabels:
    """Return the labels of a table of points: nothing else is known of the picture."""
    drawn = {one.name: DetectionClass(one.name, one.color) for one in classes}
    features = [
        Feature(shapely.Point(xy), classification=drawn.get(name))
        for xy, name in zip(table.xy_l0, table.names, strict=True)
    ]
    values = {one.name: place for place, one in enumerate(classes, 1)}
    return FeatureLabels(features, classes, values, mpp=mpp, point_um=point_um, size_l0=size_l0)


def _centers(
    start: float, length: float, n: int, size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the px under the centres of n pixels on one axis, and whether there is one."""
    places = np.floor(start + (np.arange(n) + 0.5) * length / n).astype(np.int64)
    return np.clip(places, 0, size - 1), (places >= 0) & (places < size)


def _centroids(labels: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Return the middles of objects, (n, 2) x and y, in the order of their ids."""
    rows, columns = np.nonzero(labels)
    _ids, member, counts = np.unique(labels[rows, columns], return_inverse=True, return_counts=True)
    sums = (
        np.bincount(member, weights=axis + 0.5, minlength=len(counts)) for axis in (columns, rows)
    )
    return np.stack([one / counts for one in sums], axis=1).reshape(-1, 2)
