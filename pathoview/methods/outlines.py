"""Labelled nuclei of a patch become detections: outlines to a stated tolerance, measurements in µm.

Objects belong to the patch whose core holds their centroid; what the patch's end cuts is left to
its neighbour. Areas, axes and stains are measured on the pixels, not on the simplified polygon.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.detections import CONFIDENCE, SUBPIXEL, DetectionClass, Detections
from pathoview.core.geometry import Rect
from pathoview.methods.rings import Rings, following_points, ranges, ring_areas, simplify, trace
from pathoview.slides.stains import OPTICAL_DENSITY, StainMatrix

TOLERANCE_UM = 0.25
"""How far, in µm, a simplified outline may leave the pixels' outline."""

SHAPE_MEASUREMENTS = (
    "Area µm²",
    "Perimeter µm",
    "Circularity",
    "Solidity",
    "Major axis µm",
    "Minor axis µm",
)
"""The two means of the stains follow them."""

_LARGEST_GROWTH = 1.2

Labels = npt.NDArray[np.int32]
Points = npt.NDArray[np.float64]


def outlines(
    labels: Labels,
    patch: npt.NDArray[np.uint8],
    *,
    mpp: float,
    scale_l0: float,
    origin_l0: tuple[float, float],
    core_lv: Rect,
    stains: StainMatrix,
    tolerance_um: float = TOLERANCE_UM,
    classes: tuple[DetectionClass, ...] = (),
    confidence: npt.NDArray[np.float32] | None = None,
) -> Detections:
    """Return the patch's own objects; their ids are zero until the run names them.

    Parameters
    ----------
    labels
        (height, width) int32, 0 background.
    patch
        The RGB they were made from, (height, width, 3) uint8.
    mpp, scale_l0
        µm and level-0 px per px of the patch.
    origin_l0
        Level-0 x, y of the patch's top-left corner.
    core_lv
        The part that is not halo, px of the patch. Where it reaches the patch's end, the picture
        ends there too, and what touches that end is whole.
    classes
        The class of all objects, if they have one.
    confidence
        How sure the method is of each, by label; None: it does not say.
    """
    objects = _own_objects(labels, core_lv)
    rings = trace(objects.labels)
    areas = _enclosed(rings)
    size = labels.shape[1], labels.shape[0]
    points, offsets = _fitted(rings, areas, tolerance_um / mpp, size)
    measurements = {
        **_shape(objects, areas, points, offsets, mpp),
        **_stain_means(objects, patch, stains),
    }
    if confidence is not None:
        measurements[CONFIDENCE] = confidence[objects.numbers].astype(np.float64)
    n = len(areas)
    return Detections(
        np.rint((points * scale_l0 + np.asarray(origin_l0)) * SUBPIXEL).astype(np.int32),
        offsets,
        np.zeros((n, 16), np.uint8),
        np.full(n, 0 if classes else -1, np.int16),
        classes[:1],
        {name: column.astype(np.float32) for name, column in measurements.items()},
    )


@dataclass(frozen=True, slots=True)
class _Objects:
    """The objects of a patch as pixels, relabelled 1 … n."""

    labels: Labels
    numbers: npt.NDArray[np.int64]
    """The label that each had before."""
    pixels: npt.NDArray[np.int64]
    """Flat positions of all objects' pixels."""
    owner: npt.NDArray[np.int64]
    """Row (0 …) of the object of each pixel."""
    areas: npt.NDArray[np.int64]
    x: Points
    """Centre of each pixel, px from the patch's corner."""
    y: Points
    centroid_x: Points
    centroid_y: Points

    def mean(self, values: Points) -> Points:
        """Return the mean over each object's pixels."""
        return np.asarray(np.bincount(self.owner, values, len(self.areas)) / self.areas)


def _own_objects(labels: Labels, core: Rect) -> _Objects:
    pixels = np.flatnonzero(labels)
    owner = labels.ravel()[pixels]
    areas = np.bincount(owner)
    y, x = np.divmod(pixels, max(1, labels.shape[1]))
    with np.errstate(invalid="ignore"):
        center_x = np.bincount(owner, x + 0.5) / areas
        center_y = np.bincount(owner, y + 0.5) / areas
    is_own = (center_x >= core.x) & (center_x < core.right)
    is_own &= (center_y >= core.y) & (center_y < core.bottom)
    is_own[_cut_labels(labels, core)] = False
    kept = np.flatnonzero(is_own)
    rank = np.zeros(len(areas), np.int32)
    rank[kept] = np.arange(1, len(kept) + 1)
    new = rank[owner]
    inside = new > 0
    return _Objects(
        rank[labels] if len(kept) else np.zeros_like(labels),
        kept,
        pixels[inside],
        new[inside].astype(np.int64) - 1,
        areas[kept],
        x[inside] + 0.5,
        y[inside] + 0.5,
        center_x[kept],
        center_y[kept],
    )


def _cut_labels(labels: Labels, core: Rect) -> Labels:
    """Return the labels at the ends of the patch behind which the slide goes on."""
    height, width = labels.shape
    ends = [
        labels[:1] if core.y > 0 else None,
        labels[-1:] if core.bottom < height else None,
        labels[:, :1] if core.x > 0 else None,
        labels[:, -1:] if core.right < width else None,
    ]
    cut = [end[end > 0] for end in ends if end is not None]
    return np.unique(np.concatenate([np.empty(0, np.int32), *cut]))


def _enclosed(rings: Rings) -> Points:
    """Return the pixels each ring encloses: those of the object's main piece and of its holes."""
    if not len(rings.labels):
        return np.empty(0)
    return ring_areas(rings.points / 2, rings.offsets) + 0.5


def _fitted(
    rings: Rings, areas: Points, tolerance_px: float, size: tuple[int, int]
) -> tuple[Points, npt.NDArray[np.int64]]:
    """Return simplified rings, px of the patch, that enclose the given areas.

    Leaving vertices out shrinks round shapes; each ring is scaled about its middle to make up for
    it. The few that cross themselves after that keep all their vertices.
    """
    fewer = simplify(rings, tolerance_px)
    points = np.clip(_with_area(fewer, areas), 0, size)
    is_bad = ~_is_valid(points, fewer.offsets)
    if not is_bad.any():
        return points, fewer.offsets
    exact = rings.points / 2
    starts = np.where(is_bad, rings.offsets[:-1] + len(points), fewer.offsets[:-1])
    counts = np.where(is_bad, np.diff(rings.offsets), np.diff(fewer.offsets))
    rows, offsets = ranges(starts, counts)
    return np.concatenate([points, exact])[rows], offsets


def _with_area(rings: Rings, areas: Points) -> Points:
    points = rings.points / 2
    if not len(areas):
        return points
    counts = np.diff(rings.offsets)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.sqrt(areas / ring_areas(points, rings.offsets))
    factor[~(factor < _LARGEST_GROWTH)] = 1.0  # a sliver, whose area says nothing
    middle = np.add.reduceat(points, rings.offsets[:-1]) / counts[:, None]
    centers = np.repeat(middle, counts, axis=0)
    return np.asarray(centers + (points - centers) * np.repeat(factor, counts)[:, None])


def _is_valid(points: Points, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say which rings are simple, on the grid on which they are stored."""
    if len(offsets) == 1:
        return np.empty(0, np.bool_)
    whole = np.rint(points * SUBPIXEL)
    counts = np.diff(offsets)
    closed = np.insert(whole, offsets[1:], whole[offsets[:-1]], axis=0)
    rings = shapely.linearrings(closed, indices=np.repeat(np.arange(len(counts)), counts + 1))
    return np.asarray(shapely.is_valid(shapely.polygons(rings)))


def _shape(
    objects: _Objects, areas: Points, points: Points, offsets: npt.NDArray[np.int64], mpp: float
) -> dict[str, Points]:
    if not len(objects.areas):
        return dict.fromkeys(SHAPE_MEASUREMENTS, np.empty(0))
    steps = np.hypot(*(following_points(points, offsets) - points).T)
    perimeter = np.add.reduceat(steps, offsets[:-1])
    area = ring_areas(points, offsets)
    major, minor = _axes(objects)
    columns = (
        areas * mpp**2,
        perimeter * mpp,
        np.minimum(1.0, 4 * np.pi * area / perimeter**2),
        np.minimum(1.0, area / _hull_areas(points, offsets)),
        major * mpp,
        minor * mpp,
    )
    return dict(zip(SHAPE_MEASUREMENTS, columns, strict=True))


def _axes(objects: _Objects) -> tuple[Points, Points]:
    """Return the full axes of the ellipse with the object's second moments, px."""
    dx = objects.x - objects.centroid_x[objects.owner]
    dy = objects.y - objects.centroid_y[objects.owner]
    # A pixel is a square, not a point: 1/12 is its own second moment.
    xx, yy = objects.mean(dx * dx) + 1 / 12, objects.mean(dy * dy) + 1 / 12
    xy = objects.mean(dx * dy)
    spread = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    return 4 * np.sqrt((xx + yy + spread) / 2), 4 * np.sqrt((xx + yy - spread) / 2)


def _hull_areas(points: Points, offsets: npt.NDArray[np.int64]) -> Points:
    rings = np.split(points.astype(np.float32), offsets[1:-1])
    return np.array([cv2.contourArea(cv2.convexHull(ring)) for ring in rings])


def _stain_means(
    objects: _Objects, patch: npt.NDArray[np.uint8], stains: StainMatrix
) -> dict[str, Points]:
    density = OPTICAL_DENSITY[patch.reshape(-1, 3)[objects.pixels]]
    amounts = density @ stains.unmixing[:, :2]
    return {f"{name} mean": objects.mean(amounts[:, i]) for i, name in enumerate(stains.stains)}
