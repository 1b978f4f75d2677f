"""A slide's pixels as tiles; levels that the file lacks are made from finer ones."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from psygnal import Signal

from pathoview.core.pyramid import Level, Pyramid, TileKey
from pathoview.layers.display import ChannelDisplay, color_corrector, default_display, to_rgb
from pathoview.layers.paint import opaque
from pathoview.layers.source import Rgba
from pathoview.slides.slide import Pixels, Slide

_TILE_PX = 512
_KEPT_BYTES = 96 * 2**20
"""Made levels up to this size together are kept, since reading them again takes long."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A level of the source: one of the file's, or one made by halving the step before it."""

    level: Level
    stored: int | None
    """The file's level; None for a made one."""


def viewing_steps(levels: Sequence[Level], tile_px: int) -> tuple[_Step, ...]:
    """Return the file's levels, the gaps between them filled, down to a single tile."""
    steps = [_Step(levels[0], 0)]
    for index, level in enumerate(levels[1:], 1):
        while level.downsample / steps[-1].level.downsample > 3:
            steps.append(_halved(steps[-1].level))
        steps.append(_Step(level, index))
    while max(steps[-1].level.width, steps[-1].level.height) > tile_px:
        steps.append(_halved(steps[-1].level))
    return tuple(steps)


def _halved(level: Level) -> _Step:
    width, height = math.ceil(level.width / 2), math.ceil(level.height / 2)
    return _Step(Level(width, height, level.downsample * 2), None)


class SlideSource:
    """Tiles of a slide in colours fit for a screen."""

    changed = Signal(object)

    def __init__(self, slide: Slide, *, correct_colors: bool = True) -> None:
        native = slide.info.native_tile_px or _TILE_PX
        self.slide = slide
        tile_px = max(1, round(_TILE_PX / native)) * native if native <= 2 * _TILE_PX else _TILE_PX
        self._steps = viewing_steps(slide.info.levels, tile_px)
        self.pyramid = Pyramid(tuple(step.level for step in self._steps), tile_px)
        self._first_kept = _first_kept(self._steps, slide)
        self._kept: dict[TileKey, Pixels] = {}
        self._display: tuple[ChannelDisplay, ...] | None = None
        self._display_lock = threading.Lock()
        self._correct = color_corrector(slide.info.icc_profile) if slide.info.is_rgb else None
        self._is_corrected = correct_colors
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

    def _restyled(self) -> None:
        self._style_version += 1
        self.changed.emit(None)

    def read_tile(self, key: TileKey) -> Rgba | None:
        rgb = to_rgb(self._raw(key), self.slide.info, key.plane, self.display)
        if self._correct is not None and self._is_corrected:
            rgb = self._correct(np.ascontiguousarray(rgb))
        return opaque(rgb)

    def _raw(self, key: TileKey) -> Pixels:
        """Return the raw pixels of a tile, of the file or made of the next finer ones."""
        stored = self._steps[key.level].stored
        if stored is not None:
            return self.slide.read(stored, *self.pyramid.tile_lv(key).as_ints(), key.plane)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._made(key)
            if key.level >= self._first_kept:
                self._kept[key] = kept
        return kept

    def _made(self, key: TileKey) -> Pixels:
        finer = key.level - 1
        stored = self._steps[finer].stored
        if stored is not None:
            twice = self.pyramid.tile_lv(key).scaled(2)
            edge = self.pyramid.levels[finer]
            x, y, width, height = twice.as_ints()
            width, height = min(width, edge.width - x), min(height, edge.height - y)
            return _shrunk(self.slide.read(stored, x, y, width, height, key.plane))
        columns, rows = self.pyramid.grid(finer)
        lines = [
            np.concatenate(
                [
                    self._raw(replace(key, level=finer, col=column, row=row))
                    for column in range(2 * key.col, min(2 * key.col + 2, columns))
                ],
                axis=1,
            )
            for row in range(2 * key.row, min(2 * key.row + 2, rows))
        ]
        return _shrunk(np.concatenate(lines))


def _first_kept(steps: Sequence[_Step], slide: Slide) -> int:
    """Return the first step from which on all made tiles together are small enough to keep."""
    pixel_bytes = np.dtype(slide.info.dtype).itemsize * len(slide.info.channels)
    for index, step in enumerate(steps):
        if step.level.width * step.level.height * pixel_bytes * 4 / 3 <= _KEPT_BYTES:
            return index
    return len(steps)


def _shrunk(pixels: Pixels) -> Pixels:
    """Return pixels at half the size (rounded up), each the mean of those it stands for."""
    height, width = math.ceil(pixels.shape[0] / 2), math.ceil(pixels.shape[1] / 2)
    kind = pixels.dtype
    if kind not in (np.uint8, np.uint16, np.float32):
        pixels = pixels.astype(np.float32)
    odd = (0, height * 2 - pixels.shape[0]), (0, width * 2 - pixels.shape[1]), (0, 0)
    pixels = np.pad(pixels, odd, mode="edge") if odd[0][1] or odd[1][1] else pixels
    planes = [
        cv2.resize(
            np.ascontiguousarray(pixels[..., index]), (width, height), interpolation=cv2.INTER_AREA
        )
        for index in range(pixels.shape[2])
    ]
    return np.dstack(planes).astype(kind, copy=False)
