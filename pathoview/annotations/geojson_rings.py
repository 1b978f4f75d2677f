r"""Coordinates of simple polygons taken out of GeoJSON as text and made into points all at once.

A parser would make a Python object of each of a million times sixteen points. Here the text of a
ring is cut out before parsing and a short mark stands for it: ``"coordinates":"\u000017"``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from pathoview.annotations.detections import SUBPIXEL, Ints, Offsets

FARTHEST_PX = 20_000_000
"""No picture is larger, and hundredths of a px must fit into 32 bits, moved by an offset or not."""

_RING = re.compile(rb'"coordinates"\s*:\s*\[\s*\[\s*(\[[^"{}]*\])\s*\]\s*\]')
_MARK = '"coordinates": "\\u0000%d"'
_MARK_IN_TEXT = re.compile(r'"coordinates": "\\u0000([0-9]+)"')
_DIGITS = b"0123456789.-+eE \t\r\n"
_SKELETONS = {2: b"[,],", 3: b"[,,],"}


@dataclass(frozen=True, slots=True)
class Cut:
    """JSON whose simple rings were replaced by marks, and the text of those rings."""

    text: bytes
    rings: list[bytes]

    @classmethod
    def of(cls, run: bytes) -> Cut:
        parts = _RING.split(run)
        rings = parts[1::2]
        marks = [(_MARK % index).encode() for index in range(len(rings))]
        parts[1::2] = marks
        return cls(b"".join(parts), rings)


def ring_index(coordinates: object) -> int:
    """Return which ring a mark stands for; raise `ValueError` when it is no mark."""
    if not isinstance(coordinates, str) or not coordinates.startswith("\0"):
        raise ValueError("not a mark")
    return int(coordinates[1:])


def restored(value: Any, rings: Sequence[bytes]) -> Any:
    """Return a parsed value with the rings in their places; raise `ValueError` when broken."""
    text = json.dumps(value)
    whole = _MARK_IN_TEXT.sub(
        lambda mark: f'"coordinates": [[{rings[int(mark[1])].decode()}]]', text
    )
    return json.loads(whole) if whole is not text else value


def ring_points(texts: Sequence[bytes]) -> tuple[Ints, Offsets]:
    """Return the points of rings in hundredths of a px, not closed, and where each ring starts.

    Raises `ValueError` when any ring is malformed, too short or out of bounds.
    """
    counts = np.fromiter((text.count(b"[") for text in texts), np.int64, len(texts))
    n_points = int(counts.sum())
    joined = b",".join(texts)
    skeleton = joined.translate(None, _DIGITS) + b","
    n_axes = len(skeleton) // max(n_points, 1) - 2
    if skeleton != _SKELETONS.get(n_axes, b"") * n_points:
        raise ValueError("not a ring of points")
    numbers = orjson.loads(b"[%b]" % joined.translate(None, b"[]"))
    xy = np.array(numbers, np.float64).reshape(-1, n_axes)[:, :2]
    if not (np.abs(xy) <= FARTHEST_PX).all():
        raise ValueError("coordinates that no picture has")
    return open_rings(np.rint(xy * SUBPIXEL).astype(np.int32), counts)


def open_rings(points: Ints, counts: Offsets) -> tuple[Ints, Offsets]:
    """Return rings without their closing points; raise `ValueError` when one is too short."""
    last = np.cumsum(counts) - 1
    is_closed = (points[last] == points[last - counts + 1]).all(axis=1)
    counts = counts - is_closed
    if counts.min() < 3:
        raise ValueError("too few points")
    kept = np.ones(len(points), bool)
    kept[last[is_closed]] = False
    return points[kept], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
