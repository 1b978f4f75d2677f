"""Where there is tissue: glass, ink and the edges of cover slips are left out.

The mask is made on a small picture of the whole slide, from optical densities relative to the
glass. What counts is colour as much as darkness: tissue is stained, dirt and glass edges are grey;
ink absorbs light as no histological stain does. Of other stains than H&E only the density counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.slides.pen import InkMap, ink_map, pale_red
from pathoview.slides.rgb import Rgb, rgb_rule, thumbnail
from pathoview.slides.slide import Slide
from pathoview.slides.stains import OPTICAL_DENSITY

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

TissueRule = Literal["color", "strict", "density"]
"""By colour; by colour and Otsu's density as well (noisy scans); by Otsu's density alone."""
_BY_DENSITY = ("H-DAB", "IHC", "PAS")
"""Stains, as a study names them, whose hues say nothing of what is tissue or ink."""

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
_FRINGE_UM, _FRINGE_SHARE = 40.0, 0.9
"""A part of the tissue with so much of it so near to ink is the ink's own edge."""
_LARGEST_SHARE = 0.01
"""A speck or hole is never more than this share of the picture."""

_FIXED_DENSITY = 0.10
"""Mean OD of tissue where Otsu's threshold is not to be trusted."""
_LEAST_PARTED = 0.5
"""Of all variance of densities, what Otsu's threshold must explain."""
_PLAUSIBLE_SHARE = (0.005, 0.95)
"""Of a slide, how much is tissue."""
_OTSU_STEPS_AN_OD = 100


@dataclass(frozen=True, slots=True)
class TissueMask:
    """Tissue of a slide, coarse; the mask starts at the slide's top-left corner."""

    mask: Mask
    downsample: float
    """Level-0 px per px of the mask."""
    ink: InkMap | None = None
    """(height, width) uint8, an index into `pen.INKS`; None where ink is not looked for."""
    warnings: tuple[str, ...] = ()
    """Sentences about why the mask may be wrong."""

    def fraction_in(self, rect_l0: Rect) -> float:
        """Return which share (0–1) of a rectangle is tissue; outside the slide there is none."""
        x, y, width, height = rect_l0.scaled(1 / self.downsample).as_ints()
        part = self.mask[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
        return float(np.count_nonzero(part)) / max(1, width * height)

    def shares(self, side_l0: float) -> Floats:
        """Return which share (0–1) of each square tile of a grid is tissue, (rows, columns).

        The grid begins at the slide's corner and covers the mask; beyond it there is no tissue.
        """
        side = side_l0 / self.downsample
        rows, columns = (max(1, math.ceil(round(n / side, 6))) for n in self.mask.shape)
        down, across = (
            np.stack([_coverage(i * side, (i + 1) * side, n) for i in range(k)])
            for k, n in ((rows, self.mask.shape[0]), (columns, self.mask.shape[1]))
        )
        return np.asarray(down @ self.mask.astype(np.float64) @ across.T / side**2, np.float32)

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


_Known = dict[TissueRule, tuple[tuple[float, float] | None, TissueMask]]
_masks = WeakKeyDictionary[Slide, _Known]()


def rule_for(stain: str) -> TissueRule:
    """Return how to tell tissue on a slide of a stain, named as in a study."""
    return "density" if stain in _BY_DENSITY else "color"


def tissue_mask(slide: Slide, rule: TissueRule = "color") -> TissueMask:
    """Return where the slide holds tissue, at about 8 µm per px.

    A picture that is all tissue gives all of it, an empty slide nothing. The mask is made once for
    an open slide, its scale, and a rule.
    """
    known = _masks.setdefault(slide, {})
    known_mpp, mask = known.get(rule, (None, None))
    if mask is None or known_mpp != slide.info.mpp:
        mask = _made(slide, rule)
        known[rule] = slide.info.mpp, mask
    return mask


def _made(slide: Slide, rule: TissueRule) -> TissueMask:
    longest = max(slide.info.width, slide.info.height)
    if slide.info.mpp is None:
        downsample = longest / _SIDE_PX
    else:
        downsample = min(_PIXEL_UM / slide.mpp, longest / _LEAST_SIDE_PX)
    small = thumbnail(slide, max(1.0, downsample), rgb_rule(slide))
    true_downsample = max(1.0, longest / max(small.shape[:2]))
    pixel_um = _PIXEL_UM if slide.info.mpp is None else slide.mpp * true_downsample
    density = _density_over_glass(np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.uint8))
    found = _found(density, rule, pixel_um)
    tissue = (
        found.tissue if found.ink is None else _without_fringe(found.tissue, found.ink, pixel_um)
    )
    cleaned = _cleaned(tissue, found.foreign, pixel_um)
    warnings = (*found.warnings, *_doubts(cleaned))
    return TissueMask(cleaned, true_downsample, found.ink, warnings)


@dataclass(frozen=True, slots=True)
class _Found:
    """What each pixel of the small picture is."""

    tissue: Mask
    foreign: Mask
    """Ink, dirt, or edges of glass."""
    ink: InkMap | None = None
    warnings: tuple[str, ...] = ()


def _found(density: Floats, rule: TissueRule, pixel_um: float) -> _Found:
    mean = density.mean(axis=2)
    if rule == "density":
        is_dense, warnings = _dense(mean)
        return _Found(is_dense, np.zeros(mean.shape, np.bool_), warnings=warnings)
    found = _by_color(density, pixel_um)
    if rule == "color":
        return found
    is_dense, warnings = _dense(mean)
    return _Found(found.tissue & is_dense, found.foreign, found.ink, warnings)


def _by_color(density: Floats, pixel_um: float) -> _Found:
    """Say which pixels are stained tissue, and which are ink, dirt or edges of glass."""
    mean = density.mean(axis=2)
    largest = density.max(axis=2)
    color = largest - density.min(axis=2)
    if float(np.percentile(color, 99)) < 0.02:  # a grey picture has no colours to go by
        return _Found(np.asarray(mean > _DENSITY), np.zeros(mean.shape, np.bool_))
    is_there = mean > _DENSITY
    is_colored = (color > _COLOR) & (color > _COLOR_SHARE * largest)
    ink = ink_map(density, is_colored, pixel_um)
    is_ink = ink > 0
    if 2 * np.count_nonzero(is_ink & is_there & is_colored) > np.count_nonzero(
        is_there & is_colored
    ):
        is_ink[:] = False  # what most of the slide is made of is its stain
        ink[:] = 0
    is_ink |= pale_red(density, ink, pixel_um)
    is_foreign = is_ink | (~is_colored & (mean > _FOREIGN_DENSITY))
    is_tissue = is_there & is_colored & ~is_ink
    return _Found(np.asarray(is_tissue), np.asarray(is_foreign), ink)


def _dense(mean: Floats) -> tuple[Mask, tuple[str, ...]]:
    """Say which pixels are denser than Otsu's threshold, or than a fixed one with a warning."""
    steps = np.clip(np.rint(mean * _OTSU_STEPS_AN_OD), 0, 255).astype(np.uint8)
    threshold, _above = cv2.threshold(steps, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    is_above = np.asarray(steps > threshold)
    share, variance = float(is_above.mean()), float(steps.var())
    apart = 0.0
    if 0 < share < 1:
        apart = share * (1 - share) * float(steps[is_above].mean() - steps[~is_above].mean()) ** 2
    is_parted = apart >= _LEAST_PARTED * variance > 0
    if is_parted and _PLAUSIBLE_SHARE[0] < share < _PLAUSIBLE_SHARE[1]:
        return is_above, ()
    words = _("Tissue and glass are not clearly apart: what is denser than OD {od} is tissue.")
    return np.asarray(mean > _FIXED_DENSITY), (words.format(od=_FIXED_DENSITY),)


def _doubts(mask: Mask) -> tuple[str, ...]:
    """Return what an unlikely amount of tissue means."""
    share = float(mask.mean())
    if share < _PLAUSIBLE_SHARE[0]:
        return (_("Hardly any tissue was found: {n:.1%} of the picture.").format(n=share),)
    if share > _PLAUSIBLE_SHARE[1]:
        return (_("Nearly all of the picture is tissue: there is no glass to compare with."),)
    return ()


def _density_over_glass(rgb: Rgb) -> Floats:
    """Return optical densities, those of bare glass being 0."""
    glass = np.percentile(rgb.reshape(-1, 3), _GLASS_PERCENTILE, axis=0)
    is_glass = glass.min() >= _GLASS_DARKEST and np.ptp(glass) <= _GLASS_TINT
    white = glass.astype(np.uint8) if is_glass else np.full(3, 255, np.uint8)
    density = OPTICAL_DENSITY[rgb] - OPTICAL_DENSITY[white]
    return np.maximum(density, 0).astype(np.float32)


def _without_fringe(tissue: Mask, ink: InkMap, pixel_um: float) -> Mask:
    """Remove what lies along ink only: its edges are paler, and look like stain."""
    if not ink.any():
        return tissue
    is_near = _grown(ink > 0, _FRINGE_UM / pixel_um)
    n, parts = cv2.connectedComponents(tissue.astype(np.uint8))
    size = np.bincount(parts.ravel(), minlength=n)
    near = np.bincount(parts[is_near], minlength=n)
    return np.asarray(tissue & (near < _FRINGE_SHARE * size)[parts])


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
