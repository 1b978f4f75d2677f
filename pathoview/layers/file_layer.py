"""Layers from files: what a file seems to hold, where it seems to lie, and the layer of it.

The window, the command line and scripts open files through here, so that all of them guess alike.
"""

from __future__ import annotations

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
from pathoview.layers.placement import guessed_placement
from pathoview.layers.raster import Raster
from pathoview.layers.raster_file import open_raster
from pathoview.layers.raster_source import RasterSource
from pathoview.layers.source import TileSource
from pathoview.slides.slide import SlideInfo

FileKind = Literal["heatmap", "class_map", "labels"]
"""Measured numbers; numbers of classes; numbers of objects."""
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

    Raises `InputError` when it is no grid of numbers.
    """
    raster = open_raster(path)
    try:
        kind, is_sure = _kind_of(raster)
        finest = raster.levels[0]
        size = finest.width, finest.height
        try:
            return Guess(path, kind, is_sure, guessed_placement(raster, base), "", *size)
        except InputError as error:
            return Guess(path, kind, is_sure, None, error.full_text, *size)
    finally:
        raster.close()


def _kind_of(raster: Raster) -> tuple[FileKind, bool]:
    """Return what numbers seem to mean, and whether they can hardly mean anything else."""
    if raster.dtype.kind == "f":
        return "heatmap", True
    n_values = len(np.unique(raster.sample(0)))
    if n_values <= _MOST_CLASSES:
        return "class_map", False
    return ("heatmap", False) if raster.dtype.itemsize == 1 else ("labels", True)


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
    raster = open_raster(path, memory)
    try:
        place = placement if placement is not None else guessed_placement(raster, base)
        source = _source(raster, kind or _kind_of(raster)[0], place, base)
    except BaseException:
        raster.close()
        raise
    return Layer(path.stem, source, opacity=_OPACITY)


def _source(raster: Raster, kind: str, placement: Affine, base: SlideInfo) -> TileSource:
    size = float(base.width), float(base.height)
    if kind == "heatmap":
        return HeatmapSource(raster, placement, *size)
    if kind == "labels":
        return LabelSource(raster, placement, *size)
    classes = ClassMapSource(raster, placement, *size)
    if _BACKGROUND in classes.classes:
        classes.style = replace(classes.style, hidden=frozenset({_BACKGROUND}))
    return classes


def close_source(source: TileSource) -> None:
    """Let go of the file of a layer that came from one."""
    if isinstance(source, RasterSource):
        source.raster.close()
