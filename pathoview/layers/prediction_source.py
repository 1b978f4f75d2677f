"""The map of a pixel method as layers, while it grows: classes, probabilities, doubt.

All three read the same tiles of the run's file. What is not there yet, and glass, is transparent;
new tiles are told by `MapTiles.look` and drawn when `changed` is emitted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pathoview.annotations.classes import is_background
from pathoview.core.affine import Affine
from pathoview.core.byte_cache import ByteCache
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import ALL_CHANNELS
from pathoview.core.translation import _
from pathoview.layers.class_map_source import ClassMapSource, ClassMapStyle
from pathoview.layers.heatmap_source import HeatmapSource, HeatmapStyle
from pathoview.layers.layer import Layer
from pathoview.layers.map_tiles import MapRaster, MapTiles
from pathoview.slides.slide import Pixels
from pathoview.study.raster_rows import FULL, Planes
from pathoview.study.results import RunFile

NOTHING = 255
"""In the map of classes: not analysed."""
_OPACITY = 0.6


class PredictionMap(MapTiles):
    """The tiles of a run's map, and how much of them is of each class."""

    def __init__(self, run_file: RunFile, memory: ByteCache | None = None) -> None:
        """Raises `StorageError` when the file cannot be read."""
        super().__init__(run_file.record, run_file.map_rows(), memory)
        self.classes = run_file.record.classes
        self.is_graded = run_file.record.context.get("ordering") == "grades"
        """Whether the classes are grades, the first the least."""
        self._pixels: npt.NDArray[np.int64] = np.zeros(len(self.classes), np.int64)

    @property
    def class_pixels(self) -> npt.NDArray[np.int64]:
        """How many px each class is the likeliest of, in the tiles that are known of, (class,)."""
        return self._pixels

    def look(self) -> Rect | None:
        """See `MapTiles.look`; counts the classes too."""
        found = super().look()
        if found is not None:
            self._pixels = self._rows.class_pixels()
        return found


class ClassRaster(MapRaster):
    """The number of the likeliest class of each px; `NOTHING` where nothing is known."""

    dtype = np.dtype(np.uint8)

    def _values(self, planes: Planes, channel: int) -> Pixels:
        return class_numbers(planes)[..., None]


class ProbabilityRaster(MapRaster):
    """Probabilities 0–1, a channel a class; NaN where nothing is known."""

    dtype = np.dtype(np.float32)

    def __init__(self, predicted: PredictionMap) -> None:
        super().__init__(predicted)
        self.channels = tuple(one.name for one in predicted.classes)

    def _values(self, planes: Planes, channel: int) -> Pixels:
        wanted = planes if channel == ALL_CHANNELS else planes[channel : channel + 1]
        values = np.moveaxis(wanted.astype(np.float32) / FULL, 0, 2)
        values[~planes.any(axis=0)] = np.nan
        return values


class DoubtRaster(MapRaster):
    """How near the second likeliest class comes: 0 far behind, 1 as likely; NaN: nothing known."""

    dtype = np.dtype(np.float32)

    def _values(self, planes: Planes, channel: int) -> Pixels:
        return doubt(planes)[..., None]


class SeverityRaster(MapRaster):
    """The grade that is expected, 0 for the first; NaN where nothing is known."""

    dtype = np.dtype(np.float32)

    def _values(self, planes: Planes, channel: int) -> Pixels:
        return severity(planes)[..., None]


def class_numbers(planes: Planes) -> npt.NDArray[np.uint8]:
    """Return the likeliest class of each px, (height, width); `NOTHING` where nothing is known."""
    numbers = np.asarray(planes.argmax(axis=0), np.uint8)
    numbers[~planes.any(axis=0)] = NOTHING
    return numbers


def doubt(planes: Planes) -> npt.NDArray[np.float32]:
    """Return 1 less the lead of the likeliest class over the next, (height, width); NaN: unknown.

    With one class there is no doubt.
    """
    first = planes.max(axis=0).astype(np.float32)
    second = np.zeros_like(first)
    if len(planes) > 1:
        second = np.partition(planes, len(planes) - 2, axis=0)[-2].astype(np.float32)
    out = np.asarray(1 - (first - second) / FULL, np.float32)
    out[first == 0] = np.nan
    return out


def severity(planes: Planes) -> npt.NDArray[np.float32]:
    """Return the mean of the grades by their probabilities, (height, width); NaN: unknown.

    ``planes``: (grade, height, width), the first grade is 0.
    """
    total = planes.sum(axis=0, dtype=np.float32)
    weighted = np.tensordot(np.arange(len(planes), dtype=np.float32), planes, 1)
    with np.errstate(invalid="ignore"):
        return np.asarray(weighted / total, np.float32)


class PredictedClassSource(ClassMapSource):
    """The map of classes of a run; areas come from the counts in its file."""

    def __init__(self, predicted: PredictionMap, width_l0: float, height_l0: float) -> None:
        self._map = predicted
        super().__init__(
            ClassRaster(predicted),
            Affine.scaled(predicted.scale_l0),
            width_l0,
            height_l0,
            dict(enumerate(predicted.classes)),
            nothing=NOTHING,
        )
        hidden = (n for n, one in self.classes.items() if is_background(one.name))
        self.style = ClassMapStyle(hidden=frozenset(hidden))

    def class_counts(self) -> Mapping[int, int]:
        """Return the number of px of each class so far."""
        return dict(enumerate(self._map.class_pixels.tolist()))

    def grew(self, rect_l0: Rect) -> None:
        """Have what is new drawn."""
        self.changed.emit(rect_l0)


class PredictedHeatmapSource(HeatmapSource):
    """Numbers of a run's map that may come tile by tile."""

    def __init__(
        self,
        raster: MapRaster,
        scale_l0: float,
        width_l0: float,
        height_l0: float,
        channel: int = 0,
        top: float = 1.0,
    ) -> None:
        """``top``: the number of the strongest colour; that of the weakest is 0."""
        style = HeatmapStyle(limits=(0.0, top), low_opacity=0.0, channel=channel)
        super().__init__(raster, Affine.scaled(scale_l0), width_l0, height_l0, style)

    def grew(self, rect_l0: Rect) -> None:
        """Have what is new drawn, and the values looked at again when they are asked for."""
        with self._reading:
            self._samples.clear()
        self.changed.emit(rect_l0)


PredictedSource = PredictedClassSource | PredictedHeatmapSource


def prediction_layers(
    predicted: PredictionMap, title: str, width_l0: float, height_l0: float
) -> tuple[Layer, ...]:
    """Return the layers of a map: classes, and, hidden at first, probability and doubt.

    Where the classes are grades, severity comes last.
    """
    size = width_l0, height_l0
    first = next((n for n, one in enumerate(predicted.classes) if not is_background(one.name)), 0)

    def hidden(name: str, raster: MapRaster, channel: int = 0, top: float = 1.0) -> Layer:
        source = PredictedHeatmapSource(raster, predicted.scale_l0, *size, channel, top)
        return Layer(name.format(title=title), source, visible=False, opacity=_OPACITY)

    layers = [
        Layer(title, PredictedClassSource(predicted, *size), opacity=_OPACITY),
        hidden(_("{title}: probability"), ProbabilityRaster(predicted), first),
        hidden(_("{title}: uncertainty"), DoubtRaster(predicted)),
    ]
    if predicted.is_graded:
        top = len(predicted.classes) - 1.0
        layers.append(hidden(_("{title}: severity"), SeverityRaster(predicted), top=top))
    return tuple(layers)


def class_layer(run_file: RunFile, width_l0: float, height_l0: float) -> Layer:
    """Return the classes of a finished map, for pictures made without a window."""
    predicted = PredictionMap(run_file)
    predicted.look()
    return prediction_layers(predicted, run_file.record.title, width_l0, height_l0)[0]
