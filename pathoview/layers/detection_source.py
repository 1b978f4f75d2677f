"""Detections as tiles: sharp outlines near by, a map of dots from afar, nothing ever left out."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
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
from pathoview.layers.density import DOTS, Density, dot_image
from pathoview.layers.detection_index import Chunk, DetectionIndex, Rows
from pathoview.layers.outline_colors import OutlineStyle
from pathoview.layers.paint import Color
from pathoview.layers.source import Rgba
from pathoview.layers.vector_levels import vector_pyramid

_SMALLEST_SEEN_PX = 3.0
"""Where a typical object is smaller than that on its tile, dots are drawn instead of outlines."""
_SIZE_PER_LINE = 8.0
"""A typical object is at least that many line widths wide, so that it is no mere blob."""
_SELECTED_COLOR: Color = (255, 255, 255)
_N_COLORS = 256
_N_DOT_COLORS = 8
"""Colours of measurements in outlines and in dots."""
_AUTO_PERCENTILES = (1, 99)


class DetectionSource:
    """A table of detections that grows while a run goes on. Thread-safe."""

    changed = Signal(object)

    def __init__(
        self, width_l0: float, height_l0: float, style: OutlineStyle | None = None
    ) -> None:
        self.pyramid = vector_pyramid(width_l0, height_l0)
        self._style = style or OutlineStyle()
        self._style_version = 0
        self._lock = threading.RLock()
        self._selected: int | None = None
        self._reset()

    def _reset(self) -> None:
        self._index = DetectionIndex()
        self._classes: tuple[DetectionClass, ...] = ()
        self._counts = np.zeros(1, np.int64)
        self._whole: Detections | None = None
        self._typical_px = 0.0
        self._restyle()

    def _restyle(self) -> None:
        self._density: Density | None = None
        self._n_counted_chunks = 0
        self._auto_limits: tuple[float, float] | None = None
        self._n_at_limits = 0

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
    def classes(self) -> tuple[DetectionClass, ...]:
        return self._classes

    @property
    def measurement_names(self) -> tuple[str, ...]:
        chunks = self._index.chunks
        return tuple(dict.fromkeys(name for chunk in chunks for name in chunk.table.measurements))

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
        with self._lock:
            chunk = self._index.append(self._with_our_classes(table))
            self._whole = None
            self._typical_px = self._typical_with(chunk)
            self._counts += np.bincount(chunk.table.class_index + 1, minlength=len(self._counts))
            if self._n_at_limits and len(self._index) >= 2 * self._n_at_limits:
                self._auto_limits = None
                self._style_version += 1
            return table.extent_l0().expanded(self._margin_l0())

    def set(self, table: Detections) -> None:
        """Replace all rows."""
        with self._lock:
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
        with self._lock:
            tables = [chunk.table for chunk in self._index.chunks]
            stays = [~np.isin(_keys(table.ids), _keys(ids)) for table in tables]
            n_dropped = len(self) - sum(int(mask.sum()) for mask in stays)
            if n_dropped:
                chosen = None if self._selected is None else self.row(self._selected).ids[0]
                self._reset()
                for table, mask in zip(tables, stays, strict=True):
                    self.add(table.take(mask))
                self._selected = None if chosen is None else self._find(chosen)
            return n_dropped

    def ids_not_in(self, ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the ids of our rows that are not among ``ids``, (n, 16)."""
        with self._lock:
            ours = [chunk.table.ids for chunk in self._index.chunks]
        return np.concatenate(
            [np.empty((0, 16), np.uint8)]
            + [table[~np.isin(_keys(table), _keys(ids))] for table in ours]
        )

    def _find(self, id_bytes: npt.NDArray[np.uint8]) -> int | None:
        for chunk in self._index.chunks:
            rows = np.flatnonzero((chunk.table.ids == id_bytes).all(axis=1))
            if len(rows):
                return chunk.start + int(rows[0])
        return None

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
        """Return the row of the smallest outline that holds a point."""
        with self._lock:
            near = self._index.near(Rect(x_l0, y_l0, 0, 0))
        best: tuple[float, int] | None = None
        for chunk, rows in near:
            for row in rows.tolist():
                ring = chunk.table.ring_l0(row) - (x_l0, y_l0)
                if _holds_origin(ring):
                    best = min(best or (math.inf, 0), (ring_area(ring), chunk.start + row))
        return None if best is None else best[1]

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
                values = self.column(self._style.measurement)
                values = values[np.isfinite(values)]
                ends = np.percentile(values, _AUTO_PERCENTILES) if len(values) else (0, 1)
                self._auto_limits = float(ends[0]), float(ends[1])
                self._n_at_limits = len(self)
            return self._auto_limits

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
        if not near:
            return None
        canvas = paint.blank(tile_lv)
        self._draw_groups(canvas, near, tile_lv, downsample)
        self._draw_selected(canvas, tile_lv, downsample)
        return canvas

    def _draw_groups(
        self,
        canvas: paint.Canvas,
        near: list[tuple[Chunk, Rows]],
        tile_lv: Rect,
        downsample: float,
    ) -> None:
        style = self._style
        palette = colors.palette(style, self._classes, _N_COLORS)
        groups: dict[int, list[paint.Ring]] = {}
        for chunk, rows in near:
            indices = self._color_index(chunk.table, _N_COLORS)[rows]
            rings = paint.rings_of(chunk.table.take(rows), tile_lv, downsample)
            for color, ring in zip(indices.tolist(), rings, strict=True):
                groups.setdefault(color, []).append(ring)
        if style.fill_opacity > 0:
            for color, group in groups.items():
                paint.fill_rings(canvas, group, palette[color], style.fill_opacity)
        for color, group in groups.items():
            paint.draw_outlines(canvas, group, palette[color], self._line_width_px(downsample))

    def _line_width_px(self, downsample: float) -> float:
        """Return the width of lines on a tile: small objects get thin ones."""
        widest = self._typical_px / downsample / _SIZE_PER_LINE
        return max(1.0, min(self._style.line_width_px, widest))

    def _draw_selected(self, canvas: paint.Canvas, tile_lv: Rect, downsample: float) -> None:
        with self._lock:
            if self._selected is None:
                return
            table = self.row(self._selected)
        ring = paint.rings_of(table, tile_lv, downsample)
        width = self._style.line_width_px
        paint.draw_outlines(canvas, ring, (0, 0, 0), width + 3)
        paint.draw_outlines(canvas, ring, _SELECTED_COLOR, width + 1)

    def _dots(self, tile_lv: Rect, downsample: float) -> Rgba | None:
        with self._lock:
            density = self._counted()
            counts = density.counts(tile_lv.scaled(downsample), DOTS * downsample)
            palette = colors.palette(self._style, self._classes, _N_DOT_COLORS)
        if not counts:
            return None
        object_px = self._typical_px / downsample
        return dot_image(counts, palette, object_px, (int(tile_lv.height), int(tile_lv.width)))

    def _counted(self) -> Density:
        """Return the counts of all objects; those that came since are added now."""
        density = self._density or Density(self.pyramid.width_l0, self.pyramid.height_l0)
        for chunk in self._index.chunks[self._n_counted_chunks :]:
            boxes = chunk.boxes_l0
            kinds = self._color_index(chunk.table, _N_DOT_COLORS)
            density.add((boxes[:, :2] + boxes[:, 2:]) / 2, kinds)
        self._density, self._n_counted_chunks = density, len(self._index.chunks)
        return density

    def _color_index(self, table: Detections, n_colors: int) -> colors.ColorIndex:
        needs_limits = self._style.mode == "measurement"
        limits = self.color_limits if needs_limits else (0.0, 1.0)
        return colors.color_index(self._style, table, limits, n_colors)

    def _margin_l0(self) -> float:
        """Return how far beyond its box an object is drawn at most, level-0 px."""
        return (self._style.line_width_px + 2) * max(self._typical_px / _SMALLEST_SEEN_PX, 1)


def _keys(ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.bytes_]:
    return np.ascontiguousarray(ids).view("V16").ravel()


def _holds_origin(ring: npt.NDArray[np.float64]) -> bool:
    """Whether a ring holds (0, 0): a ray to the right crosses it an odd number of times."""
    x, y = ring[:, 0], ring[:, 1]
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    crosses = (y > 0) != (next_y > 0)
    rise = np.where(crosses, next_y - y, 1.0)
    return bool((crosses & (x - y * (next_x - x) / rise > 0)).sum() % 2)


def ring_area(ring: npt.NDArray[np.float64]) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
