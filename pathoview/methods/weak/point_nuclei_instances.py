"""Foreground → nuclei: what is too large for one nucleus is parted by the pixels' embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, find_objects

from pathoview.datasets.labels import Mask
from pathoview.methods.engine.mean_shift import mean_shift
from pathoview.methods.weak.point_nuclei_labels import Cells, Floats, filled_holes, without_small

BANDWIDTH = 1.5
_BIN = 0.75
_LARGE = 1.5
"""Times the usual area from which on a piece may be several nuclei."""
_MOST_SAMPLES = 400
_LEAST_PART = 0.15
"""Of the usual area: a smaller part of a piece belongs to the part beside it."""

Windows = Callable[[Sequence[tuple[int, int]]], Sequence[Floats]]
"""Left top corners of windows (x, y px, may be negative) → embeddings, (channel, side, side)."""


@dataclass(frozen=True, slots=True)
class PartingRule:
    """Sizes in px."""

    least_px: float
    usual_px: float
    """Median area of a nucleus."""
    window_px: int


def pieces_of(mask: Mask, least_px: float) -> Cells:
    """Return the connected pieces of a mask, holes filled, (height, width), 0 background."""
    _n, pieces = cv2.connectedComponents(
        filled_holes(without_small(mask, least_px)), connectivity=4
    )
    return np.asarray(pieces, np.int32)


def parted(mask: Mask, embed: Windows, rule: PartingRule) -> Cells:
    """Return the pieces of a mask, those too large for one nucleus parted.

    Each is looked at in a window around it, so that it comes out the same in every patch.
    """
    pieces = pieces_of(mask, rule.least_px)
    boxes = find_objects(pieces)
    areas = np.bincount(pieces.ravel())[1:]
    large = [
        number
        for number, (area, box) in enumerate(zip(areas, boxes, strict=True), 1)
        if area > _LARGE * rule.usual_px
        and max(one.stop - one.start for one in box) <= rule.window_px
    ]
    corners = [_corner(boxes[number - 1], rule.window_px) for number in large]
    n_labels = len(areas)
    for number, (x, y), embedding in zip(large, corners, embed(corners), strict=True):
        rows, columns = boxes[number - 1]
        inside = pieces[rows, columns]
        part = embedding[:, rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
        parts = parts_of(inside == number, part, _LEAST_PART * rule.usual_px)
        inside[parts > 1] = parts[parts > 1] + n_labels - 1
        n_labels += max(0, int(parts.max()) - 1)
    return pieces


def parts_of(piece: npt.NDArray[np.bool_], embedding: Floats, least_px: float) -> Cells:
    """Return the parts of one piece, 1 … n and 0 outside of it.

    ``embedding`` is (channel, height, width). Parts are connected and not smaller than
    ``least_px``, unless there is only one.
    """
    pixels = embedding[:, piece].T.astype(np.float64)
    sample = pixels[:: max(1, len(pixels) // _MOST_SAMPLES)]
    modes = cluster_means(sample, mean_shift(sample, BANDWIDTH, bin_size=_BIN))
    clusters = np.zeros(piece.shape, np.int32)
    distances = (pixels**2).sum(axis=1)[:, None] - 2 * pixels @ modes.T + (modes**2).sum(axis=1)
    clusters[piece] = distances.argmin(axis=1) + 1
    return _connected(clusters, piece, least_px)


def cluster_means(
    points: npt.NDArray[np.float64], clusters: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return the mean of the points of each cluster."""
    return np.stack([points[clusters == k].mean(axis=0) for k in np.unique(clusters)])


def _connected(clusters: Cells, piece: npt.NDArray[np.bool_], least_px: float) -> Cells:
    """Number the connected parts of clusters; small ones join what is nearest."""
    out = np.zeros(clusters.shape, np.int32)
    n = 0
    for cluster in range(1, int(clusters.max()) + 1):
        n_parts, parts, stats, _middles = cv2.connectedComponentsWithStats(
            (clusters == cluster).astype(np.uint8), connectivity=4
        )
        for part in range(1, n_parts):
            if stats[part, cv2.CC_STAT_AREA] >= least_px:
                n += 1
                out[parts == part] = n
    if n <= 1:
        return piece.astype(np.int32)
    nearest = distance_transform_edt(out == 0, return_distances=False, return_indices=True)
    return np.where(piece, out[nearest[0], nearest[1]], 0).astype(np.int32)


def _corner(box: tuple[slice, ...], side: int) -> tuple[int, int]:
    """Return the left top corner of the window around a box."""
    rows, columns = box
    return (
        (columns.start + columns.stop) // 2 - side // 2,
        (rows.start + rows.stop) // 2 - side // 2,
    )
