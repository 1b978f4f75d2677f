"""A second slide laid on the first: moved, turned and scaled until both fit."""

from __future__ import annotations

from pathoview.core.affine import Affine
from pathoview.core.byte_cache import ByteCache
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.warped_source import WarpedSource


class RegisteredSource(WarpedSource):
    """Tiles of a second slide in the frame of the base slide; `placement` says how it lies."""

    def __init__(
        self,
        inner: SlideSource,
        placement: Affine,
        width_l0: float,
        height_l0: float,
        memory: ByteCache | None = None,
    ) -> None:
        """``placement`` takes level-0 px of the second slide to those of the base slide."""
        super().__init__(inner, placement, width_l0, height_l0, memory)
        self.slide_source = inner
        """The second slide by itself; its style and display are set there."""
