"""Masks made from one point a nucleus: Voronoi edges, clusters of colour and distance, instances.

Two masks err differently, so a network that learns from both errs less than either. Voronoi: the
edges between points are background, a spot at each is nucleus. Clusters: pixels are parted by
colour and by distance from the nearest point. Masks of classes are (height, width) uint8 with 0
background, 1 nucleus, 255 unknown. Points are (n, 2) x, y in px of the patch. Lengths are µm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, find_objects

from pathoview.datasets.labels import BACKGROUND, UNKNOWN, Mask
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams

NUCLEUS = 1

Rgb = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.int32]

_SPOT_UM = 0.5
"""Radius around a point that is nucleus for certain."""
_EDGE_UM = 0.25
_NEAR_UM = 1.25
_SAFE_UM = 2.5
"""Radius around a point in which nothing is background."""
_CLOSE_UM, _OPEN_UM = 1.25, 1.75
_LEAST_CLUSTER_UM2 = 1.9
_LEAST_OBJECT_UM2 = 1.25
_SURE_BACKGROUND = 0.3
"""Up to this probability of nucleus a pixel is background to stage two."""
_CONTRAST_REACH_UM = 1.0
_LEAST_CONTRAST = 0.02
_SMOOTH_UM = 0.5
_SURE_REACH = 0.6
"""Share of the reach of a point in which its colour alone makes a pixel nucleus."""
_MOST_SAMPLES = 40_000
_MOST_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Cellmap:
    """Which point is nearest to each pixel."""

    cells: Cells
    """(height, width) 1 … n: row of the nearest point + 1; 0 where there are no points."""
    distance_um: Floats
    """(height, width) to that point."""
    spots: Mask
    """(height, width) 1 at the pixel of each point."""


def cellmap(points: Points, height: int, width: int, mpp: float) -> Cellmap:
    """Return the Voronoi cells of the points in the patch; points beyond its edge count, too."""
    margin = 0
    if len(points):
        outside = np.maximum(-points, points - (width - 1, height - 1))
        margin = max(0, math.ceil(outside.max()))
    seeds = np.zeros((height + 2 * margin, width + 2 * margin), np.int32)
    columns, rows = (np.floor(points).astype(np.int64) + margin).T
    seeds[rows, columns] = np.arange(1, len(points) + 1)
    inside = (slice(margin, margin + height), slice(margin, margin + width))
    spots = (seeds[inside] > 0).astype(np.uint8)
    if not len(points):
        return Cellmap(seeds, np.full(seeds.shape, np.inf, np.float32), spots)
    distance, nearest = distance_transform_edt(seeds == 0, return_indices=True)
    cells = seeds[nearest[0], nearest[1]]
    return Cellmap(cells[inside].copy(), (distance[inside] * mpp).astype(np.float32), spots)


def voronoi_mask(cells: Cellmap, mpp: float) -> Mask:
    """Return the edges between cells as background, a spot at each point as nucleus."""
    eroded = cv2.erode(cells.cells.astype(np.float32), _disk(_EDGE_UM / mpp))
    dilated = cv2.dilate(cells.cells.astype(np.float32), _disk(_EDGE_UM / mpp))
    edges = cv2.morphologyEx(
        (eroded != dilated).astype(np.uint8), cv2.MORPH_CLOSE, _disk(_EDGE_UM / mpp)
    )
    mask = np.full(cells.cells.shape, UNKNOWN, np.uint8)
    mask[edges > 0] = BACKGROUND
    mask[_grown(cells.spots, _SPOT_UM, mpp) > 0] = NUCLEUS
    return mask


def cluster_mask(
    rgb: Rgb, cells: Cellmap, is_known: Flags, mpp: float, params: PointNucleiFitParams
) -> Mask:
    """Return pixels parted in three by colour and distance: nucleus, background, unknown.

    ``is_known`` (height, width) says where every nucleus has a point; elsewhere all is unknown.
    """
    mask = np.full(rgb.shape[:2], UNKNOWN, np.uint8)
    if not ((cells.spots > 0) & is_known).any():
        return mask
    features = _features(rgb, cells, is_known, mpp, params)
    nearest = _clusters(features, is_known, 3)
    nucleus, background = _roles(nearest, cells, is_known, mpp)
    far = cells.distance_um > _SAFE_UM
    mask[(nearest == background) & is_known & far] = BACKGROUND
    mask[_refined((nearest == nucleus) & is_known, cells, mpp)] = NUCLEUS
    return mask


def color_mask(
    rgb: Rgb, cells: Cellmap, is_known: Flags, mpp: float, params: PointNucleiFitParams
) -> Mask:
    """Return pixels parted in two by colour alone, where not every nucleus has a point.

    What has the colour of nuclei is nucleus near a point only, and unknown elsewhere; the distance
    from points tells nothing, for beyond them lie nuclei, too.
    """
    mask = np.full(rgb.shape[:2], UNKNOWN, np.uint8)
    # So far around a point, for the middle of a clear nucleus has the colour of what is beside it.
    close = (cells.distance_um <= _SAFE_UM) & is_known
    if not close.any():
        return mask
    smooth = np.asarray(cv2.GaussianBlur(rgb, (0, 0), _SMOOTH_UM / mpp), np.float32) / 255
    nearest = _clusters(smooth.astype(np.float32), is_known, 2)
    n_known = np.maximum(np.bincount(nearest[is_known], minlength=2), 1)
    shares = np.bincount(nearest[close], minlength=2) / n_known
    is_nucleus = (nearest == int(shares.argmax())) & is_known
    mask[is_known & ~is_nucleus & (cells.distance_um > _SAFE_UM)] = BACKGROUND
    mask[is_nucleus & (cells.distance_um <= params.reach_um * _SURE_REACH)] = NUCLEUS
    return mask


def pseudo_masks(
    rgb: Rgb,
    points: Points,
    is_complete: Flags,
    mpp: float,
    params: PointNucleiFitParams,
    is_allowed: Flags | None = None,
    is_none: Flags | None = None,
    cells: Cellmap | None = None,
) -> tuple[Mask, Mask]:
    """Return the Voronoi mask and the cluster mask; black pixels are padding: background.

    ``is_complete`` (height, width) says where every nucleus has a point. Elsewhere only the
    surroundings of points count, and edges only where they have not the colour of nuclei.
    ``is_allowed``: of what else nothing may be said (it is held back, say); None: of nothing.
    ``is_none``: where somebody said that there is no nucleus; it is background but close to points.
    ``cells``: of the points, where they are there already.
    """
    height, width = rgb.shape[:2]
    allowed = np.ones((height, width), np.bool_) if is_allowed is None else is_allowed
    if cells is None:
        cells = cellmap(points, height, width, mpp)
    near = surroundings(points, height, width, params.square_um / mpp) & ~is_complete & allowed
    clusters = cluster_mask(rgb, cells, is_complete & allowed, mpp, params)
    by_color = color_mask(rgb, cells, near, mpp, params)
    clusters[near] = by_color[near]
    voronoi = voronoi_mask(cells, mpp)
    # An edge may cross a nucleus without a point, where not all have one.
    voronoi[(voronoi == BACKGROUND) & ~is_complete & (clusters != BACKGROUND)] = UNKNOWN
    voronoi[~(near | is_complete & allowed)] = UNKNOWN
    if is_none is not None:
        is_sure = is_none & allowed & (cells.distance_um > _SAFE_UM)
        voronoi[is_sure] = clusters[is_sure] = BACKGROUND
    padding = ~rgb.any(axis=2)
    voronoi[padding] = clusters[padding] = BACKGROUND
    return voronoi, clusters


def preview(
    patch: Rgb,
    points: Points,
    mpp: float,
    params: PointNucleiFitParams,
    is_none: Flags,
    is_complete: Flags | None = None,
) -> Mask:
    """Return what would be learned from in a patch: Voronoi edges and spots over the clusters.

    ``points`` are (n, 2) x, y px of the patch, those around it included; ``is_none`` and
    ``is_complete`` as in `pseudo_masks`, None: not every nucleus has a point, anywhere.
    """
    if is_complete is None:
        is_complete = np.zeros(patch.shape[:2], np.bool_)
    voronoi, clusters = pseudo_masks(patch, points, is_complete, mpp, params, is_none=is_none)
    return np.where(voronoi == UNKNOWN, clusters, voronoi)


def surroundings(points: Points, height: int, width: int, side_px: float) -> Flags:
    """Return the union of squares around points, (height, width)."""
    flags = np.zeros((height, width), np.bool_)
    for x, y in points.tolist():
        left, top = (max(0, round(v - side_px / 2)) for v in (x, y))
        flags[top : max(0, round(y + side_px / 2)), left : max(0, round(x + side_px / 2))] = True
    return flags


def _features(
    rgb: Rgb, cells: Cellmap, is_known: Flags, mpp: float, params: PointNucleiFitParams
) -> Floats:
    """Return (height, width, 4): weighted red, green, blue in 0–1, and distance in 0–1."""
    height, width = cells.spots.shape
    points = np.argwhere(cells.spots)[:, ::-1].astype(np.float64)
    near = surroundings(points, height, width, params.square_um / mpp)
    contrast = max(local_contrast(rgb, near & is_known, mpp), _LEAST_CONTRAST)
    distance = np.minimum(cells.distance_um, np.float32(params.reach_um))
    color = rgb.astype(np.float32) * np.float32(params.alpha / contrast / 255)
    return np.dstack([color, distance / max(float(distance[is_known].max()), 1e-6)])


def local_contrast(rgb: Rgb, is_near: Flags, mpp: float) -> float:
    """Return the spread of the difference of colour between near pixels, 0–1 scale.

    Pairs of every second pixel of every second row with its neighbours up to 1 µm away; a pair
    counts once for each of its pixels that is flagged.
    """
    reach = max(1, round(_CONTRAST_REACH_UM / mpp))
    image = cv2.copyMakeBorder(rgb, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    counts = cv2.copyMakeBorder(
        is_near.astype(np.uint8), reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0
    )
    height, width = rgb.shape[:2]
    here = rgb[::2, ::2].astype(np.int32)
    total = np.zeros(3)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if (dy, dx) == (0, 0):
                continue
            rows = slice(reach + dy, reach + dy + height, 2)
            columns = slice(reach + dx, reach + dx + width, 2)
            flagged = counts[rows, columns] > 0
            difference = (here - image[rows, columns])[flagged]
            squared = np.einsum("ij,ij->i", difference, difference).astype(np.float64)
            total += len(squared), np.sqrt(squared).sum(), squared.sum()
    n, first, second = total
    if n == 0:
        return 0.0
    return math.sqrt(max(second / n - (first / n) ** 2, 0.0)) / 255


def _clusters(features: Floats, is_known: Flags, n: int) -> npt.NDArray[np.int64]:
    """Return the cluster of each pixel, (height, width), by k-means of the known ones.

    A fixed share of the pixels is enough, and a fixed start makes it the same every time: the
    pixels in order of how far and how bright they are, cut in ``n``.
    """
    known = features[is_known]
    sample = known[:: max(1, len(known) // _MOST_SAMPLES)]
    order = np.argsort(sample.sum(axis=1), kind="stable")
    centers = np.stack([sample[some].mean(axis=0) for some in np.array_split(order, n)])
    for _round in range(_MOST_ROUNDS):
        nearest = _nearest(sample, centers)
        moved = np.stack(
            [
                sample[nearest == k].mean(axis=0) if (nearest == k).any() else centers[k]
                for k in range(n)
            ]
        )
        if np.allclose(moved, centers, atol=1e-4):
            break
        centers = moved
    flat = features.reshape(-1, features.shape[2])
    return _nearest(flat, centers).reshape(is_known.shape)


def _nearest(features: Floats, centers: Floats) -> npt.NDArray[np.int64]:
    """Return which center is nearest to each row: |f − c|² without what is the same for all."""
    return np.asarray((features @ (-2 * centers.T) + (centers**2).sum(axis=1)).argmin(axis=1))


def _roles(
    nearest: npt.NDArray[np.int64], cells: Cellmap, is_known: Flags, mpp: float
) -> tuple[int, int]:
    """Return the cluster with most points, and of the others the one farthest from points."""
    at_points = np.bincount(nearest[(cells.spots > 0) & is_known], minlength=3)
    nucleus = int(at_points.argmax())
    near_points = nearest[(cells.distance_um <= _NEAR_UM) & is_known]
    overlap = np.bincount(near_points, minlength=3).astype(np.float64)
    overlap[nucleus] = np.inf
    return nucleus, int(overlap.argmin())


def _refined(is_nucleus: Flags, cells: Cellmap, mpp: float) -> Flags:
    """Close and smooth the nucleus of each cell on its own; small pieces are dropped."""
    mask = without_small(is_nucleus.astype(np.uint8), _LEAST_CLUSTER_UM2 / mpp**2)
    out = np.zeros_like(mask)
    margin = math.ceil((_CLOSE_UM + _SPOT_UM) / mpp) + 1
    grow, close, open_ = (_disk(r / mpp) for r in (_SPOT_UM, _CLOSE_UM, _OPEN_UM))
    boxes = find_objects(cells.cells)
    for number in np.unique(cells.cells).tolist():
        rows, columns = (
            slice(max(0, one.start - margin), one.stop + margin) for one in boxes[number - 1]
        )
        cell = (cells.cells[rows, columns] == number).astype(np.uint8)
        part = _dilated(cell, grow) & mask[rows, columns]
        if part.any():
            closed = filled_holes(_dilated(part, close))
            out[rows, columns] |= np.asarray(cv2.erode(closed, open_), np.uint8)
    return out > 0


def instance_labels(
    probability: Floats, cells: Cellmap, threshold: float, mpp: float
) -> tuple[Cells, Flags]:
    """Return pseudo instances and the background that stage two learns from.

    ``probability`` (height, width) of nucleus, 0 where there is no image. Labels are row of the
    point + 1; an instance is what of the foreground lies in its point's cell and touches it.
    """
    mask = (probability >= threshold).astype(np.uint8)
    mask = filled_holes(without_small(mask, _LEAST_OBJECT_UM2 / mpp**2))
    inner = cv2.erode(cells.cells.astype(np.float32), _disk(_EDGE_UM / mpp)) == cv2.dilate(
        cells.cells.astype(np.float32), _disk(_EDGE_UM / mpp)
    )
    mask &= inner.astype(np.uint8)
    # Cells do not touch once their edges are gone, so pieces are within one cell each.
    _n, pieces = cv2.connectedComponents(mask, connectivity=4)
    touched = pieces[(cells.distance_um <= _SPOT_UM) & (mask > 0)]
    has_point = np.zeros(pieces.max() + 1, np.bool_)
    has_point[touched] = True
    has_point[0] = False
    labels = np.where(has_point[pieces], cells.cells, 0).astype(np.int32)
    background = (probability > 0) & (probability <= _SURE_BACKGROUND)
    return labels, background


def without_small(mask: Mask, least_px: float) -> Mask:
    """Return the mask without pieces of fewer pixels."""
    _n, pieces, stats, _centers = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= least_px
    keep[0] = False
    return np.asarray(keep[pieces], np.uint8)


def filled_holes(mask: Mask) -> Mask:
    """Return the mask with its holes filled."""
    contours, _hierarchy = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    out = np.zeros_like(mask)
    cv2.drawContours(out, contours, -1, 1, cv2.FILLED)
    return out


def _grown(mask: Mask, radius_um: float, mpp: float) -> Mask:
    return _dilated(mask, _disk(radius_um / mpp))


def _dilated(mask: Mask, element: Mask) -> Mask:
    return np.asarray(cv2.dilate(mask, element), np.uint8)


def _disk(radius_px: float) -> Mask:
    reach = max(1, math.floor(radius_px + 0.01))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(x * x + y * y <= (max(1.0, radius_px) + 0.01) ** 2, np.uint8)
