"""What tissue looks like in a few numbers: how dark, in which colours, how detailed.

Measured on squares of tissue at one resolution, so that slides of all scanners and magnifications
can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E, OPTICAL_DENSITY, TISSUE_OD, separate
from pathoview.slides.tissue import tissue_mask
from pathoview.slides.tissue_sample import chosen_tiles

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

STATISTICS = (
    *("red density", "green density", "blue density"),
    *("red contrast", "green contrast", "blue contrast"),
    *("hematoxylin", "eosin", "saturation", "detail"),
)
"""Mean and standard deviation of the optical density of each channel; the 95th percentile of the
amounts of both stains, as Ruifrok and Johnston's colours part them; mean saturation; all of stained
pixels. The logarithm of the variance of the Laplacian, of all pixels."""

SQUARE_UM = 64.0
_MPP = 1.0
"""µm per px at which squares are measured, exactly."""
_READ_MPP = 0.5
"""Read finer than that, and averaged: detail depends on the resolution."""
_HIGH_PERCENTILE = 95.0
_FEWEST_STAINED = 200
_LEAST_VARIANCE = 1.0
"""Of 8-bit grey: rounding alone makes about as much."""


def tissue_statistics(
    slide: Slide, n_squares: int = 30, check: Callable[[], None] = lambda: None
) -> Floats:
    """Return the statistics of squares of a slide's tissue, (n, statistic); none without tissue.

    Squares are 64 µm wide, the same ones every time, at least half tissue where there are such.
    ``check`` is called between them. Raises `MissingScaleError` or `SlideError`.
    """
    grid = analysis_grid(slide, _READ_MPP)
    side_l0 = SQUARE_UM / slide.mpp
    found = []
    shares = tissue_mask(slide).shares(side_l0)
    if not shares.any():  # a picture full of tissue has no glass to tell it from
        shares = np.ones_like(shares)
    for row, column in chosen_tiles(shares, side_l0, n_squares):
        check()
        square = _square(slide, grid, row, column)
        if square.size:
            found.append(square_statistics(square, grid.mpp))
    return _of_stained(found)


def picture_statistics(rgb: Rgb, mpp: float) -> Floats:
    """Return the statistics of all squares of a picture, (n, statistic), as of a slide's tissue.

    ``rgb`` is (height, width, 3) at ``mpp`` µm per px. Squares share a picture evenly, so that none
    is a narrow rest.
    """
    height, width = rgb.shape[:2]
    rows, columns = (max(1, round(side * mpp / SQUARE_UM)) for side in (height, width))
    squares = [
        square
        for line in np.array_split(rgb, rows, axis=0)
        for square in np.array_split(line, columns, axis=1)
    ]
    return _of_stained([square_statistics(square, mpp) for square in squares])


def square_statistics(rgb: Rgb, mpp: float) -> Floats | None:
    """Return the `STATISTICS` of a square at any resolution; None: hardly anything is stained."""
    size = [max(1, round(side * mpp / _MPP)) for side in rgb.shape[1::-1]]
    way = cv2.INTER_AREA if mpp < _MPP else cv2.INTER_LINEAR
    seen = np.asarray(cv2.resize(rgb, size, interpolation=way), np.uint8)
    density = OPTICAL_DENSITY[seen]
    is_stained = density.mean(axis=2) > TISSUE_OD
    n_pixels = is_stained.size
    if is_stained.sum() < min(_FEWEST_STAINED, n_pixels / 2):
        return None
    stained = density[is_stained]
    amounts = np.percentile(separate(seen, H_E)[is_stained][:, :2], _HIGH_PERCENTILE, axis=0)
    saturation = cv2.cvtColor(seen, cv2.COLOR_RGB2HSV)[..., 1][is_stained].mean() / 255
    grey = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    detail = np.log(cv2.Laplacian(grey, cv2.CV_64F).var() + _LEAST_VARIANCE)
    return np.array([*stained.mean(axis=0), *stained.std(axis=0), *amounts, saturation, detail])


def _square(slide: Slide, grid: AnalysisGrid, row: int, column: int) -> Rgb:
    """Return the part of a square that lies on the slide."""
    side = max(1, round(SQUARE_UM / grid.mpp))
    x, y = (round(place * SQUARE_UM / grid.mpp) for place in (column, row))
    width, height = min(side, grid.width - x), min(side, grid.height - y)
    if width <= 0 or height <= 0:
        return np.zeros((0, 0, 3), np.uint8)
    return read_patch(slide, grid, x, y, width, height)


def _of_stained(found: Sequence[Floats | None]) -> Floats:
    known = [one for one in found if one is not None]
    return np.array(known).reshape(len(known), len(STATISTICS))
