"""Nuclei by stain separation, a threshold and a watershed. Nothing is trained.

What needs the whole slide is measured once, in `prepare`: the stains' colours and the threshold.
After that every step looks only a few µm around a pixel and works on whole numbers, so that a
nucleus comes out the same in whichever patch it lies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from pathoview.methods.sampling import stains_of, tissue_sample
from pathoview.methods.spec import Found
from pathoview.methods.supervised.nuclei_watershed_params import NucleiWatershedParams
from pathoview.slides.reading import analysis_grid
from pathoview.slides.slide import Slide
from pathoview.slides.stains import (
    H_DAB,
    H_E,
    OPTICAL_DENSITY,
    StainEstimate,
    StainMatrix,
    amount_table,
    whole_amounts,
)
from pathoview.slides.tissue import tissue_mask

Rgb = npt.NDArray[np.uint8]
Amounts = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]

_PER_OD = 100
"""Amounts of stain are whole hundredths of optical density, 0–255."""
_LEAST_THRESHOLD = 40
"""No slide's nuclei are paler than OD 0.4 on the average: guards slides without nuclei."""
_TISSUE_OD = 0.1
_GLASS = 225
"""A pixel whose darkest channel is brighter than this tells nothing of the surroundings."""
_LEAST_SURROUNDINGS = 0.1
_RIM_UM = 4.0
"""Depth inside a nucleus beyond which its shape no longer matters."""
_SHAPE_SMOOTHING_UM = 0.8
_WEIGHT = 256
"""Weights are whole 1/256."""


class NucleiWatershed:
    """See the module; the parameters say the rest."""

    def __init__(self, params: NucleiWatershedParams) -> None:
        self._params = params

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Measure the stains' colours and the threshold on pieces of tissue."""
        grid = analysis_grid(slide, mpp)
        patches = tissue_sample(slide, grid, tissue_mask(slide))
        estimate = self._stains(patches)
        return {
            "stains": estimate.matrix.to_json(),
            "stains_problem": estimate.problem,
            "threshold": self._threshold(patches, estimate.matrix, mpp),
        }

    def predict(self, patch: Rgb, mpp: float, context: Mapping[str, Any]) -> Found:
        """Return the nuclei of a patch."""
        amount = self._amount(patch, StainMatrix.from_json(context["stains"]), mpp)
        mask = self._foreground(patch, amount, int(context["threshold"]), mpp)
        return Found(self._sized(self._split(mask, mpp), mpp))

    def _stains(self, patches: Sequence[Rgb]) -> StainEstimate:
        if self._params.stain == "H-DAB":
            return StainEstimate(H_DAB)
        return StainEstimate(H_E) if self._params.stain == "H&E" else stains_of(patches)

    def _amount(self, patch: Rgb, stains: StainMatrix, mpp: float) -> Amounts:
        """Return the smoothed amount of stain in hundredths of OD."""
        weights = stains.unmixing[:, 0]
        if self._params.nuclei_are == "any stain":
            weights = weights + stains.unmixing[:, 1]
        amount = whole_amounts(patch, amount_table(weights, _PER_OD))
        return _blurred(np.clip(amount, 0, 255).astype(np.uint8), self._params.smoothing_um / mpp)

    def _threshold(self, patches: Sequence[Rgb], stains: StainMatrix, mpp: float) -> int:
        """Return Otsu's threshold between the nuclei and the rest of the tissue."""
        counts = np.zeros(256, np.int64)
        for patch in patches:
            density = OPTICAL_DENSITY.astype(np.float32)[patch].mean(axis=2)
            amount = self._amount(patch, stains, mpp)[density > _TISSUE_OD]
            counts += np.bincount(amount, minlength=256)
        if np.count_nonzero(counts) < 2:
            return _LEAST_THRESHOLD
        found = threshold_otsu(hist=(counts, np.arange(256)))  # type: ignore[no-untyped-call]
        return max(int(found), _LEAST_THRESHOLD)

    def _foreground(self, patch: Rgb, amount: Amounts, threshold: int, mpp: float) -> Mask:
        """Return where there is more stain than the slide's and the surroundings' threshold."""
        params = self._params
        local = round(params.local_share * _WEIGHT)
        fixed = round((1 - params.local_share) * params.threshold * threshold * _WEIGHT)
        total, n_pixels = _surroundings(patch, amount, params.background_radius_um / mpp)
        # amount > fixed + local × mean, multiplied by the number of pixels: no division.
        excess = (amount.astype(np.int32) * _WEIGHT - fixed) * n_pixels
        mask = (excess > local * total).astype(np.uint8)
        _fill_holes(mask, params.largest_hole_um2 / mpp**2)
        return _opened(mask, params.opening_um / mpp)

    def _split(self, mask: Mask, mpp: float) -> npt.NDArray[np.int32]:
        """Part touching nuclei: each flows to the deepest point around, as water would."""
        depth = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5)
        depth = np.minimum(depth, np.float32(_RIM_UM / mpp))
        whole = (depth * np.float32(255 * mpp / _RIM_UM)).astype(np.uint8)
        height = _blurred(whole, _SHAPE_SMOOTHING_UM / mpp)
        peaks = (height == cv2.dilate(height, _disk(self._params.split_um / mpp))) & (mask > 0)
        _n, markers = cv2.connectedComponents(peaks.astype(np.uint8), connectivity=8)
        flooded = watershed(255 - height, markers, mask=mask > 0)  # type: ignore[no-untyped-call]
        return np.asarray(flooded, np.int32)

    def _sized(self, labels: npt.NDArray[np.int32], mpp: float) -> npt.NDArray[np.int32]:
        """Leave out what is too small or too large."""
        areas = np.bincount(labels.ravel()) * mpp**2
        is_nucleus = (areas >= self._params.min_area_um2) & (areas <= self._params.max_area_um2)
        is_nucleus[0] = False
        return (np.arange(len(areas)) * is_nucleus).astype(np.int32)[labels]


def _surroundings(
    patch: Rgb, amount: Amounts, radius_px: float
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the sum of the stain in a square around each pixel, glass aside, and its pixels."""
    side = 2 * round(radius_px) + 1
    red, green, blue = cv2.split(patch)
    is_tissue = (cv2.min(cv2.min(red, green), blue) < _GLASS).astype(np.uint8)
    least = math.ceil(_LEAST_SURROUNDINGS * side**2)
    return _sums(amount * is_tissue, side), np.maximum(_sums(is_tissue, side), least)


def _sums(image: Amounts, side: int) -> npt.NDArray[np.int32]:
    """Return the sum over a square around each pixel; beyond the edge there is nothing."""
    summed = cv2.boxFilter(
        image, cv2.CV_32S, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(summed, np.int32)


def _blurred(image: Amounts, sigma_px: float) -> Amounts:
    """Smooth 8-bit pixels; OpenCV does this in fixed point, to the same bit everywhere."""
    if sigma_px <= 0:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.uint8)


def _opened(mask: Mask, radius_px: float) -> Mask:
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disk(radius_px)), np.uint8)


def _disk(radius_px: float) -> Mask:
    reach = math.floor(radius_px + 0.01)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(x * x + y * y <= (radius_px + 0.01) ** 2, np.uint8)


def _fill_holes(mask: Mask, largest_px: float) -> None:
    """Fill the background's pieces up to a size, in place."""
    _n, pieces = cv2.connectedComponents(1 - mask, connectivity=4)
    is_hole = np.bincount(pieces.ravel()) <= largest_px
    is_hole[0] = False
    mask |= is_hole[pieces].astype(np.uint8)
