"""A few pieces of tissue of a slide, the same ones every time, to measure things once on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.slides.reading import AnalysisGrid, analysis_grid, read_patch
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E, StainEstimate, estimate_h_e
from pathoview.slides.tissue import TissueMask, tissue_mask

_SQUARE_PX = 256
_MOST_SQUARES = 32


def tissue_sample(
    slide: Slide, grid: AnalysisGrid, tissue: TissueMask
) -> list[npt.NDArray[np.uint8]]:
    """Return RGB squares of the grid spread evenly over the tissue; none where there is none."""
    n_columns = math.ceil(grid.width / _SQUARE_PX)
    pixel = tissue.downsample / grid.scale_l0 / _SQUARE_PX
    rows, columns = (
        ((places + 0.5) * pixel).astype(np.int64) for places in np.nonzero(tissue.mask)
    )
    squares = np.unique(rows * n_columns + np.minimum(columns, n_columns - 1))
    chosen = np.linspace(0, len(squares) - 1, min(len(squares), _MOST_SQUARES)).round()
    patches = []
    for square in squares[chosen.astype(np.int64)].tolist():
        y, x = (place * _SQUARE_PX for place in divmod(square, n_columns))
        width, height = min(_SQUARE_PX, grid.width - x), min(_SQUARE_PX, grid.height - y)
        if width > 0 and height > 0:
            patches.append(read_patch(slide, grid, x, y, width, height))
    return patches


def measured_stains(slide: Slide, mpp: float) -> Mapping[str, Any]:
    """Return what `InstanceMethod.prepare` must give: the stains that objects are measured by."""
    estimate = stains_of(tissue_sample(slide, analysis_grid(slide, mpp), tissue_mask(slide)))
    return {"stains": estimate.matrix.to_json(), "stains_problem": estimate.problem}


def stains_of(patches: Sequence[npt.NDArray[np.uint8]]) -> StainEstimate:
    """Return hematoxylin and eosin as they look on RGB squares; without squares the fixed ones."""
    if not patches:
        return StainEstimate(H_E)
    # Every second pixel of every second row tells the same, four times as fast.
    return estimate_h_e(np.concatenate([patch[::2, ::2].reshape(-1, 3) for patch in patches]))
