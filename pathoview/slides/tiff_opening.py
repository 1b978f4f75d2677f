"""Decide how a TIFF is read: directly, with OpenSlide as the arbiter, or not here.

Where OpenSlide opens the file it stays the arbiter of what the slide is (levels, µm per pixel,
properties, label and macro); its pixels are replaced level by level where the layout is
understood. What OpenSlide does not know (16 bits, channels, focus planes, more codecs) is read
without it.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import tifffile
from tifffile import COMPRESSION

from pathoview.core.errors import SlideError
from pathoview.core.pyramid import Level
from pathoview.core.translation import _
from pathoview.slides.colors import GREY_CHANNELS, RGB_CHANNELS
from pathoview.slides.openslide_slide import OpenSlideSlide, openslide_vendor
from pathoview.slides.orientation import Orientation
from pathoview.slides.refusal import Refused
from pathoview.slides.scale import checked_scale
from pathoview.slides.slide import Channel, SlideInfo
from pathoview.slides.tiff_facts import Ome, ome_of, tag_properties, tag_scale
from pathoview.slides.tiff_ink import Ink, ink_of, stored_numbers
from pathoview.slides.tiff_layout import Stack, TileTable, stack_of, tile_table
from pathoview.slides.tiff_slide import TiffSlide

_PLAIN_VENDORS = ("", "aperio", "generic-tiff")
"""Vendors whose OpenSlide levels are TIFF pages just as they are."""

_HEADERS = {b"II*\0": "<4xI", b"MM\0*": ">4xI", b"II+\0": "<8xQ", b"MM\0+": ">8xQ"}
"""TIFF and BigTIFF: where the header says the first page's description lies."""

# tifffile's messages name files, and a file's name may be a patient's.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
logging.getLogger("tifffile").propagate = False


def is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _HEADERS


def open_tiff(path: Path) -> TiffSlide:
    """Open a tiled or stacked TIFF; raise `Refused` for those that other readers open."""
    vendor = openslide_vendor(path)
    if vendor not in _PLAIN_VENDORS:
        raise Refused(_("a format of {vendor}, which OpenSlide reads").format(vendor=vendor))
    with _tiff(path) as tiff:
        if vendor and not tiff.is_ome and not tiff.is_imagej and (arbiter := _arbiter(path)):
            return _with_arbiter(path, tiff, arbiter)
        series = _main_series(tiff)
        if not series.keyframe.is_tiled and len(series.levels) == len(series.pages) == 1:
            raise Refused(_("a plain picture"))
        return _alone(path, tiff, series)


def open_tiff_alone(path: Path) -> TiffSlide:
    """Open a TIFF without asking OpenSlide, plain pictures too."""
    with _tiff(path) as tiff:
        return _alone(path, tiff, _main_series(tiff))


def open_tiff_numbers(path: Path) -> TiffSlide:
    """Open a TIFF of numbers, none of which are taken for brightness, colour or opacity.

    Raises `Refused` when it is no TIFF or holds colours.
    """
    with _tiff(path) as tiff:
        series = _main_series(tiff)
        ink = stored_numbers(series.keyframe)
        if ink is None:
            raise Refused(_("a picture in colours"))
        return _alone(path, tiff, series, ink)


@contextmanager
def _tiff(path: Path) -> Iterator[tifffile.TiffFile]:
    _check_header(path)
    try:
        with tifffile.TiffFile(path) as tiff:
            len(tiff.pages)  # counting finds pages that lead back to earlier ones; iterating hangs
            yield tiff
    except (Refused, SlideError):
        raise
    except Exception as error:  # a damaged file fails anywhere in a parser, in any way
        raise Refused(_("a TIFF file that is not understood ({why})").format(why=error)) from error


def _check_header(path: Path) -> None:
    """Refuse what is no TIFF; raise `SlideError` when the table of contents is cut off."""
    with path.open("rb") as file:
        head = file.read(16)
        size = file.seek(0, 2)
    layout = _HEADERS.get(head[:4])
    if layout is None:
        raise Refused(_("not a TIFF file"))
    if size < struct.calcsize(layout) or struct.unpack_from(layout, head)[0] >= size:
        raise _cut_short(path)


def _cut_short(path: Path) -> SlideError:
    return SlideError(
        _("“{name}” is cut short: a part of the slide is missing.").format(name=path.name),
        _("Copy it again from where it came."),
    )


def _check_whole(path: Path, stack: Stack) -> None:
    end = max(table.end for level in stack.levels for table in level)
    if end > path.stat().st_size:
        raise _cut_short(path)


def _arbiter(path: Path) -> OpenSlideSlide | None:
    try:
        return OpenSlideSlide(path)
    except Refused:
        return None


def _with_arbiter(path: Path, tiff: tifffile.TiffFile, arbiter: OpenSlideSlide) -> TiffSlide:
    info = arbiter.info
    all_pages: list[Any] = list(tiff.pages)
    tiled = [page for page in all_pages if page.is_tiled]
    pages = {(page.imagewidth, page.imagelength): page for page in reversed(tiled)}
    first = pages.get((info.width, info.height))
    if first is None or not (finest := _understood(first)):
        raise Refused(_("its pages are stored in a way that OpenSlide alone understands"))
    ink = ink_of(first)
    coarser = [_understood(pages.get((lv.width, lv.height)), ink) for lv in info.levels[1:]]
    if not ink.is_plain_rgb and not all(coarser):
        raise Refused(_("some of its levels are stored in a way that OpenSlide alone understands"))
    stack = Stack((finest, *coarser), ink)
    _check_whole(path, stack)
    orientation = _orientation(first)
    info = replace(
        info,
        reader="tiff",
        levels=tuple(_shown(level, orientation) for level in info.levels),
        native_tile_px=first.tilewidth,
        dtype=ink.dtype,
        channels=RGB_CHANNELS if ink.is_rgb else _numbered(ink.n_channels),
        is_rgb=ink.is_rgb,
        mpp=info.mpp and orientation.shown(*info.mpp),
    )
    return TiffSlide(path, stack, info, orientation, arbiter)


def _understood(page: Any, like: Ink | None = None) -> tuple[TileTable, ...]:
    """Return the page's table, or nothing where OpenSlide knows better."""
    if page is None or page.compression == COMPRESSION.APERIO_JP2000_YCBC:
        return ()
    try:
        table, ink = tile_table(page), ink_of(page)
    except Refused:
        return ()
    # Tiles that were never written are drawn from other levels by OpenSlide.
    is_alike = like is None or ink.same_samples(like)
    return (table,) if is_alike and all(table.byte_counts) else ()


def _main_series(tiff: tifffile.TiffFile) -> Any:
    if not tiff.series:
        raise Refused(_("a TIFF file without a picture"))
    return max(tiff.series, key=lambda one: one.keyframe.imagewidth * one.keyframe.imagelength)


def _index_of(series: Any, tiff: tifffile.TiffFile) -> int:
    return next(index for index, one in enumerate(tiff.series) if one is series)


def _alone(path: Path, tiff: tifffile.TiffFile, series: Any, ink: Ink | None = None) -> TiffSlide:
    stack = stack_of(series)
    if ink is not None:
        stack = replace(stack, ink=ink)
    _check_whole(path, stack)
    page = series.keyframe
    ome = ome_of(tiff.ome_metadata or "", _index_of(series, tiff)) if tiff.is_ome else None
    scale = tag_scale(page, tiff.imagej_metadata)
    if ome and None not in ome.mpp:
        scale = checked_scale(*ome.mpp)
    orientation = _orientation(page)
    info = SlideInfo(
        reader="tiff",
        vendor="ome" if tiff.is_ome else "tiff",
        levels=_levels(stack, orientation),
        native_tile_px=page.tilewidth if page.is_tiled else 0,
        dtype=stack.ink.dtype,
        channels=_channels(stack, ome),
        is_rgb=stack.ink.is_rgb and stack.c.size == 1,
        mpp=scale.mpp and orientation.shown(*scale.mpp),
        mpp_problem=scale.problem,
        objective_power=ome.objective_power if ome else None,
        size_z=stack.z.size,
        size_t=stack.t.size,
        icc_profile=page.iccprofile,
        properties={} if ome else tag_properties(page),
    )
    return TiffSlide(path, stack, info, orientation)


def _orientation(page: Any) -> Orientation:
    return Orientation(int(page.tags.valueof("Orientation", 1)))


def _shown(level: Level, orientation: Orientation) -> Level:
    width, height = orientation.shown(level.width, level.height)
    return Level(width, height, level.downsample)


def _levels(stack: Stack, orientation: Orientation) -> tuple[Level, ...]:
    tables = [pages[0] for pages in stack.levels]
    first = tables[0]
    return tuple(
        _shown(
            Level(
                table.width,
                table.height,
                (first.width / table.width + first.height / table.height) / 2,
            ),
            orientation,
        )
        for table in tables
    )


def _channels(stack: Stack, ome: Ome | None) -> tuple[Channel, ...]:
    n_channels = stack.c.size * stack.ink.n_channels
    if stack.ink.is_rgb and stack.c.size == 1:
        return RGB_CHANNELS
    if ome and len(ome.channels) == n_channels:
        return ome.channels
    return _numbered(n_channels)


def _numbered(n_channels: int) -> tuple[Channel, ...]:
    if n_channels == 1:
        return GREY_CHANNELS
    return tuple(
        Channel(_("Channel {number}").format(number=number)) for number in range(1, n_channels + 1)
    )
