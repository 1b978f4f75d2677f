"""Write the map of a run as a picture: classes as PNG, probabilities as a pyramidal OME-TIFF.

What is said of the tiles of a whole slide is written by `export_tile_values`, pseudo-healthy
pictures by `export_synthesis`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.files import replacing
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.layers.prediction_source import class_numbers
from pathoview.study.map_params import (
    ATTENTION_PICTURE,
    CLASS_MAP,
    RUN_FORMATS,
    SYNTHESIS_FORMATS,
    TILE_VALUES,
    MapFormat,
    MapParams,
)
from pathoview.study.raster_rows import FULL, MapRows
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks.export_synthesis import write_synthesis
from pathoview.tasks.export_tile_values import write_attention, write_values
from pathoview.tasks.map_pyramid import LARGEST_PX, MapPyramid


def write_map(
    output: Path, form: MapFormat, run_file: RunFile, said: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """Write a run's map and return what is told of it; the old file stays whole on failure.

    ``said``: members of `MapParams`, for a map of classes. Raises `UsageError` for a run without
    such a map or a file of another ending, `StorageError`, and `Cancelled` when asked to stop.
    """
    record = run_file.record
    check_format(output, form, record)
    progress.check()
    with replacing(output) as file:
        if form is ATTENTION_PICTURE:
            mpp = write_attention(file, run_file)
        elif form is TILE_VALUES:
            mpp = write_values(file, run_file)
        elif form in SYNTHESIS_FORMATS:
            mpp = write_synthesis(file, form, run_file, progress)
        else:
            writer = _Writer(record, run_file.map_rows(), MapParams.parse(said), progress)
            scale = writer.png(file) if form is CLASS_MAP else writer.tiff(file)
            mpp = (record.mpp or 0.0) * scale
    return {
        "output": str(output),
        "n_objects": 0,
        "mpp": mpp,
        "warnings": [],
        "bytes": output.stat().st_size,
    }


def check_format(output: Path, form: MapFormat, record: RunRecord) -> None:
    """Raise `UsageError` when a run cannot be written so, or not to a file of that name."""
    fitting = [one.name for one in RUN_FORMATS if one.gives == record.gives]
    if not fitting:
        raise UsageError(
            _("“{title}” has found objects and made no map.").format(title=record.title),
            _("Write it as GeoJSON."),
        )
    if form.name not in fitting:
        raise UsageError(
            _("“{title}” cannot be written as {name}.").format(title=record.title, name=form.name),
            _("Write it as GeoJSON, or as one of: {names}.").format(names=", ".join(fitting)),
        )
    if not output.name.lower().endswith(form.suffixes):
        raise UsageError(
            _("“{name}” does not end in {ending}.").format(
                name=output.name, ending=_(" or ").join(form.suffixes)
            )
        )


class _Writer:
    def __init__(
        self, record: RunRecord, rows: MapRows, params: MapParams, progress: Progress
    ) -> None:
        self._record = record
        self._rows = rows
        self._params = params
        self._pyramid = MapPyramid(record, rows, progress)

    # -- classes ---------------------------------------------------------------------------------

    def png(self, file: IO[bytes]) -> int:
        """Write numbers of classes with their colours, 255 where nothing was analysed.

        Returns how many px of the map one of the picture stands for.
        """
        from PIL import Image

        level = self._pyramid.level_below(LARGEST_PX)
        width, height = self._pyramid.size(level)
        numbers = np.full((height, width), 255, np.uint8)
        for top, planes in self._pyramid.strips(level):
            numbers[top : top + planes.shape[1]] = class_numbers(planes)
        picture = Image.fromarray(numbers)
        picture.putpalette(self._palette().tobytes())
        picture.save(file, "PNG", transparency=255, pnginfo=self._said(level))
        return 1 << level

    def _palette(self) -> npt.NDArray[np.uint8]:
        palette = np.full((256, 3), 255, np.uint8)
        colors = [one.color for one in self._record.classes]
        palette[: len(colors)] = colors
        return palette

    def _said(self, level: int) -> Any:
        from PIL.PngImagePlugin import PngInfo

        said = PngInfo()
        names = (f"{number} {one.name}" for number, one in enumerate(self._record.classes))
        said.add_text("Classes", "; ".join(names))
        said.add_text("Microns per pixel", str((self._record.mpp or 0.0) * 2**level))
        said.add_text("Notice", RESEARCH_USE)
        return said

    # -- probabilities ---------------------------------------------------------------------------

    def tiff(self, file: IO[bytes]) -> int:
        """Write a channel a class, 0–255 or 0–1, 0 where nothing was analysed, with all sizes."""
        dtype = np.dtype(np.float32 if self._params.as_float else np.uint8)
        names = [one.name for one in self._record.classes]
        full = "1" if self._params.as_float else str(FULL)
        described = f"{self._record.title}. {full} is a probability of 1. {RESEARCH_USE}"

        def tile(number: int, level: int, part: Rect) -> npt.NDArray[Any]:
            plane = self._rows.area(level, *part.as_ints())[number]
            return np.asarray(plane if dtype == np.uint8 else plane / FULL, dtype)

        self._pyramid.write_channels(file, dtype, names, described, tile)
        return 1
