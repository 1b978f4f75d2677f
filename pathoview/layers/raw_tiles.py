"""Raw pixels of a slide at every size; levels that the file lacks are made from finer ones."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pathoview.core.byte_cache import ByteCache, Share, owned
from pathoview.core.pyramid import Level, Pyramid, TileKey
from pathoview.slides.slide import Pixels, Slide, white

_OWN_BYTES = 96 * 2**20
"""What made tiles take where there is no memory shared with others."""
_AT_LEAST = 1 / 8
"""Of a shared memory, for made tiles of one slide, since reading them again takes long."""
_HALVINGS_AT_ONCE = 2
"""A tile that is made of at most 4 × 4 stored ones is made in one go, others bit by bit."""
_SLICE_S = 0.25
"""How long a tile is worked at before it is shown as far as it has come."""
_WIDEST_GAP = 3
"""Levels that are further apart get one between them."""


@dataclass(frozen=True, slots=True)
class Step:
    """A size of the picture: one of the file's levels, or one made by halving the step before."""

    level: Level
    stored: int | None
    """The file's level; None for a made one."""


def viewing_steps(levels: Sequence[Level], tile_px: int) -> tuple[Step, ...]:
    """Return the file's levels, the gaps between them filled, down to a single tile."""
    steps = [Step(levels[0], 0)]
    for index, level in enumerate(levels[1:], 1):
        while level.downsample / steps[-1].level.downsample > _WIDEST_GAP:
            steps.append(_halved(steps[-1].level))
        steps.append(Step(level, index))
    while max(steps[-1].level.width, steps[-1].level.height) > tile_px:
        steps.append(_halved(steps[-1].level))
    return tuple(steps)


def _halved(level: Level) -> Step:
    width, height = math.ceil(level.width / 2), math.ceil(level.height / 2)
    return Step(Level(width, height, level.downsample * 2), None)


class RawTiles:
    """Tiles of the steps of a slide. `read` is called from several threads at once."""

    def __init__(
        self,
        slide: Slide,
        tile_px: int,
        memory: ByteCache | None = None,
        *,
        n_stored: int | None = None,
        halve: Callable[[Pixels], Pixels] | None = None,
    ) -> None:
        """Use the first ``n_stored`` levels of the file (all); ``halve`` makes others (means)."""
        self._slide = slide
        self._halve = halve or _shrunk
        self._steps = viewing_steps(slide.info.levels[:n_stored], tile_px)
        self.pyramid = Pyramid(tuple(step.level for step in self._steps), tile_px)
        self._kept: Share[TileKey, Pixels] = (
            Share(ByteCache(_OWN_BYTES), at_least=1.0)
            if memory is None
            else Share(memory, at_least=_AT_LEAST)
        )
        self._making: set[TileKey] = set()
        self._made_one = threading.Condition()

    def read(self, key: TileKey) -> tuple[Pixels, bool]:
        """Return the pixels of a tile, and whether that is all of it.

        A tile that takes long to make comes bit by bit: what is not there yet is blank, and every
        call adds something. Raises `SlideError`.
        """
        piece_level = self._piece_level(key.level)
        if key.level <= piece_level:
            return self._tile(key), True
        self._make_some(key, piece_level)
        return self._as_far_as_made(key, piece_level)

    def stored_level(self, level: int) -> int | None:
        """Return which of the file's levels this is; None: it is made."""
        return self._steps[level].stored

    def _piece_level(self, level: int) -> int:
        """Return the level whose tiles are made in one go when a level is made bit by bit."""
        stored = max(i for i in range(level + 1) if self._steps[i].stored is not None)
        return max(stored + _HALVINGS_AT_ONCE, self._first_kept)

    @property
    def _first_kept(self) -> int:
        """The first step from which on all made tiles together are small enough to keep."""
        info, room = self._slide.info, self._kept.at_least * self._kept.memory.max_bytes
        pixel_bytes = np.dtype(info.dtype).itemsize * len(info.channels)
        for index, step in enumerate(self._steps):
            if step.level.width * step.level.height * pixel_bytes * 4 / 3 <= room:
                return index
        return len(self._steps)

    def _keep(self, key: TileKey, pixels: Pixels) -> None:
        pixels = owned(pixels)
        self._kept.put(key, pixels, pixels.nbytes)

    def _tile(self, key: TileKey) -> Pixels:
        stored = self._steps[key.level].stored
        if stored is not None:
            return self._slide.read(stored, *self.pyramid.tile_lv(key).as_ints(), key.plane)
        pixels = self._kept.get(key)
        if pixels is None:
            pixels = self._made(key)
            if key.level >= self._first_kept:
                self._keep(key, pixels)
        return pixels

    def _made(self, key: TileKey) -> Pixels:
        finer = key.level - 1
        stored = self._steps[finer].stored
        if stored is None:
            return self._halve(self._assembled(key, self._tile))
        edge = self.pyramid.levels[finer]
        x, y, width, height = self.pyramid.tile_lv(key).scaled(2).as_ints()
        width, height = min(width, edge.width - x), min(height, edge.height - y)
        return self._halve(self._slide.read(stored, x, y, width, height, key.plane))

    def _make_some(self, key: TileKey, piece_level: int) -> None:
        """Make pieces of a tile for a short while; wait for those that other threads make."""
        deadline = time.monotonic() + _SLICE_S
        for piece in self._pieces(key, piece_level):
            with self._made_one:
                if piece in self._kept or piece in self._making:
                    continue
                self._making.add(piece)
            try:
                self._tile(piece)
            finally:
                with self._made_one:
                    self._making.discard(piece)
                    self._made_one.notify_all()
            if time.monotonic() > deadline:
                return
        with self._made_one:
            if self._making:
                self._made_one.wait(_SLICE_S)

    def _pieces(self, key: TileKey, level: int) -> Iterator[TileKey]:
        """Yield the pieces that a tile still lacks."""
        if key in self._kept:
            return
        if key.level == level:
            yield key
            return
        for line in self._children(key):
            for child in line:
                yield from self._pieces(child, level)

    def _as_far_as_made(self, key: TileKey, piece_level: int) -> tuple[Pixels, bool]:
        pixels = self._kept.get(key)
        if pixels is not None:
            return pixels, True
        if key.level == piece_level:
            return self._blank(key), False
        are_whole = []

        def part(child: TileKey) -> Pixels:
            pixels, is_whole = self._as_far_as_made(child, piece_level)
            are_whole.append(is_whole)
            return pixels

        pixels = self._halve(self._assembled(key, part))
        if all(are_whole):
            self._keep(key, pixels)
        return pixels, all(are_whole)

    def _blank(self, key: TileKey) -> Pixels:
        info = self._slide.info
        n_channels = len(info.channels) if key.plane.c < 0 else 1
        _x, _y, width, height = self.pyramid.tile_lv(key).as_ints()
        return white(height, width, n_channels, info.dtype, info.is_rgb)

    def _children(self, key: TileKey) -> list[list[TileKey]]:
        """Return the four tiles of the next finer level, line by line; fewer at the edge."""
        columns, rows = self.pyramid.grid(key.level - 1)
        return [
            [
                TileKey(key.level - 1, column, row, key.plane)
                for column in range(2 * key.col, min(2 * key.col + 2, columns))
            ]
            for row in range(2 * key.row, min(2 * key.row + 2, rows))
        ]

    def _assembled(self, key: TileKey, part: Callable[[TileKey], Pixels]) -> Pixels:
        lines = [
            np.concatenate([part(child) for child in line], axis=1) for line in self._children(key)
        ]
        return np.concatenate(lines)


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
