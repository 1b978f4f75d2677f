"""A slide's pixels as tiles in colours fit for a screen."""

from __future__ import annotations

import threading

import numpy as np
from psygnal import Signal

from pathoview.core.byte_cache import ByteCache
from pathoview.core.pyramid import ALL_CHANNELS, Plane, TileKey
from pathoview.layers.display import (
    PLAIN,
    ChannelDisplay,
    Rgb,
    color_corrector,
    default_display,
    to_rgb,
    with_window,
)
from pathoview.layers.paint import opaque
from pathoview.layers.raw_tiles import RawTiles
from pathoview.layers.slide_style import SlideStyle, adjusted, stain_picture
from pathoview.layers.source import Rgba, Unfinished
from pathoview.slides.slide import Pixels, Slide

_TILE_PX = 512
"""A tile is about that wide: a whole multiple of the stored tiles."""


class SlideSource:
    """Tiles of a slide; levels that the file lacks are there too."""

    changed = Signal(object)

    def __init__(
        self, slide: Slide, *, correct_colors: bool = True, memory: ByteCache | None = None
    ) -> None:
        native = slide.info.native_tile_px or _TILE_PX
        self.slide = slide
        tile_px = max(1, round(_TILE_PX / native)) * native if native <= 2 * _TILE_PX else _TILE_PX
        self._raw = RawTiles(slide, tile_px, memory)
        self.pyramid = self._raw.pyramid
        self._display: tuple[ChannelDisplay, ...] | None = None
        self._display_lock = threading.Lock()
        self._correct = color_corrector(slide.info.icc_profile) if slide.info.is_rgb else None
        self._is_corrected = correct_colors
        self._style = SlideStyle()
        self._style_version = 0

    @property
    def style_version(self) -> int:
        return self._style_version

    @property
    def display(self) -> tuple[ChannelDisplay, ...]:
        """How the channels look (RGB counts as one); the first call reads a few pixels.

        Raises `SlideError` when these cannot be read.
        """
        with self._display_lock:
            if self._display is None:
                self._display = default_display(self.slide)
            return self._display

    @display.setter
    def display(self, display: tuple[ChannelDisplay, ...]) -> None:
        self._display = display
        self._restyled()

    @property
    def correct_colors(self) -> bool:
        """Whether the slide's ICC profile is followed."""
        return self._is_corrected

    @correct_colors.setter
    def correct_colors(self, correct_colors: bool) -> None:
        self._is_corrected = correct_colors
        self._restyled()

    @property
    def style(self) -> SlideStyle:
        """Brightness, contrast, gamma and stains."""
        return self._style

    @style.setter
    def style(self, style: SlideStyle) -> None:
        if style != self._style:
            self._style = style
            self._restyled()

    def _restyled(self) -> None:
        self._style_version += 1
        self.changed.emit(None)

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        raw, is_whole = self._raw.read(key)
        rgb = self._rgb(raw, key.plane, self._style)
        return opaque(rgb) if is_whole else Unfinished(opaque(rgb))

    def _rgb(self, raw: Pixels, plane: Plane, style: SlideStyle) -> Rgb:
        info, display = self.slide.info, self.display
        if style.stain != "original" and info.is_rgb and plane.c == ALL_CHANNELS:
            # stains are told apart by the colours that methods see, whatever the profile says
            picture = stain_picture(to_rgb(raw, info, plane, display), style)
            return with_window(picture, adjusted(PLAIN, style))
        if style.is_adjusted:
            display = tuple(adjusted(channel, style) for channel in display)
        rgb = to_rgb(raw, info, plane, display)
        if self._correct is not None and self._is_corrected:
            return self._correct(np.ascontiguousarray(rgb))
        return rgb
