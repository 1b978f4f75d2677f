"""Ink of pens on a slide, told by how it absorbs light: as no histological stain does."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
InkMap = npt.NDArray[np.uint8]
"""(height, width), an index into `INKS`; 0: no ink."""

INKS = ("", _("Blue ink"), _("Green ink"), _("Black ink or glass edge"), _("Red ink"))
INK_COLORS = ((0, 0, 0), (30, 80, 220), (0, 150, 60), (40, 40, 40), (230, 0, 60))
"""Red, green, blue (0–255) in which each is shown."""
_BLUE, _GREEN, _BLACK, _RED = range(1, len(INKS))

_BLACK_DENSITY = 1.0
"""Mean OD above which something grey is black."""
_SPECK_UM2 = 5_000
_RED_STROKE_UM2 = 20_000
_RED_GAP_UM = 24.0
"""Parts of one stroke that are closer to each other than this belong together."""
_RED_RUNS_OUT_UM = 160.0
_GLASS_DENSITY = 0.06
_RED_GLASS_SHARE = 0.2
"""How much of a red stroke's rim lies on bare glass: blood lies in tissue."""


def ink_map(density: Floats, is_colored: Mask, pixel_um: float) -> InkMap:
    """Return the ink in a small picture of a slide; specks are left out.

    ``density`` (height, width, 3) are optical densities over glass, ``is_colored`` (height, width)
    says which pixels are not grey, ``pixel_um`` is the side of a pixel.
    """
    red, green, blue = (density[..., index] for index in range(3))
    # Hematoxylin, eosin and DAB absorb green at least about as much as red.
    is_blue = (red > 0.8) & (red > 1.1 * green)
    is_green = (red > 0.4) & (green < 0.75 * red) & (green < 0.75 * blue)
    is_black = ~is_colored & (density.mean(axis=2) > _BLACK_DENSITY)
    ink = np.zeros(red.shape, np.uint8)
    ink[_red(density, pixel_um)] = _RED
    for kind, is_ink in ((_BLACK, is_black), (_BLUE, is_blue), (_GREEN, is_green)):
        ink[is_ink] = kind
    ink[~_large(ink > 0, _SPECK_UM2 / pixel_um**2)] = 0
    return ink


def _red(density: Floats, pixel_um: float) -> Mask:
    """Say which pixels are red ink.

    It lets red through and takes nearly as much blue as green, where eosin takes much less blue.
    Blood does so too: only where a stroke reaches out on bare glass has the slide red ink at all.
    """
    clear = _reddish(density, 0.8, 0.70, 0.30)
    faint = _reddish(density, 0.5, 0.66, 0.35)
    found = _touching(faint, clear)
    if not found.any():
        return found
    gap_px = max(1, round(_RED_GAP_UM / pixel_um)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap_px + 2, gap_px + 2))
    n, labels = cv2.connectedComponents(cv2.dilate(found.astype(np.uint8), disc))
    strokes = np.asarray(labels, np.int32)
    area = np.bincount(strokes[found], minlength=n)
    rim = _rim(strokes)
    on_glass = np.bincount(rim[density.mean(axis=2) < _GLASS_DENSITY], minlength=n)
    share = on_glass / np.maximum(np.bincount(rim.ravel(), minlength=n), 1)
    is_stroke = (area >= _RED_STROKE_UM2 / pixel_um**2) & (share >= _RED_GLASS_SHARE)
    return found if is_stroke[1:].any() else np.zeros_like(found)


def pale_red(density: Floats, ink: InkMap, pixel_um: float) -> Mask:
    """Say where red ink runs out: pale pixels of its colour near what is surely ink."""
    sure = ink == _RED
    if not sure.any():
        return np.asarray(sure)
    distance = cv2.distanceTransform((~sure).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    is_near = distance <= _RED_RUNS_OUT_UM / pixel_um
    return np.asarray(is_near & _reddish(density, 0.08, 0.66, 0.35) & ~sure)


def _reddish(density: Floats, least: float, blue_share: float, red_share: float) -> Mask:
    red, green, blue = (density[..., index] for index in range(3))
    return np.asarray((green > least) & (blue > blue_share * green) & (red < red_share * green))


def _touching(faint: Mask, clear: Mask) -> Mask:
    """Return the parts of a mask that hold something of a stricter one."""
    n, parts = cv2.connectedComponents(faint.astype(np.uint8))
    is_kept = np.zeros(n, np.bool_)
    is_kept[parts[clear & faint]] = True
    is_kept[0] = False
    return np.asarray(is_kept[parts])


def _rim(parts: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the number of the part beside each pixel that lies just outside of one; else 0."""
    around = cv2.dilate(parts.astype(np.float32), np.ones((3, 3), np.uint8))
    return np.where(parts == 0, around, 0).astype(np.int32)


def _large(mask: Mask, least_px: float) -> Mask:
    _n, parts, statistics, _centers = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    is_large = statistics[:, cv2.CC_STAT_AREA] >= least_px
    is_large[0] = False
    return np.asarray(is_large[parts])
