"""Mean shift with a flat kernel: points move to where they are densest; what meets is one cluster.

Comaniciu and Meer 2002. Everything is in a fixed order, so that it comes out the same every time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

Floats = npt.NDArray[np.floating]
Numbers = npt.NDArray[np.int64]

_MOST_ROUNDS = 100
_STANDS_STILL = 1e-3
"""Of the bandwidth."""


def mean_shift(
    points: Floats, bandwidth: float, *, bin_size: float | None = None, least_in_bin: int = 1
) -> Numbers:
    """Return the cluster of each point, (n,) 0 for the one with most points around its mode.

    ``points`` is (n, channel). Each point is a seed; with ``bin_size`` only the middle of each
    cell of that side with at least ``least_in_bin`` points is, which is much faster.
    """
    if not len(points):
        return np.empty(0, np.int64)
    seeds = points if bin_size is None else _bins(points, bin_size, least_in_bin)
    modes = _modes(points, np.unique(seeds, axis=0), bandwidth)
    return np.asarray(cdist(points, modes).argmin(axis=1), np.int64)


def _bins(points: Floats, bin_size: float, least: int) -> Floats:
    cells, counts = np.unique(np.rint(points / bin_size), axis=0, return_counts=True)
    kept = cells[counts >= least]
    return (kept if len(kept) else cells) * bin_size


def _modes(points: Floats, seeds: Floats, bandwidth: float) -> Floats:
    """Return where seeds come to rest, densest first, none within the bandwidth of another."""
    for _round in range(_MOST_ROUNDS):
        near = (cdist(seeds, points) <= bandwidth).astype(np.float64)
        n_near = near.sum(axis=1)
        near, seeds, n_near = near[n_near > 0], seeds[n_near > 0], n_near[n_near > 0]
        moved = near @ points / n_near[:, None]
        is_still = np.abs(moved - seeds).max(initial=0.0) < _STANDS_STILL * bandwidth
        seeds = np.unique(moved, axis=0)
        if is_still:
            break
    n_near = (cdist(seeds, points) <= bandwidth).sum(axis=1)
    seeds = seeds[np.argsort(-n_near, kind="stable")]
    kept: list[int] = []
    distances = cdist(seeds, seeds)
    for index in range(len(seeds)):
        if not kept or distances[index, kept].min() > bandwidth:
            kept.append(index)
    return np.asarray(seeds[kept])
