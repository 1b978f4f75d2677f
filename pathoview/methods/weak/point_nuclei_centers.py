"""Centers of nuclei: what is learned of them from points, and how nuclei are parted at them.

A point says where one nucleus is, and that close to it there is no other. So the network of where
nucleus is learns a second map, a Gaussian around each point: its peaks part nuclei that touch, and
what has no peak is none. Sirinukunwattana et al. 2016 detect nuclei so; the published method of
`point_nuclei` does not, and parts them by their embedding.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter
from skimage.segmentation import watershed

from pathoview.datasets.labels import BACKGROUND, UNKNOWN, Mask
from pathoview.methods.weak.point_nuclei_labels import (
    Cellmap,
    Cells,
    Flags,
    filled_holes,
    without_small,
)

CENTER = 200
"""What stands for a center in maps of whole numbers."""
_WIDTH_UM = 1.2
"""σ of the Gaussian around a point."""
_ALONE_UM = 3.0
"""So near to a point there is no center of another nucleus."""
_SMOOTH_UM, _REACH_UM = 0.6, 1.5
"""σ of the smoothing; a peak is the highest as far around."""
_LEAST_PEAK = 0.3
_FULL = 255


def center_map(cells: Cellmap, clusters: Mask, is_complete: Flags, is_allowed: Flags) -> Mask:
    """Return how near each pixel is to a center, (height, width): 0 … `CENTER`, 255 unknown.

    Where not all nuclei have a point, only what is so near to one that no other center can be is
    known, and what ``clusters`` (see `point_nuclei_labels.pseudo_masks`) calls background.
    """
    distance = cells.distance_um
    nearness = np.exp(-(distance**2) / (2 * _WIDTH_UM**2)) * CENTER
    is_known = ((distance <= _ALONE_UM) | is_complete) & is_allowed
    values = np.where(is_known, np.rint(nearness), UNKNOWN).astype(np.uint8)
    values[(clusters == BACKGROUND) & (distance > _ALONE_UM)] = 0
    return values


def parted_at_centers(
    mask: Mask, nearness: npt.NDArray[np.uint8], mpp: float, least_px: float
) -> Cells:
    """Return the nuclei of a mask, (height, width), 0 background: one for each peak in it.

    ``nearness`` (height, width) is 0 … 255, the learned map of centers.
    """
    mask = filled_holes(without_small(mask, least_px))
    smooth = cv2.GaussianBlur(nearness.astype(np.float32), (0, 0), _SMOOTH_UM / mpp)
    side = 2 * max(1, round(_REACH_UM / mpp)) + 1
    is_peak = (smooth == maximum_filter(smooth, side)) & (smooth >= _LEAST_PEAK * _FULL)
    peaks = (is_peak & (mask > 0)).astype(np.uint8)
    _n, seeds = cv2.connectedComponents(peaks, connectivity=8)
    flooded = watershed(-smooth, seeds, mask=mask > 0)  # type: ignore[no-untyped-call]
    return np.asarray(flooded, np.int32)
