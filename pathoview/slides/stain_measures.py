"""How much stain there is within a shape: statistics over the pixels whose centres it holds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.slides.stains import StainMatrix, separate

STATISTICS = ("mean", "SD", "min", "max")


def stain_names(stains: StainMatrix) -> tuple[str, ...]:
    """Return the names of the measurements: ``Hematoxylin mean`` …, in optical density."""
    return tuple(f"{stain} {statistic}" for stain in stains.stains for statistic in STATISTICS)


def stain_measures(
    rgb: npt.NDArray[np.uint8],
    shape: BaseGeometry,
    stains: StainMatrix,
    *,
    origin_l0: tuple[float, float] = (0.0, 0.0),
    downsample: float = 1.0,
) -> dict[str, float]:
    """Return mean, standard deviation, minimum and maximum of both stains within an area.

    ``rgb`` is a patch whose top-left corner lies at ``origin_l0`` and whose pixels are
    ``downsample`` level-0 px wide; it should hold all of the shape. NaN where no pixel's centre
    lies in the shape.
    """
    names = stain_names(stains)
    is_inside = pixels_in(shape, (rgb.shape[0], rgb.shape[1]), origin_l0, downsample)
    if not is_inside.any():
        return dict.fromkeys(names, float("nan"))
    amounts = separate(rgb[is_inside][None], stains)[0, :, :2].astype(np.float64)
    rows = (amounts.mean(axis=0), amounts.std(axis=0), amounts.min(axis=0), amounts.max(axis=0))
    return dict(zip(names, np.stack(rows, axis=1).ravel().tolist(), strict=True))


def pixels_in(
    shape: BaseGeometry,
    size: tuple[int, int],
    origin_l0: tuple[float, float] = (0.0, 0.0),
    downsample: float = 1.0,
) -> npt.NDArray[np.bool_]:
    """Return which pixels of a patch of (rows, columns) have their centres in an area."""
    x_l0, y_l0 = (
        start + (np.arange(n) + 0.5) * downsample
        for start, n in zip(origin_l0, size[::-1], strict=True)
    )
    shapely.prepare(shape)
    return np.asarray(shapely.contains_xy(shape, *np.meshgrid(x_l0, y_l0)))
