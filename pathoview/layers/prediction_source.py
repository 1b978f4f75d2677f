"""The map of a pixel method as layers, while it grows: classes, probabilities, doubt.

All three read the same tiles of the run's file. What is not there yet, and glass, is transparent;
new tiles are told by `PredictionMap.look` and drawn when `changed` is emitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.annotations.classes import is_background
from pathoview.core.affine import Affine
from pathoview.core.byte_cache import ByteCache, Share
from pathoview.core.errors import SlideError, StorageError
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import ALL_CHANNELS, Level, halved_levels
from pathoview.core.translation import _
from pathoview.layers.class_map_source import ClassMapSource, ClassMapStyle
from pathoview.layers.heatmap_source import HeatmapSource, HeatmapStyle
from pathoview.layers.layer import Layer
from pathoview.layers.raster import MOST_SAMPLES
from pathoview.slides.slide import Pixels
from pathoview.study.raster_rows import COARSEST_PX, FULL, Planes
from pathoview.study.results import RunFile

NOTHING = 255
"""In the map of classes: not analysed."""
_OWN_BYTES = 64 * 2**20
"""What decoded tiles take where there is no memory shared with others."""
_AT_MOST = 0.25
"""Of a shared memory, for decoded tiles of one map."""
_SMALL_PX = 64
"""Tiles reduced to this side and less are read many at once, and not kept."""
_OPACITY = 0.6


class PredictionMap:
    """The tiles of a run's map, those used last decoded. Safe to call from several threads."""

    def __init__(self, run_file: RunFile, memory: ByteCache | None = None) -> None:
        """Raises `StorageError` when the file cannot be read."""
        record = run_file.record
        self.classes = record.classes
        self.scale_l0 = record.scale_l0
        """Level-0 px a px of the map."""
        self.mpp = record.mpp
        self._rows = run_file.map_rows()
        levels = halved_levels(*record.grid_px, COARSEST_PX)
        self.levels: tuple[Level, ...] = levels[: self._rows.n_levels(*record.grid_px)]
        self._kept: Share[tuple[int, int, int, int], Planes] = Share(
            memory or ByteCache(_OWN_BYTES), at_most=_AT_MOST if memory else 1.0
        )
        self._last = 0
        """Number, in the file, of the last tile that is known of."""
        self._numbers: dict[tuple[int, int], int] = {}
        """Number of the tile at each column and row: one that was stored anew has another."""
        self._pixels: npt.NDArray[np.int64] = np.zeros(len(self.classes), np.int64)

    @property
    def class_pixels(self) -> npt.NDArray[np.int64]:
        """How many px each class is the likeliest of, in the tiles that are known of, (class,)."""
        return self._pixels

    def look(self) -> Rect | None:
        """Look for new tiles; return the rectangle around them, level-0 px; None: none came.

        Raises `StorageError`.
        """
        new = self._rows.since(self._last)
        if not new:
            return None
        self._last = new[-1][0]
        self._numbers |= {(col, row): number for number, col, row in new}
        self._pixels = self._rows.class_pixels()
        _number, columns, rows = np.array(new).T
        side = self._rows.tile_px * self.scale_l0
        left, top = float(columns.min()) * side, float(rows.min()) * side
        right, bottom = float(columns.max() + 1) * side, float(rows.max() + 1) * side
        return Rect.from_corners(left, top, right, bottom)

    def planes(self, level: int, x: int, y: int, width: int, height: int) -> Planes:
        """Return a rectangle of a level, (class, height, width); 0 where nothing is known.

        Raises `SlideError`.
        """
        try:
            side = self._rows.tile_px >> level
            if side <= _SMALL_PX:
                return self._rows.area(level, x, y, width, height)
            return self._assembled(level, side, (x, y, width, height))
        except StorageError as error:
            raise SlideError(str(error), error.hint) from error

    def _assembled(self, level: int, side: int, part: tuple[int, int, int, int]) -> Planes:
        x, y, width, height = part
        out = np.zeros((len(self.classes), height, width), np.uint8)
        for row in range(y // side, (y + height - 1) // side + 1):
            for col in range(x // side, (x + width - 1) // side + 1):
                block = self._block(level, col, row)
                if block is None:
                    continue
                left, top = col * side - x, row * side - y
                rows = slice(max(0, top), min(height, top + side))
                columns = slice(max(0, left), min(width, left + side))
                out[:, rows, columns] = block[
                    :,
                    rows.start - top : rows.stop - top,
                    columns.start - left : columns.stop - left,
                ]
        return out

    def _block(self, level: int, col: int, row: int) -> Planes | None:
        key = level, col, row, self._numbers.get((col, row), 0)
        block = self._kept.get(key)
        if block is None:
            block = self._rows.block(level, col, row)
            if block is not None:
                self._kept.put(key, block, block.nbytes)
        return block


class _MapRaster:
    """One way to look at a map; see `layers.raster.Raster`.

    What is missing is given as such and never as unfinished: its coming is told by `changed`.
    """

    is_rgb = False
    dtype: np.dtype[Any]
    channels: tuple[str, ...]

    def __init__(self, predicted: PredictionMap) -> None:
        self._map = predicted
        self.levels = predicted.levels
        self.mpp = None if predicted.mpp is None else (predicted.mpp, predicted.mpp)

    def _values(self, planes: Planes, channel: int) -> Pixels:
        """Return what (class, height, width) stand for, as (height, width, channel)."""
        raise NotImplementedError

    def read(
        self, level: int, x: int, y: int, width: int, height: int, channel: int = ALL_CHANNELS
    ) -> tuple[Pixels, bool]:
        return self._values(self._map.planes(level, x, y, width, height), channel), True

    def sample(self, channel: int) -> Pixels:
        """Take the coarsest level, or what is spread evenly over a large one."""
        coarsest = self.levels[-1]
        last = len(self.levels) - 1
        pixels, _is_whole = self.read(last, 0, 0, coarsest.width, coarsest.height, channel)
        values = pixels[..., 0].ravel()
        return values[:: max(1, len(values) // MOST_SAMPLES)]

    def close(self) -> None:
        """The run closes its file."""


class ClassRaster(_MapRaster):
    """The number of the likeliest class of each px; `NOTHING` where nothing is known."""

    dtype = np.dtype(np.uint8)
    channels: tuple[str, ...] = ("1",)

    def _values(self, planes: Planes, channel: int) -> Pixels:
        return class_numbers(planes)[..., None]


class ProbabilityRaster(_MapRaster):
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


class DoubtRaster(_MapRaster):
    """How near the second likeliest class comes: 0 far behind, 1 as likely; NaN: nothing known."""

    dtype = np.dtype(np.float32)
    channels: tuple[str, ...] = ("1",)

    def _values(self, planes: Planes, channel: int) -> Pixels:
        return doubt(planes)[..., None]


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
    """Numbers of a run's map, 0–1, that may come tile by tile."""

    def __init__(
        self, raster: _MapRaster, scale_l0: float, width_l0: float, height_l0: float, channel: int
    ) -> None:
        style = HeatmapStyle(limits=(0.0, 1.0), low_opacity=0.0, channel=channel)
        super().__init__(raster, Affine.scaled(scale_l0), width_l0, height_l0, style)

    def grew(self, rect_l0: Rect) -> None:
        """Have what is new drawn, and the values looked at again when they are asked for."""
        with self._reading:
            self._samples.clear()
        self.changed.emit(rect_l0)


PredictedSource = PredictedClassSource | PredictedHeatmapSource


def prediction_layers(
    predicted: PredictionMap, title: str, width_l0: float, height_l0: float
) -> tuple[Layer, Layer, Layer]:
    """Return the layers of a map: classes, and, hidden at first, probability and doubt."""
    size = width_l0, height_l0
    first = next((n for n, one in enumerate(predicted.classes) if not is_background(one.name)), 0)
    probability = PredictedHeatmapSource(
        ProbabilityRaster(predicted), predicted.scale_l0, *size, first
    )
    uncertain = PredictedHeatmapSource(DoubtRaster(predicted), predicted.scale_l0, *size, 0)
    return (
        Layer(title, PredictedClassSource(predicted, *size), opacity=_OPACITY),
        Layer(
            _("{title}: probability").format(title=title),
            probability,
            visible=False,
            opacity=_OPACITY,
        ),
        Layer(
            _("{title}: uncertainty").format(title=title),
            uncertain,
            visible=False,
            opacity=_OPACITY,
        ),
    )


def class_layer(run_file: RunFile, width_l0: float, height_l0: float) -> Layer:
    """Return the classes of a finished map, for pictures made without a window."""
    predicted = PredictionMap(run_file)
    predicted.look()
    return prediction_layers(predicted, run_file.record.title, width_l0, height_l0)[0]
