"""Rasters in files: NumPy arrays, and every picture that the readers of slides open."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import InputError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import ALL_CHANNELS, Level, Plane
from pathoview.core.translation import _
from pathoview.layers.raster import COARSEST_PX, MOST_SAMPLES, ArrayRaster, Raster, halved, picked
from pathoview.layers.raw_tiles import RawTiles
from pathoview.slides.image_slide import IN_MEMORY_PX, ImageSlide
from pathoview.slides.opening import open_slide
from pathoview.slides.refusal import Refused
from pathoview.slides.slide import Pixels, Slide, SlideInfo
from pathoview.slides.tiff_opening import open_tiff_numbers

_MOST_LOOKED_AT_PX = 4_000_000
_N_LOOKS = 16
_N_PATCHES = 8
"""Samples of a huge raster come from that many patches a side."""


def open_raster(path: Path | str, memory: ByteCache | None = None) -> Raster:
    """Open a NumPy, TIFF, OME-TIFF or PNG file; large ones are read bit by bit.

    ``memory`` is shared with other layers; None: a large raster has one of its own. Raises
    `InputError` when the file is no grid of numbers.
    """
    file = Path(path)
    if file.suffix.lower() == ".npy":
        return ArrayRaster(_mapped(file))
    numbers = _palette_numbers(file)
    if numbers is not None:
        return ArrayRaster(numbers)
    slide = _opened(file)
    info = slide.info
    is_plain = len(info.levels) == 1 and not info.native_tile_px
    if not (isinstance(slide, ImageSlide) or is_plain) or info.width * info.height > IN_MEMORY_PX:
        return SlideRaster(slide, memory)
    with slide:
        planes = range(info.size_z if _is_stack(info) else 1)
        read = partial(slide.read, 0, 0, 0, info.width, info.height)
        pixels = np.concatenate([read(Plane(z=z)) for z in planes], axis=2)
    is_rgb = info.is_rgb and info.dtype == "uint8"
    return ArrayRaster(pixels, channels=_channels(info), is_rgb=is_rgb, mpp=info.mpp)


def _opened(file: Path) -> Slide:
    try:
        return open_tiff_numbers(file)
    except (Refused, OSError):
        return open_slide(file)  # which says what is wrong, if anything is


def _is_stack(info: SlideInfo) -> bool:
    """Whether pages that say nothing of themselves stand for channels."""
    return len(info.channels) == 1 and info.size_z > 1


def _channels(info: SlideInfo) -> tuple[str, ...]:
    if _is_stack(info):
        return tuple(str(number) for number in range(1, info.size_z + 1))
    return tuple(channel.name for channel in info.channels)


def _mapped(file: Path) -> Any:
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(_("There is no file “{name}”.").format(name=file.name)) from error
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            _("“{name}” is not a NumPy array that can be read.").format(name=file.name),
            _("Save it with numpy.save, as plain numbers. ({why})").format(why=error),
        ) from error


def _palette_numbers(file: Path) -> Pixels | None:
    """Return what a PNG with a palette stores: the numbers of classes, not their colours."""
    if file.suffix.lower() != ".png" or not file.is_file():
        return None
    try:
        with Image.open(file, formats=["PNG"]) as image:
            return np.asarray(image) if image.mode == "P" else None
    except (OSError, ValueError, SyntaxError):
        return None  # the reader of pictures says what is wrong


class SlideRaster:
    """A raster that stays in its file; whole numbers are picked from afar, never averaged."""

    def __init__(self, slide: Slide, memory: ByteCache | None = None) -> None:
        """Look whether the file's smaller sizes can be used; raises `SlideError`."""
        info = slide.info
        if memory is not None:
            slide.use_memory(memory)
        self._slide = slide
        self.dtype = np.dtype(info.dtype)
        self.is_rgb = info.is_rgb and info.dtype == "uint8"
        self.channels = _channels(info)
        self.mpp = info.mpp
        are_kinds = self.dtype.kind in "iu" and not self.is_rgb
        self._n_stored = _n_unmixed(slide) if are_kinds else len(info.levels)
        self._tiles = RawTiles(
            slide,
            COARSEST_PX,
            memory,
            n_stored=self._n_stored,
            halve=picked if are_kinds else halved,
        )
        self.levels: tuple[Level, ...] = self._tiles.pyramid.levels

    def read(
        self, level: int, x: int, y: int, width: int, height: int, channel: int = ALL_CHANNELS
    ) -> tuple[Pixels, bool]:
        plane = self._plane(channel)
        stored = self._tiles.stored_level(level)
        if stored is not None:
            return self._slide.read(stored, x, y, width, height, plane), True
        n_channels = len(self._slide.info.channels) if plane.c == ALL_CHANNELS else 1
        out = np.zeros((height, width, n_channels), self.dtype)
        rect = Rect(x, y, width, height)
        pyramid, is_whole = self._tiles.pyramid, True
        for key in pyramid.tiles_in(pyramid.to_l0(rect, level), level, plane):
            pixels, is_there = self._tiles.read(key)
            is_whole &= is_there
            tile = pyramid.tile_lv(key)
            part = tile.intersection(rect)
            left, top, columns, rows = part.moved(-tile.x, -tile.y).as_ints()
            to_x, to_y = int(part.x) - x, int(part.y) - y
            out[to_y : to_y + rows, to_x : to_x + columns] = pixels[
                top : top + rows, left : left + columns
            ]
        return out, is_whole

    def _plane(self, channel: int) -> Plane:
        if _is_stack(self._slide.info):
            return Plane(z=max(channel, 0))
        return Plane(c=channel)

    def sample(self, channel: int) -> Pixels:
        """Take patches from all over the coarsest stored level that has enough values."""
        levels = self._slide.info.levels[: self._n_stored]
        fitting = [i for i, lv in enumerate(levels) if lv.width * lv.height >= MOST_SAMPLES]
        level = max(fitting, default=0)
        patches = [
            self._slide.read(level, *rect, self._plane(channel)).reshape(-1)
            for rect in _patches(levels[level])
        ]
        return np.concatenate(patches)

    def close(self) -> None:
        self._slide.close()


def _patches(level: Level) -> Iterator[tuple[int, int, int, int]]:
    """Yield (x, y, width, height) of places all over a level; the whole of a small one."""
    if level.width * level.height <= 4 * MOST_SAMPLES:
        yield 0, 0, level.width, level.height
        return
    side = round(MOST_SAMPLES**0.5 / _N_PATCHES)
    width, height = min(side, level.width), min(side, level.height)
    for row in range(_N_PATCHES):
        for column in range(_N_PATCHES):
            x = (level.width - width) * column // (_N_PATCHES - 1)
            y = (level.height - height) * row // (_N_PATCHES - 1)
            yield x, y, width, height


def _n_unmixed(slide: Slide) -> int:
    """Return how many of the stored levels hold values that stand at their place in level 0.

    Averaged levels show numbers of classes or objects that are not there.
    """
    levels = slide.info.levels
    for index, level in enumerate(levels[1:], 1):
        width, height = level.width, level.height
        if width * height > _MOST_LOOKED_AT_PX:
            side = int(_MOST_LOOKED_AT_PX**0.5)
            width, height = min(width, side), min(height, side)
        pixels = slide.read(index, 0, 0, width, height)[..., 0]
        rows, columns = np.nonzero(pixels[1:, 1:] != pixels[:-1, :-1])
        chosen = np.linspace(0, len(rows) - 1, min(_N_LOOKS, len(rows))).astype(int)
        for row, column in zip(rows[chosen].tolist(), columns[chosen].tolist(), strict=True):
            corners = (column, row), (column + 1, row + 1)
            if not all(_is_there(slide, level, x, y, pixels[y, x]) for x, y in corners):
                return index
    return len(levels)


def _is_there(slide: Slide, level: Level, x: int, y: int, value: object) -> bool:
    """Whether a level's value occurs among the level-0 px that it stands for, or beside them."""
    place = Rect(x, y, 1, 1).expanded(0.5).scaled(level.downsample).expanded(1)
    return bool((slide.read(0, *place.as_ints())[..., 0] == value).any())
