"""Detections as tiles: sharp outlines near by, a map of dots from afar, nothing ever left out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.annotations.detections import (
    DetectionClass,
    Detections,
    concatenate,
    empty_detections,
)
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers import outline_colors as colors
from pathoview.layers import paint
from pathoview.layers.density import DensityCounter, Kinds
from pathoview.layers.detection_index import Chunk, DetectionIndex, Rows
from pathoview.layers.dots import DOTS, dot_image
from pathoview.layers.outline_colors import Look, OutlineStyle
from pathoview.layers.outline_tile import draw_objects
from pathoview.layers.paint import Color
from pathoview.layers.picking import smallest_at
from pathoview.layers.source import Rgba
from pathoview.layers.vector_levels import vector_pyramid

_SMALLEST_SEEN_PX = 3.0
"""Where a typical object is smaller than that on its tile, dots are drawn instead of outlines."""
_SIZE_PER_LINE = 8.0
"""A typical object is at least that many line widths wide, so that it is no mere blob."""
_SELECTED_COLOR: Color = (255, 255, 255)
_N_DOT_COLORS = 8
"""Colours of measurements in dots."""


class DetectionSource:
    """A table of detections that grows while a run goes on. Thread-safe."""

    changed = Signal(object)

    def __init__(
        self, width_l0: float, height_l0: float, style: OutlineStyle | None = None
    ) -> None:
        self.pyramid = vector_pyramid(width_l0, height_l0)
        self._style = style or OutlineStyle()
        self._hidden: frozenset[str] = frozenset()
        self._style_version = 0
        self._writing = threading.RLock()
        """Held by those who change rows, before and much longer than the other."""
        self._lock = threading.RLock()
        self._selected: int | None = None
        self._reset()

    def _reset(self) -> None:
        self._index = DetectionIndex()
        self._classes: tuple[DetectionClass, ...] = ()
        self._counts = np.zeros(1, np.int64)
        self._names: dict[str, None] = {}
        self._whole: Detections | None = None
        self._typical_px = 0.0
        self._by_class = self._counter(_class_of)
        self._restyle()

    def _restyle(self) -> None:
        """Forget what the last style needed; tiles count anew when they are painted."""
        self._by_value: DensityCounter | None = None
        self._auto_limits: tuple[float, float] | None = None
        self._n_at_limits = 0

    def _counter(self, kinds_of: Callable[[Chunk], Kinds]) -> DensityCounter:
        return DensityCounter(self.pyramid.width_l0, self.pyramid.height_l0, kinds_of)

    # -- content ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._index)

    @property
    def detections(self) -> Detections:
        """All rows, in the order in which they came."""
        with self._lock:
            if self._whole is None:
                self._whole = concatenate([chunk.table for chunk in self._index.chunks])
            return self._whole

    @property
    def tables(self) -> tuple[Detections, ...]:
        """All rows in the tables in which they came; these are never altered."""
        with self._lock:
            return tuple(chunk.table for chunk in self._index.chunks)

    @property
    def classes(self) -> tuple[DetectionClass, ...]:
        return self._classes

    @property
    def measurement_names(self) -> tuple[str, ...]:
        return tuple(self._names)

    def column(self, name: str) -> npt.NDArray[np.float32]:
        """Return one measurement of all rows, NaN where unknown."""
        with self._lock:
            columns = [colors.column_of(chunk.table, name) for chunk in self._index.chunks]
        return np.concatenate(columns) if columns else np.empty(0, np.float32)

    def class_counts(self) -> Mapping[int, int]:
        """Return the number of rows a class (index into `classes`; -1: unclassified)."""
        with self._lock:
            return {index - 1: int(n) for index, n in enumerate(self._counts) if n}

    def row(self, index: int) -> Detections:
        """Return one row as a table."""
        with self._lock:
            chunk, row = self._index.locate(index)
        return chunk.table.take(np.array([row]))

    def append(self, table: Detections) -> None:
        """Add rows; costs as much as there are new ones."""
        rect_l0 = self.add(table)
        if rect_l0 is not None:
            self.changed.emit(rect_l0)

    def add(self, table: Detections) -> Rect | None:
        """Add rows without a word; return what the caller has to emit with `changed`.

        For threads other than that of the listeners.
        """
        if not len(table):
            return None
        with self._writing, self._lock:
            chunk = self._index.append(self._with_our_classes(table))
            self._whole = None
            self._names |= dict.fromkeys(table.measurements)
            self._typical_px = self._typical_with(chunk)
            self._counts += self._counted(chunk)
            if self._n_at_limits and len(self._index) >= 2 * self._n_at_limits:
                self._restyle()
                self._style_version += 1
        return table.extent_l0().expanded(self._margin_l0())

    def set(self, table: Detections) -> None:
        """Replace all rows."""
        with self._writing, self._lock:
            self._reset()
            self._selected = None
            self.add(table)
        self.changed.emit(None)

    def clear(self) -> None:
        self.set(empty_detections())

    def drop(self, ids: npt.NDArray[np.uint8]) -> int:
        """Remove rows by id, (n, 16); return how many there were."""
        n_dropped = self.remove(ids)
        if n_dropped:
            self.changed.emit(None)
        return n_dropped

    def remove(self, ids: npt.NDArray[np.uint8]) -> int:
        """Remove rows without a word; the caller emits `changed` with None."""
        with self._writing:
            index = self._index.without(ids)  # painting goes on with the old one meanwhile
            n_dropped = len(self) - len(index)
            if n_dropped:
                self._take_index(index)
            return n_dropped

    def _take_index(self, index: DetectionIndex) -> None:
        with self._lock:
            chosen = None if self._selected is None else self.row(self._selected).ids[0]
            self._index = index
            self._whole = None
            self._counts = sum(
                (self._counted(chunk) for chunk in index.chunks), np.zeros_like(self._counts)
            )
            self._by_class = self._counter(_class_of)
            self._restyle()
            self._selected = None if chosen is None else index.find(chosen)

    def _counted(self, chunk: Chunk) -> npt.NDArray[np.int64]:
        return np.bincount(chunk.table.class_index + 1, minlength=len(self._counts))

    def _with_our_classes(self, table: Detections) -> Detections:
        known = {entry.name: index for index, entry in enumerate(self._classes)}
        for entry in table.classes:
            if entry.name not in known:
                known[entry.name] = len(self._classes)
                self._classes = (*self._classes, entry)
                self._counts = np.append(self._counts, 0)
        lookup = np.array([known[entry.name] for entry in table.classes] + [-1], np.int16)
        return replace(table, classes=self._classes, class_index=lookup[table.class_index])

    def _typical_with(self, chunk: Chunk) -> float:
        """Return the typical size of an object, level-0 px, now that a chunk has come."""
        boxes = chunk.boxes_l0
        size = float(np.median(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])))
        share = len(boxes) / len(self._index)
        return self._typical_px + (size - self._typical_px) * share

    # -- what is pointed at ----------------------------------------------------------------------

    def pick(self, x_l0: float, y_l0: float) -> int | None:
        """Return the row of the smallest outline that holds a point and is seen."""
        with self._lock:
            near = self._index.near(Rect(x_l0, y_l0, 0, 0))
            look = self._look()
        seen = (
            (chunk, rows[~look.is_hidden(chunk.table.class_index[rows])]) for chunk, rows in near
        )
        return smallest_at(seen, x_l0, y_l0)

    @property
    def selected(self) -> int | None:
        """The row drawn highlighted."""
        return self._selected

    @selected.setter
    def selected(self, index: int | None) -> None:
        if index == self._selected:
            return
        before, self._selected = self._selected, index
        for row in (before, index):
            if row is not None:
                self.changed.emit(self.row(row).extent_l0().expanded(self._margin_l0()))

    # -- style -----------------------------------------------------------------------------------

    @property
    def style(self) -> OutlineStyle:
        return self._style

    @style.setter
    def style(self, style: OutlineStyle) -> None:
        if style == self._style:
            return
        with self._lock:
            self._style = style
            self._style_version += 1
            self._restyle()
        self.changed.emit(None)

    @property
    def hidden_classes(self) -> frozenset[str]:
        """Names of classes that are neither drawn nor picked; an empty name: unclassified."""
        return self._hidden

    @hidden_classes.setter
    def hidden_classes(self, names: frozenset[str]) -> None:
        if names == self._hidden:
            return
        with self._lock:
            self._hidden = names
            self._style_version += 1
            self._by_value = None
        self.changed.emit(None)

    @property
    def style_version(self) -> int:
        return self._style_version

    def recolor_class(self, name: str, color: Color) -> None:
        """Give a class another colour on the screen."""
        with self._lock:
            self._classes = tuple(
                DetectionClass(name, color) if entry.name == name else entry
                for entry in self._classes
            )
            self._style_version += 1
        self.changed.emit(None)

    @property
    def color_limits(self) -> tuple[float, float]:
        """The values at both ends of the colours of a measurement."""
        if self._style.limits is not None:
            return self._style.limits
        with self._lock:
            if self._auto_limits is None:
                tables = [chunk.table for chunk in self._index.chunks]
                self._auto_limits = colors.limits_of(tables, self._style.measurement)
                self._n_at_limits = len(self)
            return self._auto_limits

    def _look(self) -> Look:
        needs_limits = self._style.mode == "measurement"
        limits = self.color_limits if needs_limits else (0.0, 1.0)
        return Look(self._style, self._classes, self._hidden, limits)

    # -- painting --------------------------------------------------------------------------------

    def read_tile(self, key: TileKey) -> Rgba | None:
        tile_lv = self.pyramid.tile_lv(key)
        downsample = self.pyramid.levels[key.level].downsample
        with self._lock:
            is_near = self._typical_px >= _SMALLEST_SEEN_PX * downsample
        if not is_near:
            return self._dots(tile_lv, downsample)
        margin = self._style.line_width_px + 2
        with self._lock:
            near = self._index.near(tile_lv.expanded(margin).scaled(downsample))
            look = self._look()
        if not near:
            return None
        canvas = paint.blank(tile_lv)
        width = self._line_width_px(look.style, downsample)
        draw_objects(canvas, near, look, tile_lv, downsample, width)
        self._draw_selected(canvas, look, tile_lv, downsample)
        return canvas

    def seen_in(
        self, rect_l0: Rect, downsample: float = 1.0
    ) -> tuple[list[tuple[Chunk, Rows]], Look]:
        """Return the rows whose boxes touch a place, and how outlines of them look."""
        with self._lock:
            near, look = self._index.near(rect_l0), self._look()
        width = self._line_width_px(look.style, downsample)
        return near, replace(look, style=replace(look.style, line_width_px=width))

    def _line_width_px(self, style: OutlineStyle, downsample: float) -> float:
        """Return the width of lines on a tile: small objects get thin ones."""
        widest = self._typical_px / downsample / _SIZE_PER_LINE
        return max(1.0, min(style.line_width_px, widest))

    def _draw_selected(
        self, canvas: paint.Canvas, look: Look, tile_lv: Rect, downsample: float
    ) -> None:
        with self._lock:
            if self._selected is None:
                return
            table = self.row(self._selected)
        if look.is_hidden(table.class_index).any():
            return
        ring = paint.canvas_points(table.points, tile_lv, downsample)
        width = look.style.line_width_px
        paint.draw_outlines(canvas, [ring], (0, 0, 0), width + 3)
        paint.draw_outlines(canvas, [ring], _SELECTED_COLOR, width + 1)

    def _dots(self, tile_lv: Rect, downsample: float) -> Rgba | None:
        with self._lock:
            look, chunks = self._look(), tuple(self._index.chunks)
            counter, object_px = self._counter_for(look), self._typical_px / downsample
        # Counting a million objects takes a while, and nobody may wait for our lock so long.
        counts = counter.counts(chunks, tile_lv.scaled(downsample), DOTS * downsample)
        if look.style.mode != "measurement":
            seen = [kind for kind in counts if not look.is_hidden(np.array([kind]))[0]]
            counts = {kind: counts[kind] for kind in seen}
        if not counts:
            return None
        shape = int(tile_lv.height), int(tile_lv.width)
        return dot_image(counts, look.palette(_N_DOT_COLORS), object_px, shape)

    def _counter_for(self, look: Look) -> DensityCounter:
        """Return what counts by class, hidden ones too; or by the steps of a measurement."""
        if look.style.mode != "measurement":
            return self._by_class
        if self._by_value is None:
            self._by_value = self._counter(lambda chunk: look.kinds(chunk.table, _N_DOT_COLORS))
        return self._by_value

    def _margin_l0(self) -> float:
        """Return how far beyond its box an object is drawn at most, level-0 px."""
        return (self._style.line_width_px + 2) * max(self._typical_px / _SMALLEST_SEEN_PX, 1)


def _class_of(chunk: Chunk) -> Kinds:
    return chunk.table.class_index.astype(np.int64)
