"""Label images to rings: one polygon around each object, all objects of a patch at once.

The ring runs through the middles of the pixel sides between an object and its surroundings (the
iso-line at ½ of the object's mask). Its area is the pixel count less ½, it is simple by
construction, and it treats diagonal neighbours as apart. Coordinates are in half pixels from the
array's top-left corner, hence whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int64]

_TOP, _RIGHT, _BOTTOM, _LEFT = range(4)
_AHEAD = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
"""(row, column) step along each side when the object is kept on the right hand."""
_OUTWARD = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])
_MIDDLE = np.array([(1, 0), (2, 1), (1, 2), (0, 1)])
"""(x, y) of the middle of each side, in half pixels from the pixel's corner."""
_START = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
"""(x, y) of the corner where each side begins, in pixels from the pixel's corner."""


@dataclass(frozen=True, slots=True)
class Rings:
    """The outer ring of each label's largest piece, ordered by label."""

    labels: Index
    """(n,) whose rings they are."""
    points: npt.NDArray[np.int32]
    """(v, 2) x, y in half pixels, clockwise on the screen, ring after ring, not closed."""
    offsets: Index
    """(n + 1,) where each ring starts."""


def trace(labels: npt.NDArray[np.int32]) -> Rings:
    """Return the rings of all labels above 0; holes are filled, lesser pieces left out."""
    edges = _side_edges(labels)
    if not len(edges.following):
        return Rings(np.empty(0, np.int64), np.empty((0, 2), np.int32), np.zeros(1, np.int64))
    order, offsets = _follow(edges.following)
    points, owner = edges.points[order], edges.labels[order][offsets[:-1]]
    area = ring_areas(points.astype(np.float64), offsets)
    ranked = np.lexsort((-area, owner))  # the largest ring first; holes turn the other way
    first = np.ones(len(ranked), np.bool_)
    first[1:] = np.diff(owner[ranked]) > 0
    kept = ranked[first]
    rows, kept_offsets = ranges(offsets[:-1][kept], np.diff(offsets)[kept])
    return Rings(owner[kept], points[rows], kept_offsets)


def pixel_rings(parts: npt.NDArray[np.int32]) -> Rings:
    """Return all rings of connected parts, outer ones and holes, along the sides of pixels.

    ``parts`` numbers the pixels that hang together by their sides. Points are the corners of
    pixels, in px, one for each side passed; a part's outer ring comes first. A ring meets no point
    twice: where a part touches itself by a corner only, a hole begins there.
    """
    edges = _side_edges(parts, meet_at_corners=True)
    if not len(edges.following):
        return Rings(np.empty(0, np.int64), np.empty((0, 2), np.int32), np.zeros(1, np.int64))
    order, offsets = _follow(edges.following)
    points, owner = edges.starts[order], edges.labels[order][offsets[:-1]]
    ranked = np.lexsort((-ring_areas(points.astype(np.float64), offsets), owner))
    rows, ranked_offsets = ranges(offsets[:-1][ranked], np.diff(offsets)[ranked])
    return Rings(owner[ranked], points[rows], ranked_offsets)


@dataclass(frozen=True, slots=True)
class _Edges:
    labels: Index
    points: npt.NDArray[np.int32]
    """Their middles, in half pixels."""
    starts: npt.NDArray[np.int32]
    """Where they begin, in pixels."""
    following: Index
    """Index of the edge that comes next on the ring."""


def _side_edges(labels: npt.NDArray[np.int32], *, meet_at_corners: bool = False) -> _Edges:
    """Return the pixel sides on which an object ends, and how they hang together.

    ``meet_at_corners``: a ring goes on to a pixel of its object that touches by a corner only.
    """
    padded = np.pad(labels, 1)
    width = padded.shape[1]
    flat = padded.ravel()
    ahead = _AHEAD @ np.array([width, 1])
    outward = _OUTWARD @ np.array([width, 1])
    inside = np.flatnonzero(flat)
    pixels = [inside[flat[inside] != flat[inside + step]] for step in outward]
    # Edges are numbered by pixel, then side: a ring starts at its topmost, leftmost pixel.
    key = np.sort(np.concatenate([pixel * 4 + side for side, pixel in enumerate(pixels)]))
    pixel, side = key >> 2, key & 3
    label, front = flat[pixel], pixel + ahead[side]
    is_straight = flat[front] == label
    is_left = (is_straight | meet_at_corners) & (flat[front + outward[side]] == label)
    next_key = np.where(
        is_left,
        (front + outward[side]) * 4 + (side + 3) % 4,
        np.where(is_straight, front * 4 + side, pixel * 4 + (side + 1) % 4),
    )
    position = np.empty(len(flat) * 4, np.int32)
    position[key] = np.arange(len(key))
    corner = np.stack([pixel % width - 1, pixel // width - 1], axis=1)
    points = (corner * 2 + _MIDDLE[side]).astype(np.int32)
    starts = (corner + _START[side]).astype(np.int32)
    return _Edges(label.astype(np.int64), points, starts, position[next_key].astype(np.int64))


def _follow(following: Index) -> tuple[Index, Index]:
    """Return the elements in the order of their rings, and where each ring starts.

    All rings are followed at once by pointer doubling: log₂ of the longest ring's length steps.
    """
    n = len(following)
    lead, jump = np.arange(n), following
    while True:
        smaller = np.minimum(lead, lead[jump])
        if np.array_equal(smaller, lead):
            break
        lead, jump = smaller, jump[jump]
    # Cut each ring before its leader, then count the steps to the end.
    jump = np.where(lead == following, np.arange(n), following)
    to_end = (jump != np.arange(n)).astype(np.int64)
    while True:
        further = to_end + to_end[jump]
        if np.array_equal(further, to_end):
            break
        to_end, jump = further, jump[jump]
    order = np.lexsort((-to_end, lead))
    starts = np.flatnonzero(np.diff(lead[order], prepend=-1))
    return order, np.append(starts, n)


def ranges(starts: Index, counts: Index) -> tuple[Index, Index]:
    """Return the indices ``start … start + count`` one after another, and their offsets."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    return np.repeat(starts, counts) + within, offsets


def following_points(points: npt.NDArray[np.float64], offsets: Index) -> npt.NDArray[np.float64]:
    """Return for each vertex the next one on its ring."""
    following = np.roll(points, -1, axis=0)
    following[offsets[1:] - 1] = points[offsets[:-1]]
    return following


def ring_areas(points: npt.NDArray[np.float64], offsets: Index) -> npt.NDArray[np.float64]:
    """Return the signed areas of rings, positive where they run clockwise on the screen."""
    first = np.repeat(points[offsets[:-1]], np.diff(offsets), axis=0)
    here = points - first  # relative to the ring's first vertex: no cancellation
    there = following_points(here, offsets)
    cross = here[:, 0] * there[:, 1] - there[:, 0] * here[:, 1]
    return np.asarray(np.add.reduceat(cross, offsets[:-1]) / 2)


def simplify(rings: Rings, tolerance_px: float) -> Rings:
    """Return the rings without the vertices that lie within the tolerance (Douglas-Peucker).

    A ring keeps at least four vertices where it has them.
    """
    whole = np.split(rings.points, rings.offsets[1:-1]) if len(rings.labels) else []
    parts = [_simplified(ring, tolerance_px * 2) for ring in whole]
    counts = np.array([len(part) for part in parts], np.int64)
    points = np.concatenate([np.empty((0, 2), np.int32), *parts])
    return Rings(rings.labels, points, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def _simplified(ring: npt.NDArray[np.int32], tolerance: float) -> npt.NDArray[np.int32]:
    fewer = np.asarray(cv2.approxPolyDP(ring, tolerance, True)[:, 0], np.int32)
    return fewer if len(fewer) >= 4 else ring
