"""Where the tiles of a slide lie, and their pixels at the wanted resolution."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.slides.rgb import RgbRule
from pathoview.slides.slide import Slide


def tile_places(
    boxes_l0: npt.NDArray[np.float64], size_l0: float, overlap: float, slide: Slide
) -> list[tuple[int, int]]:
    """Return the left top corners, level-0 px, of all tiles that touch a box, row by row.

    The grid begins at the slide's corner, so that the same tiles come whatever is drawn.
    """
    step = size_l0 * (1 - overlap)
    last = [
        max(0, math.ceil((side - size_l0) / step)) for side in (slide.info.width, slide.info.height)
    ]
    found: set[tuple[int, int]] = set()
    for left, top, right, bottom in boxes_l0.tolist():
        columns, rows = (
            range(
                max(0, math.floor((low - size_l0) / step) + 1),
                min(end, math.floor(high / step)) + 1,
            )
            for low, high, end in ((left, right, last[0]), (top, bottom, last[1]))
        )
        found.update((row, column) for row in rows for column in columns)
    return [(round(column * step), round(row * step)) for row, column in sorted(found)]


def tile_picture(
    slide: Slide, rule: RgbRule, x_l0: int, y_l0: int, size_l0: float, side_px: int
) -> npt.NDArray[np.uint8]:
    """Return a square of the slide, (side, side, 3) uint8 RGB, white beyond the edge."""
    level = slide.pyramid(1).level_for(size_l0 / side_px)
    downsample = slide.info.levels[level].downsample
    left, top = x_l0 / downsample, y_l0 / downsample
    side = size_l0 / downsample
    x, y = math.floor(left), math.floor(top)
    width = math.ceil(left + side) - x + 1
    raw = rule.apply(slide.read(level, x, y, width, width))
    factor = side / side_px
    # where the centres of the tile's pixels lie among the centres of those that were read
    shrunk = raw
    if factor > 1:
        size = max(1, round(width / factor))
        shrunk = np.asarray(cv2.resize(raw, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    ratio = width / shrunk.shape[0]
    matrix = np.array(
        [
            [factor / ratio, 0, (left - x + factor / 2) / ratio - 0.5],
            [0, factor / ratio, (top - y + factor / 2) / ratio - 0.5],
        ]
    )
    warped = cv2.warpAffine(
        shrunk,
        matrix,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, np.uint8)
