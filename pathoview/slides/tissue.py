"""Where there is tissue: glass, ink and the edges of cover slips are left out.

The mask is made on a small picture of the whole slide, from optical densities relative to the
glass. What counts is colour as much as darkness: tissue is stained, dirt and glass edges are grey;
ink absorbs light as no histological stain does.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.slides.rgb import Rgb, rgb_rule, thumbnail
from pathoview.slides.slide import Slide
from pathoview.slides.stains import OPTICAL_DENSITY

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_PIXEL_UM = 8.0
_SIDE_PX = 1024
"""Longer side of the mask where the scale is unknown."""
_LEAST_SIDE_PX = 256
"""A small picture gets a mask at least this long, or its own size."""

_GLASS_PERCENTILE = 99.0
_GLASS_DARKEST, _GLASS_TINT = 190, 16
"""Least 8-bit value of glass, and by how much its channels may differ."""
_DENSITY = 0.06
"""Mean OD over glass above which there is something."""
_COLOR, _COLOR_SHARE = 0.022, 0.12
"""How much the ODs of the channels differ in tissue: at least, and as a share of the largest."""
_FOREIGN_DENSITY = 0.3
"""Mean OD above which something grey is dirt, black ink or an edge of glass, not haze."""
_SPECK_UM2, _HOLE_UM2 = 5_000, 20_000
_MARGIN_UM = 40.0
_FOREIGN_MARGIN_UM = 12.0
_LARGEST_SHARE = 0.01
"""A speck or hole is never more than this share of the picture."""


@dataclass(frozen=True, slots=True)
class TissueMask:
    """Tissue of a slide, coarse; the mask starts at the slide's top-left corner."""

    mask: Mask
    downsample: float
    """Level-0 px per px of the mask."""

    def fraction_in(self, rect_l0: Rect) -> float:
        """Return which share (0–1) of a rectangle is tissue; outside the slide there is none."""
        x, y, width, height = rect_l0.scaled(1 / self.downsample).as_ints()
        part = self.mask[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
        return float(np.count_nonzero(part)) / max(1, width * height)

    def area_mm2(self, mpp: float, rect_l0: Rect | None = None) -> float:
        """Return the tissue's area in mm², of the whole slide or within a rectangle."""
        height, width = self.mask.shape
        rect = Rect(0, 0, width, height)
        if rect_l0 is not None:
            rect = rect_l0.scaled(1 / self.downsample).intersection(rect)
        rows = _coverage(rect.y, rect.bottom, height)
        columns = _coverage(rect.x, rect.right, width)
        pixels = float(rows @ self.mask @ columns)
        return pixels * (self.downsample * mpp / 1000) ** 2


def _coverage(start: float, end: float, n: int) -> npt.NDArray[np.float64]:
    """Return how much (0–1) of each of n pixels in a row lies between two positions."""
    first = np.arange(n)
    return np.asarray(np.clip(np.minimum(end, first + 1) - np.maximum(start, first), 0, 1))


_masks = WeakKeyDictionary[Slide, tuple[tuple[float, float] | None, TissueMask]]()


def tissue_mask(slide: Slide) -> TissueMask:
    """Return where the slide holds tissue, at about 8 µm per px.

    A picture that is all tissue gives all of it, an empty slide nothing. The mask is made once for
    an open slide and its scale.
    """
    known_mpp, mask = _masks.get(slide, (None, None))
    if mask is None or known_mpp != slide.info.mpp:
        mask = _made(slide)
        _masks[slide] = slide.info.mpp, mask
    return mask


def _made(slide: Slide) -> TissueMask:
    longest = max(slide.info.width, slide.info.height)
    if slide.info.mpp is None:
        downsample = longest / _SIDE_PX
    else:
        downsample = min(_PIXEL_UM / slide.mpp, longest / _LEAST_SIDE_PX)
    small = thumbnail(slide, max(1.0, downsample), rgb_rule(slide))
    true_downsample = max(1.0, longest / max(small.shape[:2]))
    pixel_um = _PIXEL_UM if slide.info.mpp is None else slide.mpp * true_downsample
    tissue, foreign = _sorted_out(small)
    return TissueMask(_cleaned(tissue, foreign, pixel_um), true_downsample)


def _sorted_out(rgb: Rgb) -> tuple[Mask, Mask]:
    """Say which pixels are stained tissue, and which are ink, dirt or edges of glass."""
    density = _density_over_glass(np.asarray(cv2.GaussianBlur(rgb, (3, 3), 0), np.uint8))
    mean = density.mean(axis=2)
    largest = density.max(axis=2)
    color = largest - density.min(axis=2)
    if float(np.percentile(color, 99)) < 0.02:  # a grey picture has no colours to go by
        return np.asarray(mean > _DENSITY), np.zeros(mean.shape, np.bool_)
    is_there = mean > _DENSITY
    is_colored = (color > _COLOR) & (color > _COLOR_SHARE * largest)
    ink = _ink(density)
    if 2 * np.count_nonzero(ink & is_there) > np.count_nonzero(is_there & is_colored):
        ink[:] = False  # what most of the slide is made of is its stain
    is_foreign = ink | (~is_colored & (mean > _FOREIGN_DENSITY))
    return np.asarray(is_there & is_colored & ~ink), np.asarray(is_foreign)


def _density_over_glass(rgb: Rgb) -> Floats:
    """Return optical densities, those of bare glass being 0."""
    glass = np.percentile(rgb.reshape(-1, 3), _GLASS_PERCENTILE, axis=0)
    is_glass = glass.min() >= _GLASS_DARKEST and np.ptp(glass) <= _GLASS_TINT
    white = glass.astype(np.uint8) if is_glass else np.full(3, 255, np.uint8)
    density = OPTICAL_DENSITY[rgb] - OPTICAL_DENSITY[white]
    return np.maximum(density, 0).astype(np.float32)


def _ink(density: Floats) -> Mask:
    """Say which pixels are blue or green ink.

    Black ink is grey. Red ink has the colour of blood, so it stays; no nuclei are found in it.
    """
    red, green, blue = (density[..., index] for index in range(3))
    # Hematoxylin, eosin and DAB absorb green at least about as much as red.
    is_blue = (red > 0.8) & (red > 1.1 * green)
    is_green = (red > 0.4) & (green < 0.75 * red) & (green < 0.75 * blue)
    return np.asarray(is_blue | is_green)


def _cleaned(tissue: Mask, foreign: Mask, pixel_um: float) -> Mask:
    """Remove specks, fill small holes, leave a margin around the rest but none over ink."""
    kept = _without_small(tissue, _SPECK_UM2 / pixel_um**2)
    filled = ~_without_small(~kept, _HOLE_UM2 / pixel_um**2)
    grown = _grown(filled & ~foreign, _MARGIN_UM / pixel_um)
    large = _without_small(foreign, _SPECK_UM2 / pixel_um**2)
    return grown & ~_grown(large, _FOREIGN_MARGIN_UM / pixel_um)


def _grown(mask: Mask, margin_px: float) -> Mask:
    if not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(distance <= margin_px)


def _without_small(mask: Mask, least_px: float) -> Mask:
    _n, labels, statistics, _centers = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    least = min(least_px, mask.size * _LARGEST_SHARE)
    is_large = statistics[:, cv2.CC_STAT_AREA] >= least
    is_large[0] = False
    return np.asarray(is_large[labels])
