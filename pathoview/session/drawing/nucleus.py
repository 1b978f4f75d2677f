"""The nucleus under the pointer, from one click.

Rays leave the click; along each, the outline may lie where the stain drops outwards. Of all rings
that turn only little from ray to ray, the one with the largest drops is found exactly, by dynamic
programming, and once more from its own centroid, since clicks are rarely in the middle. On real
tissue a local threshold and a watershed found a third fewer: what the click says, that it is
*inside*, is worth more than any threshold among pale or crowded nuclei.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.session.drawing.patch import Patch, Points
from pathoview.session.drawing.stain import Stained, amount_of, blurred
from pathoview.slides.stains import StainMatrix

Floats = npt.NDArray[np.float64]

PATCH_UM = 96.0
MPP = 0.5
"""Width of a patch, and its µm a px, at which this works well."""
LEAST_AREA_UM2, LARGEST_AREA_UM2 = 8.0, 250.0

_N_RAYS = 48
_STEP_UM = 0.25
_SMOOTHING_UM = 0.3
_SIDE_UM = 1.0
"""How far inwards and outwards of the outline the stain is averaged."""
_LEAST_RADIUS_UM, _USUAL_RADIUS_UM, _LARGEST_RADIUS_UM = 1.5, 3.5, 9.0
_TURN_COST = 0.06
"""Optical density lost where the radius changes by a step from one ray to the next."""
_SIZE_COST = 0.1
"""Optical density lost where a radius is e times the usual one, or 1/e."""
_LEAST_DROP = 0.1
"""Mean drop of optical density over the outline below which there is no nucleus."""
_ROUNDING_RAYS = 1.0


def nucleus_at(
    patch: Patch,
    x_l0: float,
    y_l0: float,
    *,
    mpp: float,
    stains: StainMatrix,
    stained: Stained = "first",
    area_um2: tuple[float, float] = (LEAST_AREA_UM2, LARGEST_AREA_UM2),
) -> shapely.Polygon | None:
    """Return the outline of the nucleus around a place in level-0 px.

    ``mpp`` is µm a px of the patch. None where nothing looks like a nucleus of a size within the
    bounds, and beside the patch. ``stained="any"`` for nuclei stained by DAB.
    """
    if patch.pixel_at(x_l0, y_l0) is None:
        return None
    amount = blurred(amount_of(patch.rgb, stains, stained), _SMOOTHING_UM / mpp)
    first = _ring(amount, patch.to_patch((x_l0, y_l0)), mpp)
    second = _ring(amount, first.centroid, mpp)
    ring = max((first, second), key=lambda found: found.drop)
    within = shapely.box(0, 0, patch.width, patch.height)
    shape = shapely.intersection(shapely.Polygon(ring.points), within)
    place = shapely.Point(patch.to_patch((x_l0, y_l0)))
    is_nucleus = ring.drop >= _LEAST_DROP and shapely.dwithin(shape, place, _SIDE_UM / mpp)
    if not is_nucleus or not area_um2[0] <= shape.area * mpp**2 <= area_um2[1]:
        return None
    outline = patch.shape_to_l0(shape)
    return outline if isinstance(outline, shapely.Polygon) else None


@dataclass(frozen=True, slots=True)
class _Ring:
    points: Points
    """(n, 2) x, y, px of the patch."""
    drop: float
    """Mean drop of the stain across it, optical density."""

    @property
    def centroid(self) -> Points:
        center = shapely.Polygon(self.points).centroid
        return np.array([center.x, center.y])


def _ring(amount: npt.NDArray[np.float32], center: Points, mpp: float) -> _Ring:
    """Return the best ring around a place."""
    angles = np.arange(_N_RAYS) * (2 * np.pi / _N_RAYS)
    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    radii_um, drops = _drops(amount, center, directions, mpp)
    gains = drops - _SIZE_COST * np.log(radii_um / _USUAL_RADIUS_UM) ** 2
    chosen = _best_ring(gains)
    drop = float(drops[np.arange(_N_RAYS), chosen].mean())
    smooth = _rounded(radii_um[chosen]) / mpp
    return _Ring(center + directions * smooth[:, None], drop)


def _drops(
    amount: npt.NDArray[np.float32], center: Points, directions: Points, mpp: float
) -> tuple[Floats, Floats]:
    """Return the radii, µm, and how far the stain drops there along each ray, (rays, radii)."""
    import cv2

    n_side = round(_SIDE_UM / _STEP_UM)
    samples_um = np.arange(0, _LARGEST_RADIUS_UM + _SIDE_UM, _STEP_UM) + _STEP_UM / 2
    reach = samples_um / mpp
    # remap counts from the middle of the first pixel.
    x, y = (
        (center[axis] - 0.5 + np.outer(directions[:, axis], reach)).astype(np.float32)
        for axis in (0, 1)
    )
    along = cv2.remap(amount, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    sums = np.cumsum(np.pad(along.astype(np.float64), ((0, 0), (1, 0))), axis=1)
    at = np.arange(round(_LEAST_RADIUS_UM / _STEP_UM), len(samples_um) - n_side)
    drops = (2 * sums[:, at] - sums[:, at - n_side] - sums[:, at + n_side]) / n_side
    return at.astype(np.float64) * _STEP_UM, drops


def _best_ring(gains: Floats) -> npt.NDArray[np.int64]:
    """Return the index of the radius on each ray: the largest sum, one step a ray at most.

    The rays are gone around three times and the middle turn is kept: it closes.
    """
    n_rays, n_radii = gains.shape
    total = np.zeros(n_radii)
    came_from = np.zeros((3 * n_rays, n_radii), np.int64)
    for turn in range(3 * n_rays):
        outside = np.pad(total, 1, constant_values=-math.inf)
        ways = np.stack([outside[:-2] - _TURN_COST, total, outside[2:] - _TURN_COST])
        step = ways.argmax(axis=0)
        came_from[turn] = np.arange(n_radii) + step - 1
        total = ways.max(axis=0) + gains[turn % n_rays]
    chosen = np.empty(3 * n_rays, np.int64)
    chosen[-1] = total.argmax()
    for turn in range(3 * n_rays - 1, 0, -1):
        chosen[turn - 1] = came_from[turn, chosen[turn]]
    return chosen[n_rays : 2 * n_rays]


def _rounded(radii: Floats) -> Floats:
    """Take the steps out of the radii."""
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(radii, _ROUNDING_RAYS, mode="wrap"))
