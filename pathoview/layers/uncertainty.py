"""How unsure a run is of its objects, averaged over small squares, as a heatmap."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from pathoview.core.affine import Affine
from pathoview.layers.heatmap_source import HeatmapSource, HeatmapStyle
from pathoview.layers.raster import ArrayRaster

_MOST = 0.5
"""What has the strongest colour: a method keeps what it is more sure of than not."""


def uncertainty_source(
    centroids_l0: npt.NDArray[np.float64],
    confidence: npt.NDArray[np.floating],
    cell_l0: float,
    width_l0: float,
    height_l0: float,
) -> HeatmapSource:
    """Return 1 − confidence, the mean of the objects of each square cell; nothing where none is.

    Parameters
    ----------
    centroids_l0, confidence
        (n, 2) level-0 px and (n,) 0–1; objects without a number (NaN) do not count.
    cell_l0
        Side of a cell, level-0 px.
    """
    shape = max(1, math.ceil(height_l0 / cell_l0)), max(1, math.ceil(width_l0 / cell_l0))
    known = np.isfinite(confidence)
    places = np.floor(centroids_l0[known] / cell_l0).astype(np.int64)
    columns = np.clip(places[:, 0], 0, shape[1] - 1)
    rows = np.clip(places[:, 1], 0, shape[0] - 1)
    flat, n_cells = rows * shape[1] + columns, shape[0] * shape[1]
    counts = np.bincount(flat, minlength=n_cells)
    sums = np.bincount(flat, weights=1.0 - confidence[known], minlength=n_cells)
    with np.errstate(invalid="ignore"):
        means = (sums / counts).astype(np.float32).reshape(shape)
    style = HeatmapStyle(limits=(0.0, _MOST), low_opacity=0.2)
    return HeatmapSource(ArrayRaster(means), Affine.scaled(cell_l0), width_l0, height_l0, style)
