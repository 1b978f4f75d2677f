"""A slide in the colours of another, tile by tile: to be looked at, never measured."""

from __future__ import annotations

import numpy as np
from psygnal import Signal

from pathoview.core.byte_cache import ByteCache
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import Rgba, Unfinished
from pathoview.layers.synthetic_source import burn_badges
from pathoview.slides.slide import Slide
from pathoview.slides.stain_normalisation import StainNormaliser

BADGE = "normalised"
"""In the pixels, in all languages: no microscope saw these colours."""


class NormalisedSource:
    """Tiles of a slide after stain normalisation, with a badge that cannot be switched off."""

    changed = Signal(object)

    def __init__(
        self, slide: Slide, normaliser: StainNormaliser, memory: ByteCache | None = None
    ) -> None:
        # stains are told apart by the colours that methods see, whatever the profile says
        self._inner = SlideSource(slide, correct_colors=False, memory=memory)
        self.pyramid = self._inner.pyramid
        self._normaliser = normaliser
        self._style_version = 0

    @property
    def style_version(self) -> int:
        return self._style_version

    @property
    def normaliser(self) -> StainNormaliser:
        """What was measured, and whose colours are given; may be set at any time."""
        return self._normaliser

    @normaliser.setter
    def normaliser(self, normaliser: StainNormaliser) -> None:
        if normaliser != self._normaliser:
            self._normaliser = normaliser
            self._style_version += 1
            self.changed.emit(None)

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        tile = self._inner.read_tile(key)
        if tile is None:
            return None
        pixels = tile.pixels if isinstance(tile, Unfinished) else tile
        pixels[..., :3] = self._normaliser.apply(np.ascontiguousarray(pixels[..., :3]))
        whole = Rect(0, 0, self.pyramid.width_l0, self.pyramid.height_l0)
        own_lv = self.pyramid.to_level(whole, key.level)
        burn_badges(pixels, self.pyramid.tile_lv(key), own_lv, BADGE)
        return tile
