"""Random holes in pictures: blobs of random outline, and strokes."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

_N_CORNERS = 16
_BLOB_RADIUS = (0.06, 0.4)
"""Of the side; the middle lies anywhere in the picture, so many reach beyond its edge."""
_ROUGHNESS = 0.35
"""How far the outline's radius leaves the blob's, most, as a part of it."""
_STROKE_WIDTH = (0.03, 0.12)
_STROKE_STEP = 0.2
_N_BENDS = 5
_STROKE_CHANCE = 0.3
_MOST = 3

Flags = npt.NDArray[np.bool_]


def random_hole(rng: np.random.Generator, side: int) -> Flags:
    """Return where a picture is hidden, (side, side): one to three blobs and strokes."""
    hole = np.zeros((side, side), np.uint8)
    for _one in range(rng.integers(1, _MOST + 1)):
        if rng.random() < _STROKE_CHANCE:
            _draw_stroke(hole, rng)
        else:
            _draw_blob(hole, rng)
    return hole > 0


def _draw_blob(hole: npt.NDArray[np.uint8], rng: np.random.Generator) -> None:
    side = len(hole)
    angles = np.linspace(0, 2 * np.pi, _N_CORNERS, endpoint=False)
    rough = rng.uniform(-1, 1, _N_CORNERS)
    smooth = (np.roll(rough, 1) + 2 * rough + np.roll(rough, -1)) / 4
    radius = side * rng.uniform(*_BLOB_RADIUS) * (1 + _ROUGHNESS * smooth)
    outline = rng.uniform(0, side, 2) + np.stack(
        [radius * np.cos(angles), radius * np.sin(angles)], axis=1
    )
    cv2.fillPoly(hole, [np.rint(outline).astype(np.int32)], 1)


def _draw_stroke(hole: npt.NDArray[np.uint8], rng: np.random.Generator) -> None:
    side = len(hole)
    turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.6, _N_BENDS))
    steps = side * _STROKE_STEP * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    path = rng.uniform(0, side, 2) + np.cumsum(steps, axis=0)
    width = max(1, round(side * rng.uniform(*_STROKE_WIDTH)))
    cv2.polylines(hole, [np.rint(path).astype(np.int32)], isClosed=False, color=1, thickness=width)
