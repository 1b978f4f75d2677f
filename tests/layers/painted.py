"""Sources and slides made of arrays, and tables of made-up outlines."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.core.errors import SlideError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Pyramid, TileKey, halved_levels
from pathoview.layers.source import Rgba


class PlainSource:
    """Every tile has one colour that tells its level; it can be made slow, or to fail."""

    changed = Signal(object)

    def __init__(self, width: int = 1024, height: int = 1024, tile_px: int = 128) -> None:
        self.pyramid = Pyramid(halved_levels(width, height, tile_px), tile_px)
        self.style_version = 0
        self.read: list[TileKey] = []
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Semaphore(0)
        self.broken: set[TileKey] = set()

    def read_tile(self, key: TileKey) -> Rgba | None:
        self.started.release()
        self.gate.wait(10)
        self.read.append(key)
        if key in self.broken:
            raise SlideError("The tile is broken.")
        tile = self.pyramid.tile_lv(key)
        return np.full((int(tile.height), int(tile.width), 4), key.level + 1, np.uint8)


def boxes(
    rects: Sequence[Rect],
    classes: Sequence[DetectionClass] = (),
    class_index: Sequence[int] = (),
    **measurements: Sequence[float],
) -> Detections:
    """Return rectangles as outlines, given in level-0 px."""
    rings = [[(r.x, r.y), (r.right, r.y), (r.right, r.bottom), (r.x, r.bottom)] for r in rects]
    n = len(rects)
    ids = b"".join(uuid.uuid5(uuid.NAMESPACE_OID, str(rect)).bytes for rect in rects)
    return Detections(
        np.rint(np.array(rings, float).reshape(-1, 2) * SUBPIXEL).astype(np.int32),
        np.arange(n + 1, dtype=np.int64) * 4,
        np.frombuffer(ids, np.uint8).reshape(n, 16),
        np.array(class_index or [-1] * n, np.int16),
        tuple(classes),
        {name: np.array(values, np.float32) for name, values in measurements.items()},
    )


def straight(tile: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a tile with colours that are not premultiplied."""
    return np.asarray(cv2.cvtColor(tile, cv2.COLOR_mRGBA2RGBA), np.uint8)


def opaque_box(tile: npt.NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom (exclusive) of the pixels that are at all drawn."""
    rows, columns = np.nonzero(tile[..., 3] > 127)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
