"""Write the map of a run as a picture: classes as PNG, probabilities as a pyramidal OME-TIFF.

What is said of the tiles of a whole slide is written by `export_tile_values`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.layers.prediction_source import class_numbers
from pathoview.study.map_params import (
    ATTENTION_PICTURE,
    CLASS_MAP,
    MAP_FORMATS,
    TILE_FORMATS,
    TILE_VALUES,
    MapFormat,
    MapParams,
)
from pathoview.study.raster_rows import FULL, MapRows
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks.export_tile_values import write_attention, write_values

LARGEST_PX = 1 << 28
"""A PNG is made in memory: a larger map is written at a smaller size."""
_TILE_PX = 1024
"""That of most methods' tiles, so that each is decoded once a class."""


def write_map(
    output: Path, form: MapFormat, run_file: RunFile, said: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """Write a run's map and return what is told of it; the old file stays whole on failure.

    ``said``: members of `MapParams`, for a map of classes. Raises `UsageError` for a run without
    such a map or a file of another ending, `StorageError`, and `Cancelled` when asked to stop.
    """
    record = run_file.record
    _check(output, form, record)
    progress.check()
    with replacing(output) as file:
        if form is ATTENTION_PICTURE:
            mpp = write_attention(file, run_file)
        elif form is TILE_VALUES:
            mpp = write_values(file, run_file)
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


def _check(output: Path, form: MapFormat, record: RunRecord) -> None:
    """Raise `UsageError` when a run cannot be written so, or not to a file of that name."""
    fitting = [one.name for one in (*MAP_FORMATS, *TILE_FORMATS) if one.gives == record.gives]
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
        self._progress = progress
        self._n_levels = rows.n_levels(*record.grid_px)

    def _size(self, level: int) -> tuple[int, int]:
        """Return width and height of a level."""
        width, height = (math.ceil(side / 2**level) for side in self._record.grid_px)
        return width, height

    # -- classes ---------------------------------------------------------------------------------

    def png(self, file: IO[bytes]) -> int:
        """Write numbers of classes with their colours, 255 where nothing was analysed.

        Returns how many px of the map one of the picture stands for.
        """
        from PIL import Image

        level = next(
            (one for one in range(self._n_levels) if math.prod(self._size(one)) <= LARGEST_PX),
            self._n_levels - 1,
        )
        width, height = self._size(level)
        numbers = np.full((height, width), 255, np.uint8)
        for top in range(0, height, _TILE_PX):
            self._report(top / height)
            rows = min(_TILE_PX, height - top)
            numbers[top : top + rows] = class_numbers(self._rows.area(level, 0, top, width, rows))
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
        import tifffile

        dtype = np.dtype(np.float32 if self._params.as_float else np.uint8)
        n_classes = len(self._record.classes)
        width, height = self._record.grid_px
        n_bytes = n_classes * width * height * dtype.itemsize
        with tifffile.TiffWriter(file, ome=True, bigtiff=n_bytes > 1 << 31) as tiff:
            for level in range(self._n_levels):
                columns, rows = self._size(level)
                facts: dict[str, Any] = (
                    {"subfiletype": 1}
                    if level
                    else {"subifds": self._n_levels - 1, "metadata": self._metadata()}
                )
                tiff.write(
                    self._tiles(level, dtype),
                    shape=(n_classes, rows, columns),
                    dtype=dtype,
                    tile=(_TILE_PX, _TILE_PX),
                    compression="zlib",
                    photometric="minisblack",
                    **facts,
                )
        return 1

    def _metadata(self) -> dict[str, Any]:
        record = self._record
        facts: dict[str, Any] = {
            "axes": "CYX",
            "Name": record.pseudonym,
            "Description": self._described(),
            "Channel": {"Name": [one.name for one in record.classes]},
        }
        if record.mpp is not None:
            for axis in "XY":
                facts |= {f"PhysicalSize{axis}": record.mpp, f"PhysicalSize{axis}Unit": "µm"}
        return facts

    def _described(self) -> str:
        full = "1" if self._params.as_float else str(FULL)
        return f"{self._record.title}. {full} is a probability of 1. {RESEARCH_USE}"

    def _tiles(self, level: int, dtype: np.dtype[Any]) -> Iterator[npt.NDArray[Any]]:
        """Yield tiles as tifffile wants them: class by class, row by row."""
        width, height = self._size(level)
        tops = range(0, height, _TILE_PX)
        n_all = len(self._record.classes) * len(tops)
        for number in range(len(self._record.classes)):
            for n_rows, top in enumerate(tops):
                if not level:
                    self._report((number * len(tops) + n_rows) / n_all)
                rows = min(_TILE_PX, height - top)
                for left in range(0, width, _TILE_PX):
                    columns = min(_TILE_PX, width - left)
                    plane = self._rows.area(level, left, top, columns, rows)[number]
                    yield self._numbers(plane, dtype)

    def _numbers(self, plane: npt.NDArray[np.uint8], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        rows, columns = _TILE_PX - plane.shape[0], _TILE_PX - plane.shape[1]
        whole = np.asarray(cv2.copyMakeBorder(plane, 0, rows, 0, columns, cv2.BORDER_CONSTANT))
        return whole if dtype == np.uint8 else (whole / FULL).astype(dtype)

    def _report(self, fraction: float) -> None:
        self._progress.check()
        self._progress.report(fraction, _("Writing the map"))
