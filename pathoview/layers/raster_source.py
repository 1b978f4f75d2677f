"""What all layers that are drawn from a raster have in common: place, style version, tiles."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.core.affine import Affine
from pathoview.core.errors import InputError, UsageError
from pathoview.core.pyramid import TileKey
from pathoview.core.translation import _
from pathoview.layers.placed import Packed, Seen, seen_through, tile_to_l0
from pathoview.layers.raster import Raster
from pathoview.layers.source import Rgba, Unfinished
from pathoview.layers.vector_levels import vector_pyramid

Style = TypeVar("Style")


class RasterSource(ABC, Generic[Style]):
    """A raster laid on the slide, in a style that may change. Thread-safe."""

    changed = Signal(object)

    def __init__(
        self, raster: Raster, placement: Affine, width_l0: float, height_l0: float, style: Style
    ) -> None:
        """``placement`` takes px of the raster to level-0 px of a slide of the given size."""
        self.raster = raster
        self.pyramid = vector_pyramid(width_l0, height_l0)
        self._placement = checked_placement(placement)
        self._style = style
        self._style_version = 0
        self._lock = threading.RLock()

    @property
    def style_version(self) -> int:
        return self._style_version

    @property
    def style(self) -> Style:
        return self._style

    @style.setter
    def style(self, style: Style) -> None:
        if style != self._style:
            self._style = style
            self._restyled()

    @property
    def placement(self) -> Affine:
        """From px of the raster to level-0 px; may be set at any time."""
        return self._placement

    @placement.setter
    def placement(self, placement: Affine) -> None:
        if placement != self._placement:
            self._placement = checked_placement(placement)
            self._restyled()

    def _restyled(self) -> None:
        with self._lock:
            self._style_version += 1
        self.changed.emit(None)

    @abstractmethod
    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None: ...

    def _seen(self, key: TileKey, channel: int = 0, margin: int = 0) -> Seen | None:
        """Return what a tile, with ``margin`` px more on each side, shows of the raster."""
        tile_lv = self.pyramid.tile_lv(key).expanded(margin)
        to_l0 = tile_to_l0(tile_lv, self.pyramid.levels[key.level].downsample)
        to_raster = to_l0.then(self._placement.inverse())
        return seen_through(
            self.raster, to_raster, (int(tile_lv.height), int(tile_lv.width)), channel
        )

    def _value_at(self, x_l0: float, y_l0: float, channel: int = 0) -> float | int | None:
        x, y = self._placement.inverse().point(x_l0, y_l0)
        finest = self.raster.levels[0]
        if not (0 <= x < finest.width and 0 <= y < finest.height):
            return None
        pixels, _is_whole = self.raster.read(0, int(x), int(y), 1, 1, channel)
        value: float | int = pixels[0, 0, 0].item()
        return value


def check_whole_numbers(raster: Raster, what: str) -> None:
    """Raise `InputError` when the raster holds no whole numbers; ``what`` says what it is to be."""
    if raster.dtype.kind not in "iu":
        raise InputError(
            _("{what} holds whole numbers; these are of the kind “{kind}”.").format(
                what=what, kind=raster.dtype.name
            ),
            _("Open it as a heatmap."),
        )


def checked_placement(placement: Affine) -> Affine:
    """Return the placement; raise `UsageError` when it leaves nothing to see."""
    if not np.isfinite(placement.matrix()).all() or placement.scale < 1e-9:
        raise UsageError(
            _("This placement squeezes the picture to nothing."), _("Give a scale above 0.")
        )
    return placement


def packed_colors(rgb: npt.ArrayLike, opacity: npt.ArrayLike = 1.0) -> Packed:
    """Return colours, (n, 3) 0–255, each 0–1 opaque, as premultiplied ones, (n,)."""
    colors = np.asarray(rgb, np.float64)
    alpha = np.broadcast_to(np.asarray(opacity, np.float64), len(colors))[:, None]
    values = np.column_stack([colors * alpha, alpha * 255])
    return np.ascontiguousarray(np.rint(values).astype(np.uint8)).view(np.uint32).ravel()
