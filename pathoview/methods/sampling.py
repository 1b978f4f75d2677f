"""A few pieces of tissue of a slide, the same ones every time, to measure things once on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathoview.methods.reading import AnalysisGrid, read_patch
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask

_SQUARE_PX = 256
_MOST_SQUARES = 32


def tissue_sample(
    slide: Slide, grid: AnalysisGrid, tissue: TissueMask
) -> list[npt.NDArray[np.uint8]]:
    """Return RGB squares of the grid spread evenly over the tissue; none where there is none."""
    rows, columns = np.nonzero(tissue.mask)
    centers = (np.stack([rows, columns], axis=1) + 0.5) * (tissue.downsample / grid.scale_l0)
    squares = np.unique((centers // _SQUARE_PX).astype(np.int64), axis=0)
    chosen = np.linspace(0, len(squares) - 1, min(len(squares), _MOST_SQUARES)).round()
    patches = []
    for row, column in squares[chosen.astype(np.int64)].tolist():
        x, y = column * _SQUARE_PX, row * _SQUARE_PX
        width, height = min(_SQUARE_PX, grid.width - x), min(_SQUARE_PX, grid.height - y)
        if width > 0 and height > 0:
            patches.append(read_patch(slide, grid, x, y, width, height))
    return patches
