"""The one interface behind everything that is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from psygnal import SignalInstance

from pathoview.core.pyramid import Pyramid, TileKey

Rgba = npt.NDArray[np.uint8]
"""(height, width, 4) uint8, red, green, blue, alpha; colours are premultiplied by alpha."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A tile that takes long to make, as far as it has come: ask again for more of it."""

    pixels: Rgba


class TileSource(Protocol):
    """Something that can be drawn tile by tile. `read_tile` is called from several threads."""

    pyramid: Pyramid
    """The source's own levels; a vector source has enlarged ones (downsample < 1) too."""

    @property
    def changed(self) -> SignalInstance:
        """Emitted with a `Rect` in level-0 px, or None for everything."""

    @property
    def style_version(self) -> int:
        """Raised with every change of style: cached tiles of older versions are stale."""

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        """Return the painted tile, of `Pyramid.tile_lv`'s size; None: nothing to draw there.

        Raises `SlideError` when the tile cannot be read.
        """
