"""Outlines to label images: a pixel belongs to the ring that holds its centre."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import SUBPIXEL, Detections


def filled(detections: Detections, width: int, height: int) -> npt.NDArray[np.int32]:
    """Return the objects as labels 1 … n, (height, width) level-0 px, 0 is background.

    Where rings overlap, the pixel goes to the first.
    """
    labels = np.zeros((height, width), np.int32)
    ring, row, x = _crossings(detections)
    order = np.lexsort((x, row, ring))
    ring, row, x = ring[order], row[order], x[order]
    # Every row crosses a closed ring an even number of times: in, out, in, out …
    start, end = np.ceil(x[0::2] - 0.5), np.ceil(x[1::2] - 0.5)
    start, end = (np.clip(edge, 0, width).astype(np.int64) for edge in (start, end))
    is_inside = (row[0::2] >= 0) & (row[0::2] < height)
    counts = np.where(is_inside, end - start, 0)
    first = row[0::2] * width + start
    offsets = np.cumsum(counts) - counts
    pixels = np.repeat(first - offsets, counts) + np.arange(counts.sum())
    owner = np.repeat(ring[0::2] + 1, counts)
    labels.ravel()[pixels[::-1]] = owner[::-1]  # the last write wins
    return labels


def _crossings(
    detections: Detections,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return where rings cross the middles of pixel rows: ring, row, and x of each crossing."""
    points = detections.points / SUBPIXEL
    counts = np.diff(detections.offsets)
    following = np.roll(points, -1, axis=0)
    following[detections.offsets[1:] - 1] = points[detections.offsets[:-1]]
    top = np.minimum(points[:, 1], following[:, 1])
    bottom = np.maximum(points[:, 1], following[:, 1])
    first = np.ceil(top - 0.5).astype(np.int64)
    n_rows = np.ceil(bottom - 0.5).astype(np.int64) - first
    edge = np.repeat(np.arange(len(points)), n_rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows) + first[edge]
    (x0, y0), (x1, y1) = points[edge].T, following[edge].T
    x = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
    ring = np.repeat(np.arange(len(counts)), counts)[edge]
    return ring, row, x
