"""Levels, planes and tiles: the pure arithmetic of a picture that exists at several sizes.

This is the only place where level-0 pixels become pixels of a level and back.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pathoview.core.geometry import Rect

ALL_CHANNELS = -1


class Plane(NamedTuple):
    """Which plane of a stack: focus ``z``, time ``t``, channel ``c`` (-1: all, composed)."""

    z: int = 0
    t: int = 0
    c: int = ALL_CHANNELS


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the picture: ``width`` × ``height`` px, ``downsample`` level-0 px a pixel.

    A downsample below 1 is a virtual, enlarged level (vector layers stay sharp there).
    """

    width: int
    height: int
    downsample: float


class TileKey(NamedTuple):
    """One tile of one level of one plane; a tuple, since it is looked up all the time."""

    level: int
    col: int
    row: int
    plane: Plane = Plane()


@dataclass(frozen=True, slots=True)
class Pyramid:
    """Levels from fine to coarse, cut into square tiles of ``tile_size`` px of the level."""

    levels: tuple[Level, ...]
    tile_size: int

    @property
    def width_l0(self) -> float:
        return self.levels[0].width * self.levels[0].downsample

    @property
    def height_l0(self) -> float:
        return self.levels[0].height * self.levels[0].downsample

    def level_for(self, downsample: float) -> int:
        """Return the coarsest level that still has a pixel for each wanted pixel.

        ``downsample`` is level-0 px a wanted pixel. Levels up to 2 % coarser are taken too, since
        the sizes of real levels are not exact powers of two (4.00011, say). When all levels are
        coarser than wanted, the finest is returned.
        """
        fitting = [i for i, lv in enumerate(self.levels) if lv.downsample <= downsample * 1.02]
        return max(fitting, default=0)

    def grid(self, level: int) -> tuple[int, int]:
        """Return the number of ``(columns, rows)`` of tiles in a level."""
        lv = self.levels[level]
        return math.ceil(lv.width / self.tile_size), math.ceil(lv.height / self.tile_size)

    def tile_lv(self, key: TileKey) -> Rect:
        """Return the rectangle of a tile in pixels of its level, cut at the picture's edge."""
        lv, size = self.levels[key.level], self.tile_size
        x, y = key.col * size, key.row * size
        return Rect(x, y, min(size, lv.width - x), min(size, lv.height - y))

    def tile_l0(self, key: TileKey) -> Rect:
        """Return the rectangle of a tile in level-0 pixels."""
        return self.to_l0(self.tile_lv(key), key.level)

    def to_l0(self, rect_lv: Rect, level: int) -> Rect:
        return rect_lv.scaled(self.levels[level].downsample)

    def to_level(self, rect_l0: Rect, level: int) -> Rect:
        return rect_l0.scaled(1 / self.levels[level].downsample)

    def tiles_in(self, rect_l0: Rect, level: int, plane: Plane = Plane()) -> Iterator[TileKey]:
        """Yield the tiles of a level that touch a rectangle, row by row."""
        lv, size = self.levels[level], self.tile_size
        inside = self.to_level(rect_l0, level).intersection(Rect(0, 0, lv.width, lv.height))
        if inside.is_empty:
            return
        for row in range(int(inside.y // size), math.ceil(inside.bottom / size)):
            for col in range(int(inside.x // size), math.ceil(inside.right / size)):
                yield TileKey(level, col, row, plane)

    def touched(self, keys: Collection[TileKey], rect_l0: Rect | None) -> Collection[TileKey]:
        """Return those of some tiles that touch a rectangle; None: everything."""
        if rect_l0 is None:
            return keys
        spans = []
        for level in range(len(self.levels)):
            rect = self.to_level(rect_l0, level).scaled(1 / self.tile_size)
            columns = range(math.floor(rect.x), math.ceil(rect.right))
            rows = range(math.floor(rect.y), math.ceil(rect.bottom))
            spans.append((columns, rows))
        return [k for k in keys if k.col in spans[k.level][0] and k.row in spans[k.level][1]]


def halved_levels(width: int, height: int, smallest: int = 512) -> tuple[Level, ...]:
    """Return the levels 1, 2, 4, … of a picture until it fits into ``smallest`` px."""
    levels = [Level(width, height, 1.0)]
    while max(levels[-1].width, levels[-1].height) > smallest:
        factor = 2.0 ** len(levels)
        levels.append(Level(math.ceil(width / factor), math.ceil(height / factor), factor))
    return tuple(levels)
