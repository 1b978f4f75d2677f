"""Foreground → nuclei as published: all pixels of overlapping windows are clustered."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from pathoview.datasets.labels import Mask
from pathoview.methods.engine.mean_shift import mean_shift
from pathoview.methods.weak.point_nuclei_instances import (
    BANDWIDTH,
    PartingRule,
    Windows,
    pieces_of,
)
from pathoview.methods.weak.point_nuclei_labels import Cells, Floats, filled_holes, without_small
from pathoview.methods.windows import window_starts

_OVERLAP = 120 / 224
"""Share of a window that the next one shares with it."""
_FINE_BIN = 0.25
"""Seeds this close together come to rest at the same mode."""
_SCATTERED = 5
"""A cluster in so many pieces is no nucleus but a rim or background."""


def parted_in_windows(mask: Mask, embed: Windows, rule: PartingRule) -> Cells:
    """Return the nuclei of a mask, (height, width), 0 background.

    A nucleus is taken, whole, from the window in whose middle its own middle lies.
    """
    mask = filled_holes(without_small(mask, rule.least_px))
    side = rule.window_px
    overlap = round(side * _OVERLAP)
    rows, columns = (window_starts(length, side, overlap) for length in mask.shape)
    out = np.zeros(mask.shape, np.int32)
    for top, bottom, y in _middles(rows, side, mask.shape[0]):
        for left, right, x in _middles(columns, side, mask.shape[1]):
            part = mask[y : y + side, x : x + side]
            if not part.any():
                continue
            height, width = part.shape
            found = clustered(part, embed([(x, y)])[0][:, :height, :width], rule.least_px)
            _take(out, found, (x, y), (left, top, right, bottom))
    return out


def clustered(mask: Mask, embedding: Floats, least_px: float) -> Cells:
    """Return the clusters of a window's foreground, parts of one cluster told apart."""
    is_inside = mask > 0
    pixels = embedding[:, is_inside].T.astype(np.float64)
    clusters = np.zeros(mask.shape, np.int32)
    clusters[is_inside] = mean_shift(pixels, BANDWIDTH, bin_size=_FINE_BIN) + 1
    parts = [
        pieces_of((clusters == number).astype(np.uint8), least_px)
        for number in range(1, int(clusters.max()) + 1)
    ]
    counts = [int(part.max()) for part in parts]
    worst = int(np.argmax(counts)) if counts else 0
    out = np.zeros(mask.shape, np.int32)
    for number, part in enumerate(parts):
        if number == worst and counts[number] >= _SCATTERED:
            continue
        out[part > 0] = part[part > 0] + out.max()
    return out


def _middles(starts: list[int], side: int, length: int) -> list[tuple[float, float, int]]:
    """Return for each window from where to where its middle reaches, and where it begins."""
    cuts = [(one + other + side) / 2 for one, other in itertools.pairwise(starts)]
    return list(zip([0.0, *cuts], [*cuts, float(length)], starts, strict=True))


def _take(
    out: Cells,
    found: Cells,
    corner: tuple[int, int],
    middle: tuple[float, float, float, float],
) -> None:
    """Write the nuclei of a window whose middles lie in its middle, where nothing is yet."""
    left, top, right, bottom = middle
    (x, y), (height, width) = corner, found.shape
    target = out[y : y + height, x : x + width]
    n = int(out.max())
    for number in range(1, int(found.max()) + 1):
        is_it = found == number
        moments = cv2.moments(is_it.astype(np.uint8), binaryImage=True)
        cx, cy = (x + moments[m] / moments["m00"] for m in ("m10", "m01"))
        cy += y - x
        if left <= cx < right and top <= cy < bottom:
            n += 1
            target[is_it & (target == 0)] = n
