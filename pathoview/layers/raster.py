"""Numbers in a grid, and what they look like from afar: heatmaps, class maps, labels, pictures."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import InputError
from pathoview.core.pyramid import ALL_CHANNELS, Level, halved_levels
from pathoview.core.translation import _
from pathoview.slides.slide import Pixels

MOST_SAMPLES = 1 << 18
"""A look at a raster's values (`Raster.sample`) takes about that many of them."""
AVERAGED_PX = 64_000_000
"""Larger arrays are not averaged for the look from afar: every n-th of their values is taken."""
COARSEST_PX = 512


class Raster(Protocol):
    """A grid of numbers at one or more sizes. `read` is called from several threads at once."""

    levels: tuple[Level, ...]
    """Fine to coarse; downsamples count px of the finest. Whole numbers are never mixed."""
    dtype: np.dtype[Any]
    """Whole numbers (also for yes and no) or floating ones."""
    channels: tuple[str, ...]
    is_rgb: bool
    """The channels are red, green, blue of 8 bits."""
    mpp: tuple[float, float] | None
    """µm per px (x, y) of the finest level, where the file states it."""

    def read(
        self, level: int, x: int, y: int, width: int, height: int, channel: int = ALL_CHANNELS
    ) -> tuple[Pixels, bool]:
        """Return a rectangle, (height, width, channel), that lies inside a level.

        False: some of it is not there yet (0 stands for it); asking again brings more. Raises
        `SlideError` when it cannot be read.
        """

    def sample(self, channel: int) -> Pixels:
        """Return about `MOST_SAMPLES` values, (n,), from all over; quick for rasters of any size.

        Raises `SlideError`.
        """

    def close(self) -> None:
        """Let go of the file."""


class ArrayRaster:
    """A raster in memory, or memory-mapped: (height, width) or (height, width, channel).

    From afar, floating numbers show the mean of those that are numbers, whole ones every n-th.
    """

    def __init__(
        self,
        array: npt.ArrayLike,
        *,
        channels: Sequence[str] = (),
        is_rgb: bool | None = None,
        mpp: tuple[float, float] | None = None,
    ) -> None:
        """Take an array as it is; ``is_rgb`` None: three channels of 8 bits are colours.

        Raises `InputError` when it is no grid of numbers.
        """
        pixels = _grid(array)
        self._finest = pixels
        self.dtype = pixels.dtype
        self.levels = halved_levels(pixels.shape[1], pixels.shape[0], COARSEST_PX)
        n_channels = pixels.shape[2]
        looks_rgb = n_channels == 3 and pixels.dtype == np.uint8
        self.is_rgb = looks_rgb if is_rgb is None else is_rgb
        self.channels = tuple(channels) or tuple(str(n) for n in range(1, n_channels + 1))
        self.mpp = mpp
        is_small = pixels.shape[0] * pixels.shape[1] <= AVERAGED_PX
        self._is_averaged = is_small and (self.dtype.kind == "f" or self.is_rgb)
        self._averaged: list[Pixels] = [pixels]
        self._lock = threading.Lock()

    def read(
        self, level: int, x: int, y: int, width: int, height: int, channel: int = ALL_CHANNELS
    ) -> tuple[Pixels, bool]:
        pixels = self._level(level)[y : y + height, x : x + width]
        return (pixels if channel == ALL_CHANNELS else pixels[..., channel, None]), True

    def _level(self, level: int) -> Pixels:
        if self._is_averaged:
            with self._lock:
                while len(self._averaged) <= level:
                    self._averaged.append(halved(self._averaged[-1]))
            return self._averaged[level]
        step = 2**level
        rows, columns = (_middles(size, step) for size in self._finest.shape[:2])
        return self._finest[rows, columns]

    def sample(self, channel: int) -> Pixels:
        height, width = self._finest.shape[:2]
        step = math.ceil(math.sqrt(height * width / MOST_SAMPLES)) | 1  # odd: misses no pattern
        rows, columns = _middles(height, step), _middles(width, step)
        return np.ravel(self._finest[rows, columns, channel])

    def close(self) -> None:
        """Nothing is left open."""


def _grid(array: npt.ArrayLike) -> Pixels:
    pixels = np.asanyarray(array)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or not pixels.size:
        shape = " × ".join(map(str, np.shape(array)))
        raise InputError(
            _("An array of the shape {shape} is no picture.").format(shape=shape or "1"),
            _("Give rows × columns, or rows × columns × channels."),
        )
    if pixels.dtype.kind == "b":
        return pixels.view(np.uint8)
    if pixels.dtype.kind not in "iuf":
        raise InputError(
            _("Values of the kind “{kind}” cannot be shown.").format(kind=pixels.dtype.name),
            _("Save whole or floating-point numbers."),
        )
    return pixels


def _middles(size: int, step: int) -> slice:
    """Take the middle one of every ``step`` values; the only one of a last, cut step."""
    return slice(min(step // 2, (size - 1) % step), None, step)


def halved(pixels: Pixels) -> Pixels:
    """Return pixels at half the size (rounded up): the means of those values that are numbers."""
    height, width = (math.ceil(size / 2) for size in pixels.shape[:2])
    odd = (0, height * 2 - pixels.shape[0]), (0, width * 2 - pixels.shape[1]), (0, 0)
    even = np.pad(pixels, odd, mode="edge") if odd[0][1] or odd[1][1] else pixels
    kind = pixels.dtype if pixels.dtype in (np.uint8, np.uint16) else np.dtype(np.float32)
    planes = [_half(even[..., index].astype(kind, order="C")) for index in range(pixels.shape[2])]
    return np.dstack(planes)


def _half(plane: Pixels) -> Pixels:
    size = plane.shape[1] // 2, plane.shape[0] // 2
    known = np.isfinite(plane)
    if known.all():
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))
    share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(np.where(known, plane, 0), size, interpolation=cv2.INTER_AREA)
    return np.divide(total, share, out=np.full_like(total, np.nan), where=share > 0)


def picked(pixels: Pixels) -> Pixels:
    """Return one of every 2 × 2 pixels, sizes rounded up: whole numbers that stand for kinds."""
    return pixels[::2, ::2]
