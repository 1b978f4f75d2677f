"""Nuclei as two maps, and back: where nucleus is, and how deep in its nucleus a pixel lies.

The depth is the distance to the border as part of the deepest one of the same nucleus, 0 rim to 1
middle: touching nuclei are parted by the valley between them, whatever their size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from skimage.segmentation import watershed

from pathoview.methods.spec import Found

Labels = npt.NDArray[np.int32]
Map = npt.NDArray[np.float32]

FOREGROUND, DEPTH = 0, 1
N_MAPS = 2

_LEAST_SCALE, _MOST_SCALE = 0.8, 1.25
_LOWEST_LEVEL, _LEVEL_STEP = 0.15, 0.1
_FULL = 255
"""Maps are made whole numbers before they are compared: tiny differences decide nothing."""


def is_near(scale: float) -> bool:
    """Say whether a network takes pictures of a scale, 1 wanted, as they are: nuclei vary, too."""
    return _LEAST_SCALE <= scale <= _MOST_SCALE


def depth_of(labels: Labels) -> Map:
    """Return how far each pixel of an object is from its border, px; 0 outside.

    Where objects touch, both have their border; the edge of the picture is none.
    """
    inside = (labels > 0).astype(np.uint8)
    for one, other in (
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:, :-1], np.s_[:, 1:]),
    ):
        meet = (labels[one] != labels[other]) & (labels[one] > 0) & (labels[other] > 0)
        inside[one][meet] = 0
        inside[other][meet] = 0
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def targets_of(labels: Labels) -> npt.NDArray[np.float32]:
    """Return the two maps of known nuclei, (2, height, width), 0 … 1."""
    depth = depth_of(labels)
    deepest = np.zeros(int(labels.max(initial=0)) + 1, np.float32)
    np.maximum.at(deepest, labels.ravel(), depth.ravel())
    relative = depth / np.maximum(deepest, 1e-3)[labels]
    return np.stack([(labels > 0).astype(np.float32), relative])


@dataclass(frozen=True, slots=True)
class Parting:
    """How maps become nuclei."""

    threshold: float = 0.5
    """Probability above which a pixel is nucleus."""
    split: float = 0.5
    """Depth at which the core of a nucleus begins."""
    smoothing_px: float = 0.8
    """Width (σ) of the smoothing of the depth."""
    min_area_px: float = 32.0
    max_area_px: float = 2400.0


def nuclei_of(maps: npt.NDArray[np.float32], how: Parting) -> Found:
    """Return the nuclei of two maps, (2, height, width), each with its mean probability."""
    foreground, depth = (_whole(one) for one in maps)
    mask = foreground > how.threshold * _FULL
    if how.smoothing_px > 0:
        depth = np.asarray(cv2.GaussianBlur(depth, (0, 0), how.smoothing_px), np.uint8)
    markers = _markers(mask, depth, how.split)
    flooded = watershed(_FULL - depth, markers, mask=mask)  # type: ignore[no-untyped-call]
    labels = np.asarray(flooded, np.int32)
    areas = np.bincount(labels.ravel(), minlength=1)
    is_nucleus = (areas >= max(1.0, how.min_area_px)) & (areas <= how.max_area_px)
    is_nucleus[0] = False
    sums = np.bincount(labels.ravel(), weights=foreground.ravel(), minlength=1)
    confidence = sums[is_nucleus] / areas[is_nucleus] / _FULL
    numbers = (np.cumsum(is_nucleus) * is_nucleus).astype(np.int32)
    return Found(numbers[labels], np.concatenate([[0.0], confidence]).astype(np.float32))


def _whole(values: Map) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(values * _FULL), np.uint8)


def _markers(mask: npt.NDArray[np.bool_], depth: npt.NDArray[np.uint8], split: float) -> Labels:
    """Return one marker a nucleus: its core, or where it is deepest when it has none.

    From the cores' depth downwards, level by level, each piece that holds no marker yet is one.
    """
    markers = np.zeros(mask.shape, np.int32)
    n_markers = 0
    for level in [*np.arange(split, _LOWEST_LEVEL, -_LEVEL_STEP), -1.0]:
        is_deep = mask & (depth > level * _FULL)
        n_pieces, pieces = cv2.connectedComponents(is_deep.astype(np.uint8), connectivity=4)
        is_taken = np.zeros(n_pieces, np.bool_)
        is_taken[pieces[markers > 0]] = True
        is_taken[0] = True
        markers = np.where(is_taken[pieces], markers, pieces + n_markers)
        n_markers += n_pieces
    return np.asarray(markers, np.int32)
