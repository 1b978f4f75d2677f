"""Counts of objects as a picture of dots: every bin is shared among the kinds in it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pathoview.layers.density import Counts
from pathoview.layers.paint import Color, premultiplied
from pathoview.layers.source import Rgba

DOTS = 4
"""A bin is drawn as ``DOTS × DOTS`` px."""
N_DOTS = DOTS * DOTS
_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.uint8)
"""In which order the dots of a bin are given away, so that kinds mix evenly; and how bins differ in
their rounding, so that shares smaller than a dot add up over neighbouring bins."""
_FAINTEST = 0.35
"""Opacity of a place with one tiny object; one that is covered by objects is opaque."""


def dot_image(
    counts: Mapping[int, Counts],
    palette: Mapping[int, Color],
    object_px: float,
    shape: tuple[int, int],
) -> Rgba:
    """Return counts as a picture of dots, premultiplied RGBA of the given (height, width).

    See `shared_dots` for who gets them. A bin is the more opaque the more of it is covered by
    objects, each ``object_px`` px wide.
    """
    kinds = sorted(counts)
    stack = np.stack([counts[kind] for kind in kinds])
    total = stack.sum(axis=0)
    ends = shared_dots(stack).cumsum(axis=0).astype(np.uint8)
    scale = max(1, math.ceil(shape[0] / total.shape[0] / DOTS))
    is_before = ends[:, :, None, :, None] <= _ORDER[None, None, :, None, :]
    owner = is_before.sum(axis=0, dtype=np.uint8).reshape(total.shape[0] * DOTS, -1)
    owner = np.minimum(owner, len(kinds) - 1)
    share = np.minimum(1, total * (object_px / (DOTS * scale)) ** 2)
    alpha = np.where(total > 0, 255 * (_FAINTEST + (1 - _FAINTEST) * share), 0).astype(np.uint8)
    image = np.empty((*owner.shape, 4), np.uint8)
    image[..., :3] = np.array([palette[kind] for kind in kinds], np.uint8).take(owner, axis=0)
    image[..., 3] = alpha.repeat(DOTS, 0).repeat(DOTS, 1)
    return premultiplied(image).repeat(scale, 0).repeat(scale, 1)[: shape[0], : shape[1]]


def shared_dots(stack: Counts) -> Counts:
    """Return how many of a bin's 16 dots each kind gets; ``stack`` is (kinds, down, across).

    Kinds get dots in proportion to their counts, rounded so that the mean over many bins is right,
    and each kind in a bin gets at least one, at the cost of the most frequent. Where more than 16
    kinds share a bin, 16 of them get a dot each; neighbouring bins leave out different ones.
    """
    stack = np.where(_is_left_out(stack), 0, stack)
    total = np.maximum(stack.sum(axis=0), 1)
    down, across = stack.shape[1:]
    tiles = (-(-down // DOTS), -(-across // DOTS))
    phase = ((np.tile(_ORDER, tiles) + 0.5) / N_DOTS)[:down, :across]
    ends = np.floor(stack.cumsum(axis=0) / total * N_DOTS + phase).astype(np.int64)
    dots: Counts = np.maximum(np.diff(ends, axis=0, prepend=0), stack > 0)
    while (surplus := dots.sum(axis=0) - N_DOTS).max() > 0:
        main = dots.argmax(axis=0)[None]
        most = np.take_along_axis(dots, main, axis=0)
        spare = np.clip(surplus, 0, np.maximum(most - 1, 0))
        np.put_along_axis(dots, main, most - spare, axis=0)
    return dots


def _is_left_out(stack: Counts) -> npt.NDArray[np.bool_]:
    """Say which kinds of crowded bins get no dot; it goes round from bin to bin."""
    is_there = stack > 0
    n_kinds = is_there.sum(axis=0)
    down, across = stack.shape[1:]
    first = N_DOTS * (np.arange(down)[:, None] * DOTS + np.arange(across))
    turn = (is_there.cumsum(axis=0) - 1 + first) % np.maximum(n_kinds, 1)
    left_out: npt.NDArray[np.bool_] = is_there & (turn >= N_DOTS)
    return left_out
