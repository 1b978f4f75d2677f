"""Where the compressed tiles and strips of a TIFF lie.

Everything is read once, at opening. After that a tile is one ``pread`` and one decoding, without
a lock. tifffile knows the codecs (JPEG tables and colour spaces, predictors, byte orders) and
hands out a decoding function for each page; imagecodecs does the work behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import add, mul
from typing import Any

import numpy as np
import tifffile
from tifffile import COMPRESSION

from pathoview.core.errors import SlideError
from pathoview.core.translation import _
from pathoview.slides.refusal import Refused
from pathoview.slides.slide import Pixels
from pathoview.slides.tiff_ink import Ink, ink_of

_STRIP_BYTES = 256 << 10
_MAX_TILE_BYTES = 256 << 20


@dataclass(frozen=True)
class TileTable:
    """The tiles of one page, row by row; a strip is a tile as wide as the picture."""

    width: int
    height: int
    tile_width: int
    tile_height: int
    n_separate: int
    """Sample planes stored one after the other (planar configuration 2), else 1."""
    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    """0 where a tile was never written."""
    decode: Callable[[bytes, int], Pixels]
    """From the bytes and the index of a tile to (height, width, sample)."""

    @cached_property
    def n_cols(self) -> int:
        return math.ceil(self.width / self.tile_width)

    @cached_property
    def n_tiles(self) -> int:
        return self.n_cols * math.ceil(self.height / self.tile_height)

    def rect(self, row: int, col: int) -> tuple[int, int, int, int]:
        """Return ``(x, y, width, height)`` of a tile, cut at the picture's edge."""
        x, y = col * self.tile_width, row * self.tile_height
        return x, y, min(self.tile_width, self.width - x), min(self.tile_height, self.height - y)

    @property
    def end(self) -> int:
        """Where in the file the last of the tiles ends."""
        return max(map(add, self.offsets, self.byte_counts), default=0)


@dataclass(frozen=True, slots=True)
class Axis:
    """Focus, time or channel, where it runs over pages: its size, and the pages of one step."""

    size: int = 1
    step: int = 0


@dataclass(frozen=True, slots=True)
class Stack:
    """The pages of every level, fine to coarse: ``levels[i][stack.page(z, t, c)]``."""

    levels: tuple[tuple[TileTable, ...], ...]
    ink: Ink
    z: Axis = Axis()
    t: Axis = Axis()
    c: Axis = Axis()

    def page(self, z: int, t: int, c: int) -> int:
        return z * self.z.step + t * self.t.step + c * self.c.step


def stack_of(series: Any) -> Stack:
    """Return the pages of a tifffile series; raise `Refused` when they are not understood."""
    levels = [list(level.pages) for level in series.levels]
    first = levels[0]
    if None in first:
        raise Refused(_("some of its planes are missing"))
    keyframe = first[0].keyframe
    tables = [
        tuple(tile_table(page) for page in pages)
        for pages in levels
        if len(pages) == len(first) and None not in pages and _is_alike(pages[0], keyframe)
    ]
    return Stack(tuple(tables), ink_of(keyframe), **_page_axes(series, len(first)))


def _is_alike(page: Any, other: Any) -> bool:
    page = page.keyframe
    return bool(page.dtype == other.dtype and page.samplesperpixel == other.samplesperpixel)


def _page_axes(series: Any, n_pages: int) -> dict[str, Axis]:
    """Name the axes that run over pages; unnamed ones become z, or t when there is a z."""
    products = list(accumulate(series.shape, mul, initial=1))
    if n_pages not in products:
        raise Refused(_("its planes are stored in an unusual way"))
    over_pages = slice(products.index(n_pages))
    sizes = zip(series.axes[over_pages].lower(), series.shape[over_pages], strict=True)
    found = [(name, size) for name, size in sizes if size > 1]
    spare = [name for name in "zt" if name not in dict(found)]
    axes: dict[str, Axis] = {}
    step = n_pages
    for name, size in found:
        if name not in "ztc" and not spare:
            raise Refused(_("it has more axes than z, t and channels"))
        step //= size
        axes[name if name in "ztc" else spare.pop(0)] = Axis(size, step)
    return axes


def tile_table(page: Any) -> TileTable:
    """Return where the tiles of a tifffile page lie; raise `Refused` when none can be decoded."""
    key = page.keyframe
    if not key.imagewidth or not key.imagelength:
        raise SlideError(_("The picture in the file has no pixels."))
    is_separate = key.planarconfig == 2 and key.samplesperpixel > 1
    if key.imagedepth != 1 or key.dtype is None:
        raise Refused(_("its samples are of an unusual kind"))
    if key.compression != COMPRESSION.NONE and key.compression not in tifffile.TIFF.DECOMPRESSORS:
        raise Refused(_("no decoder for compression {code}").format(code=int(key.compression)))
    if key.is_final and not key.is_tiled and not is_separate:
        return _rows_of(page)
    width = key.tilewidth if key.is_tiled else key.imagewidth
    height = key.tilelength if key.is_tiled else min(key.rowsperstrip, key.imagelength)
    n_bytes = width * height * key.samplesperpixel * key.dtype.itemsize
    if not 0 < n_bytes <= _MAX_TILE_BYTES:
        raise Refused(_("its tiles or strips are of a size that cannot be decoded one by one"))
    tables, decode = key.jpegtables, key.decode
    return TileTable(
        width=key.imagewidth,
        height=key.imagelength,
        tile_width=width,
        tile_height=height,
        n_separate=key.samplesperpixel if is_separate else 1,
        offsets=tuple(page.dataoffsets),
        byte_counts=tuple(page.databytecounts),
        decode=lambda data, index: decode(data, index, jpegtables=tables)[0][0],
    )


def _rows_of(page: Any) -> TileTable:
    """Cut uncompressed data into strips of a few rows, however the file groups them."""
    key = page.keyframe
    width, height, samples = key.imagewidth, key.imagelength, key.samplesperpixel
    row_bytes = width * samples * key.dtype.itemsize
    rows = min(height, max(1, _STRIP_BYTES // row_bytes))
    tops = range(0, height, rows)
    dtype = key.dtype.newbyteorder(key.parent.byteorder)
    native = key.dtype

    def decode(data: bytes, _index: int) -> Pixels:
        return np.frombuffer(data, dtype).reshape(-1, width, samples).astype(native)

    return TileTable(
        width=width,
        height=height,
        tile_width=width,
        tile_height=rows,
        n_separate=1,
        offsets=tuple(page.dataoffsets[0] + top * row_bytes for top in tops),
        byte_counts=tuple(min(rows, height - top) * row_bytes for top in tops),
        decode=decode,
    )
