"""What is drawn in place of a tile that is not there yet, so that the picture never goes blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers.cache import CachedTile, TileCache
from pathoview.layers.source import Rgba, TileSource

_FINER_LEVELS = 2
"""How many finer levels are looked at: 16 tiles stand in for one at most, by halves."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Pixels and where they go: draw ``part_px`` of ``pixels`` onto ``rect_l0``."""

    pixels: Rgba
    part_px: Rect
    """The part to take, in px of ``pixels``; not always whole px."""
    rect_l0: Rect
    is_final: bool
    """False: a stand-in, until the wanted tile is there."""


def pieces_of(tile: CachedTile, rect_l0: Rect, is_final: bool) -> tuple[Piece, ...]:
    """Return a whole tile as a piece; none when there is nothing to draw."""
    if not tile.pixels.size:
        return ()
    height, width = tile.pixels.shape[:2]
    return (Piece(tile.pixels, Rect(0, 0, width, height), rect_l0, is_final),)


def stand_in(cache: TileCache, source: TileSource, key: TileKey) -> tuple[Piece, ...]:
    """Return the best pieces that are held for a tile's place: finer ones, else coarser ones.

    They never overlap (a translucent tile must not be drawn twice) and cover the whole tile,
    unless nothing that does is held.
    """
    levels = source.pyramid.levels
    finer = range(key.level - 1, max(-1, key.level - 1 - _FINER_LEVELS), -1)
    rest: tuple[Piece, ...] = ()
    for level in (*finer, *range(key.level + 1, len(levels))):
        pieces, is_whole = _from_level(cache, source, key, level)
        if is_whole:
            return pieces
        rest = rest or pieces
    return rest


def _from_level(
    cache: TileCache, source: TileSource, key: TileKey, level: int
) -> tuple[tuple[Piece, ...], bool]:
    """Return what a level holds for a tile's place, and whether that is all of it."""
    wanted_l0 = source.pyramid.tile_l0(key)
    others: Sequence[TileKey] = tuple(source.pyramid.tiles_in(wanted_l0, level, key.plane))
    tiles = [cache.get(source, other) for other in others]
    pieces = []
    for other, tile in zip(others, tiles, strict=True):
        if tile is not None and tile.pixels.size:
            tile_l0 = source.pyramid.tile_l0(other)
            part_l0 = tile_l0.intersection(wanted_l0)
            part = source.pyramid.to_level(part_l0.moved(-tile_l0.x, -tile_l0.y), level)
            pieces.append(Piece(tile.pixels, part, part_l0, is_final=False))
    return tuple(pieces), bool(tiles) and all(tile is not None for tile in tiles)
