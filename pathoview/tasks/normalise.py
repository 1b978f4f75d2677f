"""Write a slide, or a part of it, in the colours of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pathoview.core.errors import UsageError
from pathoview.core.files import replacing
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.slides.rgb import reduction, shrink
from pathoview.slides.slide import Slide
from pathoview.slides.stain_look import StainLook
from pathoview.slides.stain_normalisation import (
    NormalisingMethod,
    StainNormaliser,
    target_of,
)
from pathoview.slides.stain_target import CMU_1
from pathoview.tasks.opening import open_scaled

_TILE_PX = 512
_PNG_MOST_PX = 100_000_000
_SUFFIXES = (".png", ".tif", ".tiff")

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class NormaliseOrder:
    """What is to be written."""

    method: NormalisingMethod = "macenko"
    target: Path | None = None
    """A slide or picture whose colours are wanted; None: those of `CMU_1`."""
    region_l0: Rect | None = None
    """None: the whole slide."""
    mpp: float | None = None
    """µm per px of the picture, nearly: the nearest whole reduction; None: full resolution."""
    by_region: bool = False
    """Measure the stains in the region, where that can be done, instead of on the slide."""
    stain: str = ""
    """Of the slide, as a study names it; empty: its colours tell."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Which pixels are read: ``factor`` × ``factor`` px of a level become one."""

    level: int
    factor: int
    x: int
    y: int
    width: int
    height: int
    scale_l0: float


def normalise(
    slide: Slide, order: NormaliseOrder, output: Path, progress: Progress
) -> StainNormaliser:
    """Write a PNG or a tiled TIFF; return what was used, which the file tells too.

    Raises `UsageError` (other stains, an unknown ending, too large a PNG), `SlideError` or
    `StorageError`.
    """
    if output.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            _("“{name}” has no ending that says how to write it.").format(name=output.name),
            _("End it in .png or .tif."),
        )
    frame = _frame(slide, order)
    is_png = output.suffix.lower() == ".png"
    if is_png and frame.width * frame.height > _PNG_MOST_PX:
        raise UsageError(
            _("The picture is too large for a PNG."),
            _("Write a .tif, choose a region, or give more µm per px."),
        )
    normaliser = StainNormaliser.fit(
        slide,
        order.method,
        _target(order.target),
        region_l0=order.region_l0 if order.by_region else None,
        stain=order.stain,
    )
    tiles = _tiles(slide, frame, normaliser, progress)
    record = orjson.dumps(_record(slide, frame, normaliser)).decode()
    write = _write_png if is_png else _write_tiff
    write(output, frame, tiles, record, None if slide.info.mpp is None else slide.mpp)
    return normaliser


def _target(path: Path | None) -> StainLook:
    if path is None:
        return CMU_1
    with open_scaled(path, None) as slide:
        return target_of(slide)


def _frame(slide: Slide, order: NormaliseOrder) -> _Frame:
    downsample = 1.0 if order.mpp is None else max(1.0, order.mpp / slide.mpp)
    level, factor = reduction(slide, downsample)
    scale_l0 = slide.info.levels[level].downsample * factor
    whole = Rect(0, 0, slide.info.width, slide.info.height)
    wanted = whole if order.region_l0 is None else order.region_l0.intersection(whole)
    if wanted.is_empty:
        raise UsageError(
            _("The region lies outside of the slide."), _("See its size: pathoview info SLIDE")
        )
    x, y, width, height = wanted.scaled(1 / scale_l0).as_ints()
    return _Frame(level, factor, x, y, max(1, width), max(1, height), scale_l0)


def _tiles(
    slide: Slide, frame: _Frame, normaliser: StainNormaliser, progress: Progress
) -> Iterator[Rgb]:
    """Yield tiles of `_TILE_PX`, line by line, white beyond the frame."""
    columns, rows = (-(-n // _TILE_PX) for n in (frame.width, frame.height))
    k = frame.factor
    for number in range(rows * columns):
        progress.check()
        row, column = divmod(number, columns)
        left, top = column * _TILE_PX, row * _TILE_PX
        width, height = min(_TILE_PX, frame.width - left), min(_TILE_PX, frame.height - top)
        place = (frame.x + left) * k, (frame.y + top) * k, width * k, height * k
        raw = slide.read(frame.level, *place)
        tile = np.full((_TILE_PX, _TILE_PX, 3), 255, np.uint8)
        tile[:height, :width] = normaliser.apply(shrink(np.asarray(raw, np.uint8), k))
        yield tile
        progress.report((number + 1) / (rows * columns))


def _record(slide: Slide, frame: _Frame, normaliser: StainNormaliser) -> dict[str, Any]:
    """Return what the file tells of how it was made."""
    return {
        "slide": slide.pseudonym,
        "content_hash": slide.content_hash,
        "x_l0": frame.x * frame.scale_l0,
        "y_l0": frame.y * frame.scale_l0,
        "l0_px_per_px": frame.scale_l0,
        "normalisation": normaliser.to_json(),
    }


def _write_png(
    path: Path, frame: _Frame, tiles: Iterator[Rgb], record: str, mpp: float | None
) -> None:
    columns, rows = (-(-n // _TILE_PX) for n in (frame.width, frame.height))
    picture = np.empty((rows * _TILE_PX, columns * _TILE_PX, 3), np.uint8)
    for number, tile in enumerate(tiles):
        y, x = (place * _TILE_PX for place in divmod(number, columns))
        picture[y : y + _TILE_PX, x : x + _TILE_PX] = tile
    text = PngInfo()
    text.add_itxt("Description", record)
    dpi = {} if mpp is None else {"dpi": (25_400 / (mpp * frame.scale_l0),) * 2}
    with replacing(path) as file:
        image = Image.fromarray(picture[: frame.height, : frame.width])
        image.save(file, "PNG", pnginfo=text, **dpi)


def _write_tiff(
    path: Path, frame: _Frame, tiles: Iterator[Rgb], record: str, mpp: float | None
) -> None:
    per_cm = None if mpp is None else 1e4 / (mpp * frame.scale_l0)
    scale: dict[str, Any] = (
        {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"} if per_cm else {}
    )
    with replacing(path) as file, tifffile.TiffWriter(file, bigtiff=True) as tiff:
        tiff.write(
            tiles,
            shape=(frame.height, frame.width, 3),
            dtype=np.uint8,
            tile=(_TILE_PX, _TILE_PX),
            photometric="rgb",
            compression="zlib",
            description=record,
            metadata=None,
            **scale,
        )
