"""Layers from files: what a file seems to hold, where it seems to lie, and the layer of it.

The window, the command line and scripts open files through here, so that all of them guess alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from pathoview.core.affine import Affine
from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import InputError, UsageError
from pathoview.core.translation import _
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.label_source import LabelSource
from pathoview.layers.layer import Layer
from pathoview.layers.placement import Picture, guessed_placement, placement_by_mpp
from pathoview.layers.raster import Raster
from pathoview.layers.raster_file import open_raster
from pathoview.layers.raster_source import RasterSource
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.source import TileSource
from pathoview.layers.synthetic_source import PictureSource, SyntheticSource
from pathoview.layers.warped_source import WarpedSource
from pathoview.slides.opening import open_slide
from pathoview.slides.slide import SlideInfo

FileKind = Literal["slide", "heatmap", "class_map", "labels", "synthetic"]
"""A second slide; measured numbers; numbers of classes, of objects; a picture made by a method."""
FILE_KINDS: tuple[FileKind, ...] = get_args(FileKind)

_MOST_CLASSES = 32
"""Whole numbers with more different values than that are objects, or measured."""
_OPACITY = 0.6
"""Of new layers that cover the slide."""
_BACKGROUND = 0


@dataclass(frozen=True, slots=True)
class Guess:
    """What a file seems to be."""

    path: Path
    kind: FileKind
    is_kind_sure: bool
    placement: Affine | None
    """From px of the file to level-0 px of the slide; None: it cannot be told."""
    problem: str = ""
    """Why it cannot."""
    width: int = 0
    height: int = 0

    @property
    def is_sure(self) -> bool:
        """Nobody needs to be asked."""
        return self.is_kind_sure and self.placement is not None


def guess_layer(path: Path, base: SlideInfo) -> Guess:
    """Return what a file seems to hold and where on a slide it seems to lie.

    Raises `InputError` when it is neither a slide nor a grid of numbers.
    """
    raster = open_raster(path)
    try:
        kind, is_sure = _kind_of(raster)
        finest = raster.levels[0]
        size = finest.width, finest.height
        try:
            return Guess(path, kind, is_sure, _placement(raster, kind, base), "", *size)
        except InputError as error:
            return Guess(path, kind, is_sure, None, error.full_text, *size)
    finally:
        raster.close()


def _kind_of(raster: Raster) -> tuple[FileKind, bool]:
    """Return what a file seems to hold, and whether it can hardly be anything else."""
    if raster.is_rgb:
        return ("slide", True) if raster.mpp is not None else ("synthetic", False)
    if len(raster.channels) > 1 and raster.dtype.kind in "iu":
        return "slide", False
    if raster.dtype.kind == "f":
        return "heatmap", True
    n_values = len(np.unique(raster.sample(0)))
    if n_values <= _MOST_CLASSES:
        return "class_map", False
    return ("heatmap", False) if raster.dtype.itemsize == 1 else ("labels", raster.mpp is None)


def _placement(picture: Picture, kind: str, base: SlideInfo) -> Affine:
    """Guess a place; another slide begins at the same corner until it is aligned."""
    return (placement_by_mpp if kind == "slide" else guessed_placement)(picture, base)


def open_layer(
    path: Path,
    base: SlideInfo,
    kind: str = "",
    placement: Affine | None = None,
    *,
    memory: ByteCache | None = None,
) -> Layer:
    """Return the layer of a file; kind and placement that are not stated are guessed.

    ``placement`` takes px of the file to level-0 px of the slide. Raises `UsageError` for a kind
    that there is none of, `InputError` when the file does not fit or its place cannot be told.
    """
    if kind and kind not in FILE_KINDS:
        raise UsageError(
            _("There is no kind of layer “{kind}”.").format(kind=kind),
            _("Choose one of {kinds}.").format(kinds=", ".join(FILE_KINDS)),
        )
    kind = kind or guess_layer(path, base).kind
    source = (_slide_source if kind == "slide" else _raster_source)(
        path, base, kind, placement, memory
    )
    return Layer(path.stem, source, opacity=_OPACITY)


def _slide_source(
    path: Path, base: SlideInfo, kind: str, placement: Affine | None, memory: ByteCache | None
) -> TileSource:
    slide = open_slide(path)
    try:
        place = placement if placement is not None else _placement(slide.info, kind, base)
        inner = SlideSource(slide, memory=memory)
        return RegisteredSource(inner, place, base.width, base.height, memory)
    except BaseException:
        slide.close()
        raise


def _raster_source(
    path: Path, base: SlideInfo, kind: str, placement: Affine | None, memory: ByteCache | None
) -> TileSource:
    raster = open_raster(path, memory)
    try:
        place = placement if placement is not None else _placement(raster, kind, base)
        return _MAKERS[kind](raster, place, base.width, base.height)
    except BaseException:
        raster.close()
        raise


def _class_map(raster: Raster, placement: Affine, width_l0: float, height_l0: float) -> TileSource:
    """Return a map whose 0, mostly the background, is not drawn at first."""
    source = ClassMapSource(raster, placement, width_l0, height_l0)
    if _BACKGROUND in source.classes:
        source.style = replace(source.style, hidden=frozenset({_BACKGROUND}))
    return source


def _synthetic(raster: Raster, placement: Affine, width_l0: float, height_l0: float) -> TileSource:
    return SyntheticSource(PictureSource(raster), placement, width_l0, height_l0)


_MAKERS: Mapping[str, Callable[[Raster, Affine, float, float], TileSource]] = {
    "heatmap": HeatmapSource,
    "class_map": _class_map,
    "labels": LabelSource,
    "synthetic": _synthetic,
}


def close_source(source: TileSource) -> None:
    """Let go of the file of a layer that came from one."""
    inner = source.inner if isinstance(source, WarpedSource) else source
    if isinstance(inner, SlideSource):
        inner.slide.close()
    elif isinstance(inner, RasterSource | PictureSource):
        inner.raster.close()
