"""The way over the tissue: overlapping fields of one size, row by row, there and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathoview.core.affine import Point
from pathoview.layers.frame import Look
from pathoview.slides.tissue import TissueMask
from pathoview.study.coverage import Codes

_MOST_POINTS = 500_000
"""So many px of tissue tell well enough where the fields go."""


@dataclass(frozen=True, slots=True)
class Field:
    """One stop on the way."""

    center_l0: Point
    seen_share: float
    """How much of the tissue that this field is for was seen before (0–1)."""


def plan_fields(
    tissue: TissueMask,
    look: Look,
    size_view: tuple[float, float],
    overlap: float,
    codes: Codes,
    cell_l0: float,
    least: int,
) -> tuple[Field, ...]:
    """Return the fields that hold all tissue, along the edges of a view that may be turned.

    ``look`` has view px as its plane; neighbours share at least ``overlap`` (0 to below 1) of
    their sides.
    Fields without tissue of their own are left out. ``codes`` (cells of ``cell_l0`` px) of at
    least ``least`` count as seen.
    """
    tissue = _coarse(tissue)
    rows, columns = np.nonzero(tissue.mask)
    if not len(rows):
        return ()
    middles = np.column_stack([columns, rows]).astype(np.float64) + 0.5
    points_l0: npt.NDArray[np.float64] = middles * tissue.downsample
    points = look.affine.points(points_l0)
    reach = tissue.downsample * look.scale / 2
    low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
    size = np.array(size_view)
    room = np.maximum(high - low - size, 0)
    n_columns, n_rows = (
        math.ceil(room[axis] / (size[axis] * (1 - overlap)) - 1e-9) + 1 for axis in (0, 1)
    )
    n_steps = np.array([n_columns, n_rows]) - 1
    # Rather a wider overlap than looking beyond the tissue.
    step = np.where(n_steps, room / np.maximum(n_steps, 1), size)
    first = (low + high) / 2 - step * n_steps / 2
    # Each point belongs to the field whose middle is nearest: no two fields are for the same.
    nearest = np.rint((points - first) / step).astype(np.int64)
    nearest = np.clip(nearest, 0, np.array([n_columns, n_rows]) - 1)
    names = nearest[:, 1] * n_columns + nearest[:, 0]
    n_tissue = np.bincount(names, minlength=n_columns * n_rows)
    is_seen = _codes_at(points_l0, codes, cell_l0) >= least
    n_seen = np.bincount(names, weights=is_seen, minlength=n_columns * n_rows)
    fields = []
    to_l0 = look.affine.inverse()
    for row in range(n_rows):
        way = range(n_columns) if row % 2 == 0 else range(n_columns - 1, -1, -1)
        for column in way:
            name = row * n_columns + column
            if n_tissue[name]:
                middle = first + step * (column, row)
                center_l0 = to_l0.point(float(middle[0]), float(middle[1]))
                fields.append(Field(center_l0, float(n_seen[name] / n_tissue[name])))
    return tuple(fields)


def _coarse(tissue: TissueMask) -> TissueMask:
    """Return a mask of fewer px where there are very many; no tissue is left out."""
    times = math.ceil(math.sqrt(np.count_nonzero(tissue.mask) / _MOST_POINTS))
    if times <= 1:
        return tissue
    height, width = tissue.mask.shape
    padded = np.pad(tissue.mask, ((0, -height % times), (0, -width % times)))
    blocks = padded.reshape(padded.shape[0] // times, times, -1, times)
    return TissueMask(np.asarray(blocks.any(axis=(1, 3))), tissue.downsample * times)


def _codes_at(
    points_l0: npt.NDArray[np.float64], codes: Codes, cell_l0: float
) -> npt.NDArray[np.uint8]:
    at = (points_l0 / cell_l0).astype(np.int64)
    rows = np.clip(at[:, 1], 0, codes.shape[0] - 1)
    columns = np.clip(at[:, 0], 0, codes.shape[1] - 1)
    return np.asarray(codes[rows, columns], np.uint8)


def tissue_cells(
    tissue: TissueMask, shape: tuple[int, int], cell_l0: float
) -> npt.NDArray[np.bool_]:
    """Return which cells of a slide hold tissue, (rows, columns)."""
    rows, columns = (
        np.minimum((np.arange(n) + 0.5) * cell_l0 / tissue.downsample, most - 1).astype(np.int64)
        for n, most in zip(shape, tissue.mask.shape, strict=True)
    )
    cells: npt.NDArray[np.bool_] = tissue.mask[np.ix_(rows, columns)]
    return cells
