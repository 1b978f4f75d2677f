"""Detections as tiles: sharp outlines near by, a map of dots from afar, nothing ever left out."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import shapely
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
from pathoview.layers.detection_index import Chunk, DetectionIndex, Rows
from pathoview.layers.dot_counts import N_DOT_COLORS, DotCounts
from pathoview.layers.dots import dot_image
from pathoview.layers.outline_colors import Look, OutlineStyle
from pathoview.layers.outline_tile import draw_chosen, draw_objects
from pathoview.layers.paint import Color
from pathoview.layers.picking import rows_in, smallest_at
from pathoview.layers.source import Rgba
from pathoview.layers.vector_levels import vector_pyramid

_SMALLEST_SEEN_PX = 3.0
"""Where a typical object is smaller than that on its tile, dots are drawn instead of outlines."""
_SIZE_PER_LINE = 8.0
"""A typical object is at least that many line widths wide, so that it is no mere blob."""
_MANY = 200
"""Where more rows look different, all is drawn anew."""


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
        self._chosen: tuple[int, ...] = ()
        self._covered: frozenset[bytes] = frozenset()
        self._reset()

    def _reset(self) -> None:
        self._index = DetectionIndex()
        self._classes: tuple[DetectionClass, ...] = ()
        self._counts = np.zeros(1, np.int64)
        self._names: dict[str, None] = {}
        self._whole: Detections | None = None
        self._typical_px = 0.0
        self._dots = DotCounts(self.pyramid.width_l0, self.pyramid.height_l0)
        self._restyle()

    def _restyle(self) -> None:
        """Forget what the last style needed; tiles count anew when they are painted."""
        self._dots.restyle()
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

    def rows(self, indices: Sequence[int]) -> Detections:
        """Return some rows as a table, ascending."""
        with self._lock:
            return self._index.rows(np.array(indices, np.intp))

    def find(self, id_bytes: bytes) -> int | None:
        """Return the row with an id, of 16 bytes; None: there is none, or it is left out."""
        with self._lock:
            if id_bytes in self._covered:
                return None
            return self._index.find(np.frombuffer(id_bytes, np.uint8))

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
            chunk.cover(_ids_of(self._covered), on=True)
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
            self._chosen = ()
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
            chosen = None if self.selected is None else self.row(self.selected).ids[0]
            self._index = index
            index.cover(_ids_of(self._covered), on=True)
            self._whole = None
            self._counts = sum(
                (self._counted(chunk) for chunk in index.chunks), np.zeros_like(self._counts)
            )
            self._dots.forget()
            self._restyle()
            found = None if chosen is None else index.find(chosen)
            self._chosen = () if found is None else (found,)

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
        return smallest_at(self._seen_near(Rect(x_l0, y_l0, 0, 0)), x_l0, y_l0)

    def rows_in(self, shape: shapely.Geometry) -> tuple[int, ...]:
        """Return the rows that are seen and have their middle in an area, or cross a line."""
        return tuple(rows_in(self._seen_near(Rect.from_corners(*shape.bounds)), shape))

    def _seen_near(self, rect_l0: Rect) -> list[tuple[Chunk, Rows]]:
        near, look = self.seen_in(rect_l0)
        return [
            (chunk, rows[~look.is_hidden(chunk.table.class_index[rows])]) for chunk, rows in near
        ]

    @property
    def selected(self) -> int | None:
        """The row drawn highlighted; the first of several."""
        return self._chosen[0] if self._chosen else None

    @selected.setter
    def selected(self, index: int | None) -> None:
        self.choose(() if index is None else (index,))

    @property
    def chosen(self) -> tuple[int, ...]:
        """All rows drawn highlighted."""
        return self._chosen

    def choose(self, rows: Sequence[int]) -> None:
        """Highlight some rows and no others."""
        before, self._chosen = self._chosen, tuple(rows)
        self._tell(set(before) ^ set(self._chosen))

    def cover(self, ids: frozenset[bytes]) -> None:
        """Leave out the rows with these ids, of 16 bytes, that something else stands for.

        They are neither drawn nor picked, and count no more as chosen; all others are seen again.
        """
        if ids == self._covered:
            return
        with self._lock:
            gone, come = self._covered - ids, ids - self._covered
            self._covered = ids
            marked = self._index.cover(_ids_of(gone), on=False)
            marked += self._index.cover(_ids_of(come), on=True)
            rows = {chunk.start + row for chunk, own in marked for row in own.tolist()}
            if rows.intersection(self._chosen):
                self._chosen = ()
            if rows:
                self._dots.forget()
        self._tell(rows)

    def _tell(self, rows: Collection[int]) -> None:
        """Have some rows drawn anew."""
        if len(rows) > _MANY:
            self.changed.emit(None)
            return
        for row in rows:
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
            self._dots.restyle()
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
            return self._dots_on(tile_lv, downsample)
        margin = self._style.line_width_px + 2
        with self._lock:
            near = self._index.near(tile_lv.expanded(margin).scaled(downsample))
            look = self._look()
        if not near:
            return None
        canvas = paint.blank(tile_lv)
        width = self._line_width_px(look.style, downsample)
        draw_objects(canvas, near, look, tile_lv, downsample, width)
        draw_chosen(canvas, near, self._chosen, look, tile_lv, downsample)
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

    def _dots_on(self, tile_lv: Rect, downsample: float) -> Rgba | None:
        with self._lock:
            look, chunks = self._look(), tuple(self._index.chunks)
            object_px = self._typical_px / downsample
        # Counting a million objects takes a while, and nobody may wait for our lock so long.
        counts = self._dots.counts(chunks, look, tile_lv.scaled(downsample), downsample)
        if not counts:
            return None
        shape = int(tile_lv.height), int(tile_lv.width)
        return dot_image(counts, look.palette(N_DOT_COLORS), object_px, shape)

    def _margin_l0(self) -> float:
        """Return how far beyond its box an object is drawn at most, level-0 px."""
        return (self._style.line_width_px + 2) * max(self._typical_px / _SMALLEST_SEEN_PX, 1)


def _ids_of(keys: Collection[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16)
