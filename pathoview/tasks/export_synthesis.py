"""Write what a run makes of a slide as if it were healthy: the picture, and what differs from it.

The picture never leaves without its badge, which is burnt into the pixels of every size.
"""

from __future__ import annotations

from typing import IO, Any

import numpy as np
import numpy.typing as npt

from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.layers.synthesis_source import (
    BRIGHTNESS_MEANING,
    DIFFERENCE_MEANING,
    PATHOLOGY_MEANING,
    picture_of,
)
from pathoview.layers.synthetic_source import BADGE, burn_badges
from pathoview.study.map_params import DIFFERENCE, PSEUDO_HEALTHY, MapFormat
from pathoview.study.raster_rows import Planes
from pathoview.study.results import RunFile
from pathoview.study.synthesis_rows import brightness_of, difference_of, pathology_of
from pathoview.tasks.map_pyramid import LARGEST_PX, MapPyramid

_WHITE = 255
_CHANNELS = (
    (DIFFERENCE_MEANING, difference_of),
    (BRIGHTNESS_MEANING, brightness_of),
    (PATHOLOGY_MEANING, pathology_of),
)


def write_synthesis(
    file: IO[bytes], form: MapFormat, run_file: RunFile, progress: Progress
) -> float:
    """Write a run in one of `SYNTHESIS_FORMATS`; return µm per px.

    Raises `StorageError`, and `Cancelled` when asked to stop.
    """
    writer = _Writer(run_file, progress)
    write = {PSEUDO_HEALTHY: writer.png, DIFFERENCE: writer.differences}.get(form, writer.tiff)
    return write(file)


class _Writer:
    def __init__(self, run_file: RunFile, progress: Progress) -> None:
        self._record = run_file.record
        self._rows = run_file.synthesis_rows()
        self._pyramid = MapPyramid(self._record, self._rows, progress)
        self._mpp = self._record.mpp or 0.0

    def png(self, file: IO[bytes]) -> float:
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        level = self._pyramid.level_below(LARGEST_PX)
        width, height = self._pyramid.size(level)
        picture = np.empty((height, width, 3), np.uint8)
        for top, planes in self._pyramid.strips(level):
            part = Rect(0, top, width, planes.shape[1])
            picture[top : top + planes.shape[1]] = self._badged(planes, level, part)
        said, mpp = PngInfo(), self._mpp * 2**level
        said.add_text("Microns per pixel", str(mpp))
        said.add_text("Notice", self._described())
        Image.fromarray(picture).save(file, "PNG", pnginfo=said)
        return float(mpp)

    def tiff(self, file: IO[bytes]) -> float:
        def tile(level: int, part: Rect) -> npt.NDArray[np.uint8]:
            return self._badged(self._rows.area(level, *part.as_ints()), level, part)

        self._pyramid.write_colors(file, self._described(), tile)
        return self._mpp

    def _badged(self, planes: Planes, level: int, part: Rect) -> npt.NDArray[np.uint8]:
        """Return a part of a level in colours, white where nothing is known, badges all over."""
        picture = picture_of(planes)
        picture[picture[..., 3] == 0] = _WHITE
        burn_badges(picture, part, Rect(0, 0, *self._pyramid.size(level)))
        return picture[..., :3]

    def differences(self, file: IO[bytes]) -> float:
        """Write a float channel each of difference, brightness, pathology; NaN: not analysed."""

        def tile(number: int, level: int, part: Rect) -> npt.NDArray[Any]:
            return _CHANNELS[number][1](self._rows.area(level, *part.as_ints()))

        names = [name for name, _values_of in _CHANNELS]
        described = f"{self._record.title}. {RESEARCH_USE}"
        self._pyramid.write_channels(file, np.dtype(np.float32), names, described, tile)
        return self._mpp

    def _described(self) -> str:
        made = _("Made by a method, seen by no microscope: it is never measured.")
        return f"{BADGE}: {self._record.title}. {made} {RESEARCH_USE}"
