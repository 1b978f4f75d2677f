"""What a detected object looks like, as numbers: its measurements, its neighbours, its picture.

Pictures are `PICTURE_PX` px a side at `MPP` around an object's centre: a nucleus of any size with
what lies beside it. Stains are taken apart by fixed colours, so that an object's numbers do not
depend on what else is on the slide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from pathoview.core.geometry import Rect
from pathoview.methods.outlines import SHAPE_MEASUREMENTS
from pathoview.slides.reading import AnalysisGrid, read_patch
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E, OPTICAL_DENSITY

MPP = 0.5
PICTURE_PX = 48
PICTURE_UM = PICTURE_PX * MPP
BLOCK_PX = 1024
"""Side of the blocks in which a slide is read, px of its grid: neighbours share what is read."""

NEAR_UM, REACH_UM = 20.0, 40.0
SURROUNDINGS = ("Neighbours within 20 µm", "Neighbours within 40 µm", "Nearest neighbour µm")
MEASUREMENTS = (*SHAPE_MEASUREMENTS, "Hematoxylin mean", "Eosin mean", "DAB mean", *SURROUNDINGS)
"""Measurements that classes are told by, where an object has them."""

_AT_ONCE = 256
"""Pictures described together: their arrays stay in the processor's cache."""
_BORDERS_UM = 2.5, 5.0, 8.0
"""Between rings around the centre: the middle and rim of a nucleus, what is beside and around."""
_ZONES = ("middle", "rim", "beside", "around")
_BLOB_UM = 6.0
_WIDTHS_PX = (1.0, 2.0, 4.0)
"""σ of the Gaussians between which texture is measured."""
_SHARES = (10, 50, 90)

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
Pictures = npt.NDArray[np.uint8]
"""(n, PICTURE_PX, PICTURE_PX, 3) RGB."""


def surroundings(points_um: Points, everything: cKDTree) -> dict[str, Floats]:
    """Return how crowded it is around objects, (n,) each; they are among ``everything``, in µm."""
    near, far = (
        everything.query_ball_point(points_um, radius, return_length=True) - 1
        for radius in (NEAR_UM, REACH_UM)
    )
    nearest = np.full(len(points_um), REACH_UM)
    if everything.n > 1 and len(points_um):
        distances, _rows = everything.query(points_um, k=2)
        nearest = np.minimum(np.reshape(distances, (-1, 2))[:, 1], REACH_UM)
    columns = (np.asarray(one, np.float32) for one in (near, far, nearest))
    return dict(zip(SURROUNDINGS, columns, strict=True))


def measurement_rows(measurements: Mapping[str, Floats], n: int) -> Floats:
    """Return (n, MEASUREMENTS) of columns; NaN where unknown."""
    unknown = np.full(n, np.nan, np.float32)
    return np.stack([measurements.get(name, unknown) for name in MEASUREMENTS], axis=1)


# -- pictures --------------------------------------------------------------------------------------


def pictures(slide: Slide, grid: AnalysisGrid, centers_l0: Points) -> Pictures:
    """Return what lies around places, (n, 2) level-0 px, at `MPP`; white beyond the slide.

    Places that lie together are read together. Raises `SlideError`.
    """
    side = max(1, round(PICTURE_UM / grid.mpp))
    corners = np.rint(centers_l0 / grid.scale_l0 - side / 2).astype(np.int64)
    out = np.empty((len(corners), PICTURE_PX, PICTURE_PX, 3), np.uint8)
    for rows in _blocks(corners):
        x, y = corners[rows].min(axis=0).tolist()
        right, bottom = (corners[rows].max(axis=0) + side).tolist()
        seen = Rect.from_corners(x, y, right, bottom)
        patch = read_patch(slide, grid, *seen.as_ints())
        for row in rows.tolist():
            left, top = corners[row] - (x, y)
            cut = patch[top : top + side, left : left + side]
            out[row] = cut if side == PICTURE_PX else _resized(cut)
    return out


def _blocks(corners: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the numbers of places that lie in the same block."""
    if not len(corners):
        return
    keys = corners // BLOCK_PX
    _unique, member = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(member.ravel(), kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(member.ravel()[order])) + 1)


def _resized(cut: Pictures) -> Pictures:
    way = cv2.INTER_AREA if len(cut) > PICTURE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (PICTURE_PX, PICTURE_PX), interpolation=way), np.uint8)


def _distances_um() -> Floats:
    axis = (np.arange(PICTURE_PX) + 0.5) * MPP - PICTURE_UM / 2
    return np.asarray(np.hypot(axis[:, None], axis[None, :]), np.float32)


_DISTANCE = _distances_um()
_IN_ZONE = np.digitize(_DISTANCE.ravel(), _BORDERS_UM) == np.arange(len(_ZONES))[:, None]
"""(zones, pixels)"""
_MEANS = (_IN_ZONE / _IN_ZONE.sum(axis=1, keepdims=True)).T.astype(np.float32)
"""(pixels, zones): pixels @ this = means of zones."""
_NUCLEUS = np.flatnonzero(_IN_ZONE[:2].any(axis=0))
_STAINS = ("hematoxylin", "eosin", "residual")

PICTURE_FEATURES: tuple[str, ...] = (
    *(f"{stain} {zone} mean" for stain in _STAINS for zone in _ZONES),
    *(f"{stain} {zone} deviation" for stain in _STAINS for zone in _ZONES),
    *(f"hematoxylin {share} %" for share in _SHARES),
    *(f"blob {what}" for what in ("amount", "length", "width", "off centre")),
    *(f"edges {zone}" for zone in _ZONES),
    *(f"texture {width:g} px {zone}" for width in _WIDTHS_PX for zone in _ZONES),
)


def picture_rows(shown: Pictures) -> Floats:
    """Return (n, PICTURE_FEATURES) of pictures."""
    parts = [_described(shown[i : i + _AT_ONCE]) for i in range(0, len(shown), _AT_ONCE)]
    return np.concatenate([np.empty((0, len(PICTURE_FEATURES)), np.float32), *parts])


def _described(shown: Pictures) -> Floats:
    n = len(shown)
    density = OPTICAL_DENSITY.astype(np.float32)[shown].reshape(n, -1, 3)
    amounts = np.moveaxis(density @ H_E.unmixing.astype(np.float32), 2, 0)
    means = amounts @ _MEANS
    deviations = np.sqrt(np.maximum(amounts**2 @ _MEANS - means**2, 0))
    blue = np.ascontiguousarray(amounts[0])
    shares = np.percentile(blue[:, _NUCLEUS], _SHARES, axis=1)
    columns = [
        np.moveaxis(means, 0, 1).reshape(n, -1),
        np.moveaxis(deviations, 0, 1).reshape(n, -1),
        shares.T,
        _blob(blue, means[0, :, 2]),
        _texture(blue.reshape(n, PICTURE_PX, PICTURE_PX)),
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _blob(blue: Floats, beside: Floats) -> Floats:
    """Return amount, length, width (µm) and offset (µm) of what is bluer than beside it."""
    inside = (_DISTANCE < _BLOB_UM).ravel()
    axis = (np.arange(PICTURE_PX) + 0.5) * MPP - PICTURE_UM / 2
    y, x = (one.ravel()[inside] for one in np.meshgrid(axis, axis, indexing="ij"))
    weight = np.maximum(blue[:, inside] - beside[:, None], 0)
    total = weight.sum(axis=1) + 1e-3
    mean_x, mean_y = weight @ x / total, weight @ y / total
    xx = weight @ (x * x) / total - mean_x**2
    yy = weight @ (y * y) / total - mean_y**2
    xy = weight @ (x * y) / total - mean_x * mean_y
    spread = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    long, short = (4 * np.sqrt(np.maximum(xx + yy + s, 0) / 2) for s in (spread, -spread))
    return np.stack([total * MPP**2, long, short, np.hypot(mean_x, mean_y)], axis=1)


def _texture(blue: Floats) -> Floats:
    """Return the mean slope, and the deviation between each two blurs, in each zone."""
    n = len(blue)
    dy, dx = np.gradient(blue, axis=(1, 2))
    columns = [np.hypot(dx, dy).reshape(n, -1) @ _MEANS]
    finer = blue
    for width in _WIDTHS_PX:
        coarser = ndimage.gaussian_filter(blue, (0, width, width), truncate=3)
        columns.append(np.sqrt((finer - coarser).reshape(n, -1) ** 2 @ _MEANS))
        finer = coarser
    return np.concatenate(columns, axis=1)
