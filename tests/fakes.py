"""A slide made of an array, for tests of what works on pixels only."""

from __future__ import annotations

from pathlib import Path

from pathoview.core.pyramid import Level, Plane
from pathoview.slides.slide import Channel, Pixels, Slide, SlideInfo, white


class ArraySlide(Slide):
    """(height, width, channels) pixels; every stride in ``downsamples`` makes a level."""

    def __init__(
        self,
        pixels: Pixels,
        mpp: float | None = 0.5,
        *,
        downsamples: tuple[float, ...] = (1,),
        is_rgb: bool = True,
    ) -> None:
        n_channels = pixels.shape[2]
        self._pixels = [pixels[:: round(step), :: round(step)] for step in downsamples]
        self.path = Path("array.png")
        self.content_hash = "0" * 32
        levels = [
            Level(level.shape[1], level.shape[0], step)
            for level, step in zip(self._pixels, downsamples, strict=True)
        ]
        self.info = SlideInfo(
            reader="array",
            vendor="none",
            levels=tuple(levels),
            native_tile_px=0,
            dtype=pixels.dtype.name,
            channels=tuple(Channel(str(index)) for index in range(n_channels)),
            is_rgb=is_rgb,
            mpp=(mpp, mpp) if mpp else None,
        )
        self.largest_read = 0

    def read(
        self, level: int, x: int, y: int, width: int, height: int, plane: Plane = Plane()
    ) -> Pixels:
        source = self._pixels[level]
        self.largest_read = max(self.largest_read, width * height)
        out = white(height, width, source.shape[2], source.dtype.name, self.info.is_rgb)
        left, top = max(0, x), max(0, y)
        part = source[top : max(0, y + height), left : max(0, x + width)]
        out[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]] = part
        return out

    def close(self) -> None:
        self._pixels = []
