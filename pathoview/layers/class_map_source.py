"""A map of classes as tiles: a colour for each whole number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass
from pathoview.core.affine import Affine
from pathoview.core.pyramid import TileKey
from pathoview.core.translation import _
from pathoview.layers.many_colors import N_COLORS, many_colors
from pathoview.layers.paint import Color
from pathoview.layers.placed import Packed
from pathoview.layers.raster import Raster
from pathoview.layers.raster_source import RasterSource, check_whole_numbers, packed_colors
from pathoview.layers.source import Rgba, Unfinished
from pathoview.slides.slide import Pixels

_N_VALUES = 1 << 16
"""Values from 0 up to that have colours of their own; others are drawn grey."""
_OTHER: Color = (128, 128, 128)
_STRIP_PX = 16_000_000


@dataclass(frozen=True, slots=True)
class ClassMapStyle:
    """How a map of classes looks."""

    hidden: frozenset[int] = frozenset()
    """Values that are not drawn."""


class ClassMapSource(RasterSource[ClassMapStyle]):
    """Whole numbers as the colours of their classes; one number stands for nothing."""

    def __init__(
        self,
        raster: Raster,
        placement: Affine,
        width_l0: float,
        height_l0: float,
        classes: Mapping[int, DetectionClass] | None = None,
        *,
        nothing: int = -1,
    ) -> None:
        """``classes`` None: the values found in a sample of the raster, with made-up names.

        Raises `InputError` when the raster holds no whole numbers.
        """
        check_whole_numbers(raster, _("A map of classes"))
        super().__init__(raster, placement, width_l0, height_l0, ClassMapStyle())
        self.nothing = nothing
        """The value where there is no class."""
        found = classes if classes is not None else _made_up(raster.sample(0))
        self._classes = {value: found[value] for value in sorted(found) if value != nothing}
        self._counts: dict[int, int] | None = None
        self._palette = self._colors()

    # -- classes ---------------------------------------------------------------------------------

    @property
    def classes(self) -> Mapping[int, DetectionClass]:
        """Name and colour of each value that is known to occur."""
        return dict(self._classes)

    def recolor_class(self, value: int, color: Color) -> None:
        """Give a class another colour on the screen."""
        with self._lock:
            self._classes[value] = replace(self._classes[value], color=color)
        self._restyled()

    def class_at(self, x_l0: float, y_l0: float) -> int | None:
        """Return the value under a point; None outside, and where there is no class.

        May read the file. Raises `SlideError`.
        """
        value = self._value_at(x_l0, y_l0)
        return None if value is None or value == self.nothing else int(value)

    def class_counts(self) -> Mapping[int, int]:
        """Return the number of the raster's pixels of each class; the first call reads it all.

        Values that were not known before become classes. Raises `SlideError`.
        """
        counts = self._counts
        if counts is None:
            counts = {}
            for strip in self._strips():
                for value, n in zip(*np.unique_counts(strip), strict=True):
                    counts[int(value)] = counts.get(int(value), 0) + int(n)
            counts.pop(self.nothing, None)
            with self._lock:
                self._counts = counts
                new = _made_up(np.array(sorted(counts.keys() - self._classes.keys()), np.int64))
                self._classes = dict(sorted({**self._classes, **new}.items()))
        return dict(counts)

    def class_areas_l0(self) -> Mapping[int, float]:
        """Return the area of each class in level-0 px²; see `class_counts`."""
        pixel_l0 = abs(self.placement.determinant)
        return {value: n * pixel_l0 for value, n in self.class_counts().items()}

    def _strips(self) -> Iterator[Pixels]:
        finest = self.raster.levels[0]
        rows = max(1, _STRIP_PX // finest.width)
        for top in range(0, finest.height, rows):
            height = min(rows, finest.height - top)
            yield self.raster.read(0, 0, top, finest.width, height, 0)[0]

    # -- style -----------------------------------------------------------------------------------

    def _restyled(self) -> None:
        with self._lock:
            self._palette = self._colors()
        super()._restyled()

    def _colors(self) -> Packed:
        """Return the colours of the values from 0 on, one for others, and none for nothing."""
        made_up = np.tile(packed_colors(many_colors()), _N_VALUES // N_COLORS)
        palette = np.concatenate([made_up, packed_colors([_OTHER]), np.zeros(1, np.uint32)])
        for value, entry in self._classes.items():
            if 0 <= value < _N_VALUES:
                palette[value] = packed_colors([entry.color])[0]
        for value in (*self._style.hidden, self.nothing):
            if 0 <= value < _N_VALUES:
                palette[value] = 0
        return palette

    # -- painting --------------------------------------------------------------------------------

    def read_tile(self, key: TileKey) -> Rgba | Unfinished | None:
        seen = self._seen(key)
        if seen is None:
            return None
        pixels = seen.painted(self._packed)
        return pixels if seen.is_whole else Unfinished(pixels)

    def _packed(self, values: Pixels) -> Packed:
        palette = self._palette
        if values.dtype.itemsize <= 2 and values.dtype.kind == "u":
            return palette.take(values)
        index = values.astype(np.int64)
        index[(index < 0) | (index >= _N_VALUES)] = _N_VALUES
        index[values == self.nothing] = _N_VALUES + 1
        return palette.take(index)


def _made_up(values: npt.NDArray[np.integer]) -> dict[int, DetectionClass]:
    colors = many_colors()
    return {
        value: DetectionClass(
            _("Class {number}").format(number=value), tuple(colors[value % N_COLORS].tolist())
        )
        for value in np.unique(values).tolist()
    }
