"""Detail for what a network painted: that of healthy tissue beside the hole, mirrored at its rim.

A network that paints what is likeliest paints colours and large structures, and no grain. The grain
of tissue is beside the hole. It is taken over without its colours, which the network knows better.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.methods.windows import Rgb

MOST_PX = 12.0
"""Largest detail; with it, nothing looks further than `REACH_PX`."""
_BANDS_PX = (48, 24, 12)
"""How far beside the hole detail is taken from: where that is hidden as well, from less far. What
lies deeper in the hole than that is mirrored back and forth."""
_DEPTH_PX = 96
"""How deep in a hole there is detail; it fades over the second half, where it becomes streaks."""
REACH_PX = round(_DEPTH_PX + max(_BANDS_PX) + 3 * MOST_PX)

_LEAST_WEIGHT = 1e-3

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


def with_detail(painted: Floats, patch: Rgb, is_hidden: Flags, detail_px: float) -> Floats:
    """Return what was painted, (height, width, 3) 0 … 255, with detail where it is hidden.

    ``detail_px``: the size of what counts as detail, at most `MOST_PX`; 0: nothing is added.
    """
    if not detail_px or not is_hidden.any() or is_hidden.all():
        return painted
    mirrored, known, depth = _mirrored(patch, is_hidden)
    side = 2 * round(3 * detail_px) + 1
    sums, weights = (
        cv2.GaussianBlur(one, (side, side), detail_px)
        for one in (mirrored * known[..., None], known)
    )
    even = sums / np.maximum(weights, _LEAST_WEIGHT)[..., None]
    fading = np.clip(2 * (1 - depth / _DEPTH_PX), 0, 1) * known * is_hidden
    return np.asarray(painted + (mirrored - even) * fading[..., None], np.float32)


def _mirrored(patch: Rgb, is_hidden: Flags) -> tuple[Floats, Floats, Floats]:
    """Return a patch mirrored into its hole, where that could be (0, 1), and how deep in it lies.

    (height, width, 3), and (height, width) twice.
    """
    height, width = is_hidden.shape
    depth, numbers = cv2.distanceTransformWithLabels(
        is_hidden.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rim = np.zeros((int(numbers.max()) + 1, 2), np.int32)
    rim[numbers[~is_hidden]] = np.argwhere(~is_hidden)
    places = np.argwhere(is_hidden & (depth <= _DEPTH_PX))
    at_rim = rim[numbers[places[:, 0], places[:, 1]]]
    outward = (at_rim - places).astype(np.float32)
    deep = np.maximum(np.hypot(*outward.T), 1)[:, None]
    mirrored, known = patch.astype(np.float32), (~is_hidden).astype(np.float32)
    is_open = np.ones(len(places), np.bool_)
    for band in _BANDS_PX:
        beyond = band - np.abs(deep % (2 * band) - band)
        rows, columns = np.rint(at_rim + outward * beyond / deep).astype(np.int32).T
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        found = is_open & inside
        found[inside] &= ~is_hidden[rows[inside], columns[inside]]
        to_rows, to_columns = places[found].T
        mirrored[to_rows, to_columns] = patch[rows[found], columns[found]]
        known[to_rows, to_columns] = 1
        is_open &= ~found
    return mirrored, known, np.asarray(depth, np.float32)
