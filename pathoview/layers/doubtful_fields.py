"""Where a map of probabilities is in doubt, field by field."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.layers.prediction_source import PredictionMap, class_numbers, doubt

_PX_A_FIELD = 25
"""A field is looked at in about so many px a side, or up to twice as many."""
_LEAST_KNOWN = 0.25
"""Fields of which less was analysed are left out."""
_SPOT_PX = 5


@dataclass(frozen=True, slots=True)
class DoubtfulFields:
    """One place a field, n of them."""

    places_l0: npt.NDArray[np.float64]
    """(n, 2) middle of the most doubtful spot of each field, level-0 px."""
    doubts: npt.NDArray[np.float64]
    """(n,) mean doubt of the field, 0–1; see `prediction_source.doubt`."""
    classes: npt.NDArray[np.uint8]
    """(n,) likeliest class at the place, its number in the map."""


def doubtful_fields(predicted: PredictionMap, field_l0: float) -> DoubtfulFields:
    """Return the fields of a map, squares of ``field_l0`` level-0 px from its corner.

    Reads a size of the map at which a field has few px, row of fields by row. Raises `SlideError`.
    """
    wanted_l0 = field_l0 / _PX_A_FIELD
    scales = [predicted.scale_l0 * one.downsample for one in predicted.levels]
    level = max((n for n, scale in enumerate(scales) if scale <= wanted_l0), default=0)
    side = max(1, round(field_l0 / scales[level]))
    size = predicted.levels[level]
    found = [
        _row(predicted, level, top, min(side, size.height - top), side)
        for top in range(0, size.height, side)
    ]
    places, doubts, classes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return DoubtfulFields((places + 0.5) * scales[level], doubts, classes)


def _row(
    predicted: PredictionMap, level: int, top: int, height: int, side: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Return (n, 2) x, y in px of the level, (n,) doubts and (n,) classes of a row of fields."""
    width = predicted.levels[level].width
    planes = predicted.planes(level, 0, top, width, height)
    doubts = doubt(planes)
    n_fields = -(-width // side)
    padded = np.pad(doubts, ((0, 0), (0, n_fields * side - width)), constant_values=np.nan)
    known = np.isfinite(padded)
    spots = cv2.blur(np.where(known, padded, 0), (_SPOT_PX, _SPOT_PX))
    spots[~known] = -1

    def by_field(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return values.reshape(height, n_fields, side).swapaxes(0, 1).reshape(n_fields, -1)

    n_known = by_field(known).sum(axis=1)
    sums = by_field(np.where(known, padded, 0)).sum(axis=1)
    spot = by_field(spots).argmax(axis=1)
    rows, columns = spot // side, np.arange(n_fields) * side + spot % side
    kept = n_known >= _LEAST_KNOWN * side * side
    rows, columns = rows[kept], columns[kept]
    places = np.stack([columns, rows + top], axis=1).astype(np.float64)
    means = sums[kept] / n_known[kept]
    return places, means.astype(np.float64), class_numbers(planes)[rows, columns]
