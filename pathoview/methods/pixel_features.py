"""What a pixel looks like at several sizes: colour, edges, spots, ridges, texture; each has a name.

Every feature looks at most `PixelFeatures.reach_px` around a pixel, so that it is the same in
whichever patch the pixel lies (to float rounding). Sizes are σ of Gaussians in µm. OpenCV computes
in float32 and releases Python's lock.

References: Ruifrok and Johnston 2001 (stains), Berg et al. 2019 (ilastik's choice of features),
Ojala et al. 2002 (local binary patterns).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.slides.stains import H_E, StainMatrix, amount_table, whole_amounts

Rgb = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Core = tuple[slice, slice]

_WHOLE: Core = (slice(None), slice(None))

_PER_OD = 500
"""Amounts of stain are first whole 1/500 of optical density: the same bits wherever they lie."""
_TRUNCATED_AT = 3.0
"""σ at which Gaussians end."""
_LEAST_SIGMA_PX = 0.4
_SOFTENING_OD = 0.02
"""Neighbours that differ by less from a pixel are no brighter and no darker: noise."""
_STRIP_ROWS = 8
_RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
"""The eight neighbours in turn: row and column in a picture with a rim of 1 px."""

_PLAIN = ("hematoxylin", "eosin", "residual")
_AT_EACH_SIGMA = (
    *_PLAIN,
    "hematoxylin deviation",
    "eosin deviation",
    "gradient",
    "laplacian",
    "hessian larger",
    "hessian smaller",
    "structure larger",
    "structure smaller",
)
_PATTERNS = ("darker neighbours", "pattern changes")


@dataclass(frozen=True, slots=True)
class PixelFeatures:
    """A set of features, by the widths it looks at."""

    sigmas_um: tuple[float, ...]
    """Ascending, µm."""
    stains: StainMatrix = H_E
    """Fixed, so that a feature depends on nothing but the pixels around."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name a feature, in the order of the last axis of `of`."""
        scaled = [
            f"{name}, {sigma:g} µm"
            for sigma in self.sigmas_um
            for name in (*_AT_EACH_SIGMA, *_PATTERNS)
        ]
        return (*_PLAIN, *scaled)

    def reach_px(self, mpp: float) -> int:
        """Return how far around a pixel it looks, px."""
        widths = [_half_width(self._sigma_px(sigma, mpp)) for sigma in self.sigmas_um]
        return max(widths) + max([*widths[:-1], 0]) + 2

    def of(self, rgb: Rgb, mpp: float, core: Core = _WHOLE) -> npt.NDArray[np.float32]:
        """Return (height, width, feature) of a patch, or of a part of it, rows and columns.

        What lies around the part is looked at but not returned: `reach_px` of it, and the patch's
        edges change nothing. Features of a pixel lie together in memory, as trees like them.
        """
        amounts = self._amounts(rgb)
        planes = [_split(amounts)]
        # Structure is measured on what the width before left over: spots of about the size.
        inner = amounts[..., 0]
        for sigma_um in self.sigmas_um:
            sigma = self._sigma_px(sigma_um, mpp)
            smooth = _blurred(amounts, sigma)
            planes.append(_at_sigma(amounts, smooth, inner, sigma))
            planes.append(_patterns(amounts[..., 0], sigma))
            inner = smooth[..., 0]
        return _interleaved([plane[core] for group in planes for plane in group])

    def _amounts(self, rgb: Rgb) -> npt.NDArray[np.float32]:
        """Return (height, width, 3) optical densities: both stains and the residual."""
        whole = [
            whole_amounts(rgb, amount_table(weights, _PER_OD)) for weights in self.stains.unmixing.T
        ]
        return np.asarray(cv2.merge(whole), np.float32) / np.float32(_PER_OD)

    @staticmethod
    def _sigma_px(sigma_um: float, mpp: float) -> float:
        return max(sigma_um / mpp, _LEAST_SIGMA_PX)


def _split(image: npt.NDArray[np.float32]) -> list[Plane]:
    return [np.asarray(plane, np.float32) for plane in cv2.split(image)]


def _merged(planes: list[Plane]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.merge(planes), np.float32)


def _interleaved(planes: list[Plane]) -> npt.NDArray[np.float32]:
    """Return (height, width, plane), a few rows at a time: they stay in the processor's cache."""
    merged = np.empty((*planes[0].shape, len(planes)), np.float32)
    for top in range(0, len(merged), _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        for index, plane in enumerate(planes):
            merged[rows, :, index] = plane[rows]
    return merged


def _at_sigma(
    amounts: npt.NDArray[np.float32], smooth: npt.NDArray[np.float32], inner: Plane, sigma: float
) -> list[Plane]:
    """Return the planes of `_AT_EACH_SIGMA`; derivatives are a change over one σ."""
    dark = smooth[..., 0]
    both = amounts[..., :2]
    variance = _blurred(both * both, sigma) - smooth[..., :2] ** 2
    deviation = np.sqrt(np.maximum(variance, 0))
    gradient = _length(_derived(dark, 1, 0), _derived(dark, 0, 1)) * np.float32(sigma)
    hessian = [_derived(dark, *order) * np.float32(sigma**2) for order in ((2, 0), (1, 1), (0, 2))]
    dx, dy = _derived(inner, 1, 0), _derived(inner, 0, 1)
    tensor = _blurred(_merged([dx * dx, dx * dy, dy * dy]), sigma) * np.float32(sigma**2)
    return [
        *_split(smooth),
        *_split(deviation),
        gradient,
        hessian[0] + hessian[2],
        *_eigenvalues(*hessian),
        *_eigenvalues(*_split(tensor)),
    ]


def _patterns(dark: Plane, sigma: float) -> list[Plane]:
    """Return local binary patterns, averaged over σ, whichever way the picture is turned.

    How many of the eight neighbours are darker, and how often darker and lighter take turns on the
    way around: few times at edges and spots, often in noise.
    """
    height, width = dark.shape
    rim = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_REFLECT_101)
    limit = dark + np.float32(_SOFTENING_OD)
    is_darker = [
        (rim[row : row + height, column : column + width] > limit).view(np.uint8)
        for row, column in _RING
    ]
    count, changes = np.zeros_like(is_darker[0]), np.zeros_like(is_darker[0])
    for one, next_one in zip(is_darker, [*is_darker[1:], is_darker[0]], strict=True):
        count += one
        changes += one ^ next_one
    both = np.asarray(cv2.merge([count, changes]), np.float32)
    return _split(_blurred(both, sigma))


def _eigenvalues(xx: Plane, xy: Plane, yy: Plane) -> tuple[Plane, Plane]:
    """Return the larger and the smaller eigenvalue of symmetric 2 × 2 matrices."""
    middle = (xx + yy) * np.float32(0.5)
    distance = _length((xx - yy) * np.float32(0.5), xy)
    return middle + distance, middle - distance


def _length(x: Plane, y: Plane) -> Plane:
    """Return √(x² + y²), to the same bit each time; OpenCV's depends on where in memory it lies."""
    return np.asarray(np.sqrt(x * x + y * y), np.float32)


def _derived(plane: Plane, x_order: int, y_order: int) -> Plane:
    """Return a derivative by px, from 3 × 3 px."""
    scale = 1 / 8 if x_order + y_order == 1 else 1 / 4
    return np.asarray(cv2.Sobel(plane, cv2.CV_32F, x_order, y_order, ksize=3, scale=scale))


def _half_width(sigma: float) -> int:
    return math.ceil(_TRUNCATED_AT * sigma)


def _blurred(image: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    side = 2 * _half_width(sigma) + 1
    return np.asarray(cv2.GaussianBlur(image, (side, side), sigma), np.float32)
