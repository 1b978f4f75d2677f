"""Masks as run lengths, as COCO has them: down the columns, background first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

_SHIFT, _MORE, _SIGN, _BITS = 48, 0x20, 0x10, 0x1F
_LARGEST_PIXELS = 1 << 28


def unpacked_counts(text: str) -> list[int]:
    """Return the run lengths in COCO's compressed text; raise `ValueError` when it is cut off.

    Five bits a character, the lowest first; from the third on each is the difference to the one
    two before.
    """
    counts: list[int] = []
    value = shift = 0
    for byte in text.encode("ascii"):
        bits = byte - _SHIFT
        value |= (bits & _BITS) << shift
        shift += 5
        if bits & _MORE:
            continue
        if bits & _SIGN:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("cut off")
    return counts


def mask_box(counts: Sequence[int], height: int, width: int) -> tuple[Mask, int, int]:
    """Return (mask of its bounding box, left, top) of runs in a picture of that size.

    Only the box is laid out: a mask on a whole slide takes no more than what is in it. Raises
    `ValueError` when the runs do not fit.
    """
    lengths = np.asarray(counts, np.int64)
    ends = np.cumsum(lengths)
    if height <= 0 or (lengths < 0).any() or not len(ends) or ends[-1] > height * width:
        raise ValueError("runs do not fit")
    starts, stops = (ends - lengths)[1::2], ends[1::2]
    starts, stops = starts[stops > starts], stops[stops > starts]
    if not len(starts):
        return np.zeros((0, 0), bool), 0, 0
    left, right = int(starts[0]) // height, int(stops[-1] - 1) // height + 1
    one_column = starts // height == (stops - 1) // height
    whole = not one_column.all()
    top = 0 if whole else int((starts % height).min())
    bottom = height if whole else int(((stops - 1) % height).max()) + 1
    if (right - left) * (bottom - top) > _LARGEST_PIXELS:
        raise ValueError("too large")
    mask = np.zeros((right - left, bottom - top), bool)  # column by column
    if whole:
        flat = mask.reshape(-1)
        for start, stop in zip(starts - left * height, stops - left * height, strict=True):
            flat[start:stop] = True
    else:
        columns = starts // height - left
        for column, start, stop in zip(columns, starts % height, stops, strict=True):
            mask[column, start - top : (stop - 1) % height + 1 - top] = True
    return mask.T, left, top


def counts_of(mask: Mask, left: int, top: int, height: int, width: int) -> list[int]:
    """Return the run lengths of a mask that lies in a picture of that size."""
    columns = np.pad(mask.T, ((0, 0), (1, 1))).astype(np.int8)
    column, row = np.nonzero(np.diff(columns, axis=1))
    edges = (column + left) * height + row + top
    # a run that ends where the next begins, at the foot of a column, goes on
    edges, n_times = np.unique(edges, return_counts=True)
    counts = np.diff(np.concatenate([[0], edges[n_times == 1], [height * width]]))
    return [int(count) for number, count in enumerate(counts) if count or not number]
