"""Fills holes with the tissue beside them, mirrored at their rim.

A network that paints what is likeliest paints colours and large structures, and no grain: real
tissue has that, and the colours of its place. Deep in a hole, where no tissue is near, mirroring
makes streaks; there what was painted counts.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.methods.windows import Rgb

_BANDS_PX = (48, 24, 12)
"""How far beside the hole tissue is taken from: where that is hidden as well, from less far. What
lies deeper in the hole than that is mirrored back and forth."""
_DEPTH_PX = 96
"""How deep in a hole there is tissue from beside; it fades over the second half."""
_ISLAND_PX = 13
"""Nothing is taken from islands that are not as wide: often, pathology was overlooked there. Nor
from glass that is as wide."""
_GLASS = 210
"""Glass is as bright in all of red, green and blue."""
REACH_PX = _DEPTH_PX + max(_BANDS_PX) + _ISLAND_PX - 1
"""How far away a pixel can still change what another is filled with."""

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


def with_tissue_beside(painted: Floats, patch: Rgb, is_hole: Flags, share: float) -> Floats:
    """Return what was painted, (height, width, 3) 0 … 255, mixed with tissue from beside holes.

    ``share``: how much of it, 0 … 1, is tissue at most.
    """
    is_source = _wide(~is_hole) & ~_wide(patch.min(axis=2) >= _GLASS)
    if not share or not is_hole.any() or not is_source.any():
        return painted
    mirrored, weights = _mirrored(patch, is_source)
    weights = (share * weights * is_hole)[..., None]
    return np.asarray(painted + (mirrored - painted) * weights, np.float32)


def _wide(flags: Flags) -> Flags:
    """Return what of them is at least as wide as an island."""
    island = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_ISLAND_PX, _ISLAND_PX))
    opened: Flags = cv2.morphologyEx(flags.astype(np.uint8), cv2.MORPH_OPEN, island) > 0
    return opened


def _mirrored(patch: Rgb, is_source: Flags) -> tuple[Floats, Floats]:
    """Return a patch with its sources mirrored into all else, and how much of that counts.

    (height, width, 3), and (height, width) 0 … 1: nothing where there was nothing to mirror.
    """
    height, width = is_source.shape
    depth, numbers = cv2.distanceTransformWithLabels(
        (~is_source).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rim = np.zeros((int(numbers.max()) + 1, 2), np.int32)
    rim[numbers[is_source]] = np.argwhere(is_source)
    places = np.argwhere(~is_source & (depth <= _DEPTH_PX))
    at_rim = rim[numbers[places[:, 0], places[:, 1]]]
    outward = (at_rim - places).astype(np.float32)
    deep = np.maximum(np.hypot(*outward.T), 1)[:, None]
    mirrored, weights = patch.astype(np.float32), np.zeros((height, width), np.float32)
    fading = np.clip(2 * (1 - depth / _DEPTH_PX), 0, 1)
    is_open = np.ones(len(places), np.bool_)
    for band in _BANDS_PX:
        beyond = band - np.abs(deep % (2 * band) - band)
        rows, columns = np.rint(at_rim + outward * beyond / deep).astype(np.int32).T
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        found = is_open & inside
        found[inside] &= is_source[rows[inside], columns[inside]]
        to = tuple(places[found].T)
        mirrored[to] = patch[rows[found], columns[found]]
        weights[to] = fading[to]
        is_open &= ~found
    return mirrored, weights
