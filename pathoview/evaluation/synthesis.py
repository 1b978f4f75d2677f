"""How good pseudo-healthy pictures are: are they healthy, and are they of the same tissue.

Neither says anything alone: an empty picture is healthy, and an unchanged one is the same tissue
(Xia, Chartsias, Tsaftaris 2020). *Healthiness* is told by a segmentor that had no part in making
the pictures; *identity* is how alike the two pictures are outside the true pathology.

Identity is the multi-scale structural similarity (Wang, Simoncelli, Bovik 2003) with three scales
and a Gaussian window of 7 px rather than five and 11 px, so that tiles from 28 px on can be
measured; the exponents are the first three of the paper, made to add up to 1. Pathology is painted
black in both pictures, and only pixels outside it count: what was replaced is not taken for alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.evaluation.bootstrap import N_DRAWS, Interval, Rows, grouped_intervals

Picture = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Fractions = npt.NDArray[np.float64]

N_SCALES = 3
WINDOW_PX = 7
LEAST_SIDE_PX = WINDOW_PX << (N_SCALES - 1)
"""Of a picture that identity can be measured of."""

_EXPONENTS = np.array([0.0448, 0.2856, 0.3001]) / 0.6305
_SIGMA_PX = 1.5
_LUMINANCE, _CONTRAST = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_LEAST_DEVIATION = 0.02
"""As a part of the largest standard deviation that the values could have."""


@dataclass(frozen=True, slots=True)
class TileMeasures:
    """What is counted of one tile; scores are of sums over tiles. All px are the tile's."""

    n_true: int
    """Pixels of the true pathology."""
    n_before: int
    """Pixels in which the separate segmentor finds pathology in the tile as it is."""
    n_after: int
    """The same in the pseudo-healthy picture."""
    n_said: int
    """Pixels that the method took for pathology."""
    n_right: int
    """Pixels of these that are."""
    identity: float
    """0 … 1; NaN where all is pathology."""
    twin_before: float = float("nan")
    """Sum over the true pathology of how far the tile is from its healthy twin, 0 … 1 a pixel."""
    twin_after: float = float("nan")
    """The same of the pseudo-healthy picture; NaN: no twin is known."""


def measured(
    tile: Picture,
    made: Picture,
    truth: Flags,
    said: Flags,
    found: tuple[Flags, Flags],
    twin: Picture | None = None,
) -> TileMeasures:
    """Return what is counted of a tile and the pseudo-healthy picture made of it.

    Pictures are (height, width, channel) uint8, masks (height, width). ``said``: the method's own
    mask; ``found``: where a separate segmentor finds pathology in the tile and in what was made of
    it; ``twin``: the same tissue as it is without pathology, where that is known.
    """
    before, after = found
    return TileMeasures(
        int(truth.sum()),
        int(before.sum()),
        int(after.sum()),
        int(said.sum()),
        int((said & truth).sum()),
        identity(tile, made, truth),
        float("nan") if twin is None else _distance(tile, twin, truth),
        float("nan") if twin is None else _distance(made, twin, truth),
    )


def scores(measures: Sequence[TileMeasures]) -> dict[str, float]:
    """Return the scores of tiles; NaN where there is nothing to score.

    ``healthiness``: 1 - what is still found / what was found before; 1 is best.
    ``healthiness_of_truth``: 1 - what is still found / the true pathology. ``identity``: the mean,
    1 is best. ``dice``: of the method's mask. ``twin_l1``: mean distance from the healthy twin
    within the true pathology, 0 … 1; ``twin_share``: by that of the tiles as they are.
    """
    return _scores(_table(measures))


def scores_with_intervals(
    measures: Sequence[TileMeasures],
    groups: Rows | None = None,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> dict[str, Interval]:
    """Return `scores` with 95 % intervals: whole groups of tiles are drawn anew.

    ``groups``: (n,) such as the slide of each tile; None: each tile by itself. What cannot be
    scored is left out.
    """
    table = _table(measures)
    units = np.arange(len(measures)) if groups is None else groups
    return grouped_intervals(units, lambda rows: _scores(table[rows]), seed=seed, n_draws=n_draws)


def identity(tile: Picture, made: Picture, pathology: Flags) -> float:
    """Return how alike two pictures are outside the pathology, 0 … 1; NaN where nothing is outside.

    See the module. Where structures are opposite, it is 0. Raises `ValueError` when a side is
    smaller than `LEAST_SIDE_PX`.
    """
    if min(pathology.shape) < LEAST_SIDE_PX:
        raise ValueError(f"identity is measured of pictures of at least {LEAST_SIDE_PX} px")
    counts = ~pathology
    first, second = (_planes(picture) * counts[..., None] for picture in (tile, made))
    parts = []
    for scale in range(N_SCALES):
        if scale:
            first, second, counts = _halved(first), _halved(second), _all_of_four(counts)
        if not counts.any():
            return float("nan")
        luminance, structure = _similarity(first, second)
        told = luminance * structure if scale == N_SCALES - 1 else structure
        parts.append(told[counts].mean(axis=0).clip(min=0))
    return float(np.prod(np.stack(parts) ** _EXPONENTS[:, None], axis=0).mean())


def correlation(pictures: npt.NDArray[np.number], others: npt.NDArray[np.number]) -> float:
    """Return how structures of pictures go together, -1 (inverted) … 1.

    (…, channel) each, 0 … 1; colours that all pixels share do not count. NaN where pictures are
    too even to say.
    """
    axes = tuple(range(pictures.ndim - 1))
    first, second = (
        values.astype(np.float64) - values.mean(axis=axes, dtype=np.float64)
        for values in (pictures, others)
    )
    deviations = float(first.std()), float(second.std())
    if min(deviations) < _LEAST_DEVIATION / 2:
        return float("nan")
    return float((first * second).mean() / (deviations[0] * deviations[1]))


def _scores(table: Fractions) -> dict[str, float]:
    known = table[:, 5][np.isfinite(table[:, 5])]
    n_true, n_before, n_after, n_said, n_right = table[:, :5].sum(axis=0)
    twin_before, twin_after = table[:, 6:].sum(axis=0)
    return {
        "healthiness": 1 - _ratio(n_after, n_before),
        "healthiness_of_truth": 1 - _ratio(n_after, n_true),
        "identity": float(known.mean()) if len(known) else float("nan"),
        "dice": _ratio(2 * n_right, n_said + n_true),
        "twin_l1": _ratio(twin_after, n_true),
        "twin_share": _ratio(twin_after, twin_before),
    }


def _table(measures: Sequence[TileMeasures]) -> Fractions:
    """Return measures as columns, in their order."""
    rows = [
        (
            *(one.n_true, one.n_before, one.n_after, one.n_said, one.n_right),
            *(one.identity, one.twin_before, one.twin_after),
        )
        for one in measures
    ]
    return np.array(rows, np.float64).reshape(-1, 8)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _distance(picture: Picture, twin: Picture, where: Flags) -> float:
    apart = np.abs(_planes(picture)[where] - _planes(twin)[where]) / 255
    return float(apart.mean(axis=1).sum())


def _planes(picture: Picture) -> Fractions:
    return picture.astype(np.float64)


def _similarity(first: Fractions, second: Fractions) -> tuple[Fractions, Fractions]:
    """Return similarity of luminance, and of contrast and structure, (height, width, channel)."""
    mean_1, mean_2 = _blurred(first), _blurred(second)
    variance_1 = _blurred(first**2) - mean_1**2
    variance_2 = _blurred(second**2) - mean_2**2
    common = _blurred(first * second) - mean_1 * mean_2
    luminance = (2 * mean_1 * mean_2 + _LUMINANCE) / (mean_1**2 + mean_2**2 + _LUMINANCE)
    structure = (2 * common + _CONTRAST) / (variance_1 + variance_2 + _CONTRAST)
    return luminance, structure


def _blurred(planes: Fractions) -> Fractions:
    blurred = cv2.GaussianBlur(planes, (WINDOW_PX, WINDOW_PX), _SIGMA_PX)
    # OpenCV drops a single channel.
    return np.reshape(np.asarray(blurred, np.float64), planes.shape)


def _halved(planes: Fractions) -> Fractions:
    """Return means of 2 × 2 px; an odd row or column at the end is left out."""
    halved: Fractions = _fours(planes).mean(axis=(1, 3))
    return halved


def _all_of_four(flags: Flags) -> Flags:
    return np.asarray(_fours(flags[..., None]).all(axis=(1, 3)))[..., 0]


def _fours(planes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    height, width, n_channels = planes.shape
    even = planes[: height // 2 * 2, : width // 2 * 2]
    return even.reshape(height // 2, 2, width // 2, 2, n_channels)
