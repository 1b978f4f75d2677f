"""Where the compressed tiles and strips of a TIFF lie.

Everything is read once, at opening. After that a tile is one ``pread`` and one decoding, without
a lock. tifffile knows the codecs (JPEG tables and colour spaces, predictors, byte orders) and
hands out a decoding function for each page; imagecodecs does the work behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from tifffile import COMPRESSION

from pathoview.core.errors import SlideError
from pathoview.core.translation import _
from pathoview.slides.refusal import Refused
from pathoview.slides.slide import Pixels
from pathoview.slides.tiff_ink import Ink, ink_of

_STRIP_BYTES = 256 << 10
_MAX_TILE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class TileTable:
    """The tiles of one page, row by row; a strip is a tile as wide as the picture."""

    width: int
    height: int
    tile_width: int
    tile_height: int
    n_separate: int
    """Sample planes stored one after the other (planar configuration 2), else 1."""
    offsets: npt.NDArray[np.int64]
    byte_counts: npt.NDArray[np.int64]
    """0 where a tile was never written."""
    decode: Callable[[bytes, int], Pixels]
    """From the bytes and the index of a tile to (height, width, sample)."""

    @property
    def n_cols(self) -> int:
        return math.ceil(self.width / self.tile_width)

    @property
    def n_rows(self) -> int:
        return math.ceil(self.height / self.tile_height)

    def rect(self, row: int, col: int) -> tuple[int, int, int, int]:
        """Return ``(x, y, width, height)`` of a tile, cut at the picture's edge."""
        x, y = col * self.tile_width, row * self.tile_height
        return x, y, min(self.tile_width, self.width - x), min(self.tile_height, self.height - y)

    @property
    def end(self) -> int:
        """Where in the file the last of the tiles ends."""
        return int((self.offsets + self.byte_counts).max(initial=0))


@dataclass(frozen=True, slots=True)
class Stack:
    """The pages of every level, fine to coarse: ``levels[i][stack.index(z, t, c)]``."""

    levels: tuple[tuple[TileTable, ...], ...]
    axes: tuple[tuple[str, int], ...]
    """Axes ``z``, ``t``, ``c`` that run over pages, with their sizes, slowest first."""
    ink: Ink

    def size(self, axis: str) -> int:
        return dict(self.axes).get(axis, 1)

    def index(self, z: int, t: int, c: int) -> int:
        place = {"z": z, "t": t, "c": c}
        index = 0
        for axis, size in self.axes:
            index = index * size + place[axis]
        return index


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
    return Stack(tuple(tables), _page_axes(series, len(first)), ink_of(keyframe))


def _is_alike(page: Any, other: Any) -> bool:
    page = page.keyframe
    return bool(page.dtype == other.dtype and page.samplesperpixel == other.samplesperpixel)


def _page_axes(series: Any, n_pages: int) -> tuple[tuple[str, int], ...]:
    """Name the axes that run over pages; unnamed ones become z, or t when there is a z."""
    products = list(accumulate(series.shape, mul, initial=1))
    if n_pages not in products:
        raise Refused(_("its planes are stored in an unusual way"))
    over_pages = slice(products.index(n_pages))
    sizes = zip(series.axes[over_pages].lower(), series.shape[over_pages], strict=True)
    axes = [(name, size) for name, size in sizes if size > 1]
    spare = [name for name in "zt" if name not in dict(axes)]
    named = []
    for name, size in axes:
        if name not in "ztc" and not spare:
            raise Refused(_("it has more axes than z, t and channels"))
        named.append((name if name in "ztc" else spare.pop(0), size))
    return tuple(named)


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
        offsets=np.array(page.dataoffsets, np.int64),
        byte_counts=np.array(page.databytecounts, np.int64),
        decode=lambda data, index: decode(data, index, jpegtables=tables)[0][0],
    )


def _rows_of(page: Any) -> TileTable:
    """Cut uncompressed data into strips of a few rows, however the file groups them."""
    key = page.keyframe
    width, height, samples = key.imagewidth, key.imagelength, key.samplesperpixel
    row_bytes = width * samples * key.dtype.itemsize
    rows = min(height, max(1, _STRIP_BYTES // row_bytes))
    tops = np.arange(0, height, rows)
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
        offsets=page.dataoffsets[0] + tops * row_bytes,
        byte_counts=np.minimum(rows, height - tops) * row_bytes,
        decode=decode,
    )
