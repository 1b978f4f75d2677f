"""Annotations and other single objects as tiles: shapes with holes, lines, points."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers import paint
from pathoview.layers.feature_shapes import FeatureShapes, Lines
from pathoview.layers.paint import Color
from pathoview.layers.source import Rgba
from pathoview.layers.vector_levels import vector_pyramid

_POINT_RADIUS_PX = 4.0
_SPECK_PX = 1.5
"""What is smaller on a tile is a speck: nobody can tell its shape."""
_REACH_PX = 8.0
"""How far beyond its box a feature is drawn at most, px of a tile, its line aside."""


@dataclass(frozen=True, slots=True)
class FeatureStyle:
    """How annotations look. Each has its own colour, or that of its class."""

    color: Color = (255, 60, 60)
    """Of those with neither."""
    line_width_px: float = 2.0
    fill_opacity: float = 0.0
    """0: outlines only."""


class FeatureSource:
    """A list of features that grows. Thread-safe."""

    changed = Signal(object)

    def __init__(self, width_l0: float, height_l0: float, features: Iterable[Feature] = ()) -> None:
        self.pyramid = vector_pyramid(width_l0, height_l0)
        self._lock = threading.Lock()
        self._chunks: tuple[FeatureShapes, ...] = ()
        self._n = self._n_added = 0
        self._classes: tuple[DetectionClass, ...] = ()
        self._counts: Counter[int] = Counter()
        self._style = FeatureStyle()
        self._hidden: frozenset[str] = frozenset()
        self._style_version = 0
        self.add(features)

    # -- content ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._n

    @property
    def features(self) -> tuple[Feature, ...]:
        """All features, in the order in which they came."""
        return tuple(feature for chunk in self._chunks for feature in chunk.features)

    def feature(self, index: int) -> Feature:
        chunk = next(chunk for chunk in reversed(self._chunks) if chunk.start <= index)
        return chunk.features[index - chunk.start]

    @property
    def classes(self) -> tuple[DetectionClass, ...]:
        return self._classes

    def class_counts(self) -> Mapping[int, int]:
        """Return the number of features a class (index into `classes`; -1: unclassified)."""
        with self._lock:
            return dict(self._counts)

    def append(self, features: Iterable[Feature]) -> None:
        """Add features; costs as much as there are new ones."""
        rect_l0 = self.add(features)
        if rect_l0 is not None:
            self.changed.emit(rect_l0)

    def add(self, features: Iterable[Feature]) -> Rect | None:
        """Add features without a word; return what the caller has to emit with `changed`.

        For threads other than that of the listeners.
        """
        new = tuple(features)
        if not new:
            return None
        with self._lock:
            class_index = self._indexed(new)
            chunk = FeatureShapes(self._n_added, new, class_index)
            self._counts.update(class_index.tolist())
            self._chunks = (*self._chunks, chunk)
            self._n += len(new)
            self._n_added += len(new)
        coarsest = self.pyramid.levels[-1].downsample
        return chunk.extent_l0().expanded(self._reach_px() * coarsest)

    def _indexed(self, features: Sequence[Feature]) -> npt.NDArray[np.int64]:
        known = {entry.name: index for index, entry in enumerate(self._classes)}
        for feature in features:
            entry = feature.classification
            if entry is not None and entry.name not in known:
                known[entry.name] = len(known)
                self._classes = (*self._classes, entry)
        said = (feature.classification for feature in features)
        return np.array([-1 if entry is None else known[entry.name] for entry in said], np.int64)

    # -- what is pointed at ----------------------------------------------------------------------

    def pick(self, x_l0: float, y_l0: float, reach_l0: float = 0.0) -> int | None:
        """Return the index of the smallest feature at a place, of equal ones the last.

        Lines and points may be ``reach_l0`` away. Hidden ones are not picked.
        """
        best: tuple[float, int] | None = None
        for chunk in self._chunks:
            near = chunk.near(Rect(x_l0, y_l0, 0, 0).expanded(reach_l0))
            seen = near[self._is_seen(chunk)[near]]
            rows, areas = chunk.at(seen, x_l0, y_l0, reach_l0)
            for row, area in zip(rows.tolist(), areas.tolist(), strict=True):
                if best is None or area <= best[0]:
                    best = area, chunk.start + row
        return None if best is None else best[1]

    # -- style -----------------------------------------------------------------------------------

    @property
    def style(self) -> FeatureStyle:
        return self._style

    @style.setter
    def style(self, style: FeatureStyle) -> None:
        if style != self._style:
            self._style = style
            self._restyled()

    @property
    def hidden_classes(self) -> frozenset[str]:
        """Names of classes that are neither drawn nor picked; an empty name: unclassified."""
        return self._hidden

    @hidden_classes.setter
    def hidden_classes(self, names: frozenset[str]) -> None:
        if names != self._hidden:
            self._hidden = names
            self._restyled()

    def _restyled(self) -> None:
        self._style_version += 1
        self.changed.emit(None)

    @property
    def style_version(self) -> int:
        return self._style_version

    def _is_seen(self, chunk: FeatureShapes) -> npt.NDArray[np.bool_]:
        names = [*(entry.name for entry in self._classes), ""]  # -1 takes the last: unclassified
        shown = np.array([name not in self._hidden for name in names])
        return shown.take(chunk.class_index, mode="wrap") & chunk.is_there

    # -- painting --------------------------------------------------------------------------------

    def read_tile(self, key: TileKey) -> Rgba | None:
        tile_lv = self.pyramid.tile_lv(key)
        downsample = self.pyramid.levels[key.level].downsample
        around_l0 = tile_lv.expanded(self._reach_px()).scaled(downsample)
        style, canvas = self._style, paint.blank(tile_lv)
        is_empty = True
        for chunk in self._chunks:
            wanted = np.zeros(len(chunk.features), bool)
            wanted[chunk.near(around_l0)] = True
            wanted &= self._is_seen(chunk)
            if wanted.any():
                is_empty = False
                _Brush(canvas, tile_lv, downsample, style, self._classes).draw(chunk, wanted)
        return None if is_empty else canvas

    def _reach_px(self) -> float:
        return _REACH_PX + self._style.line_width_px


@dataclass(frozen=True, slots=True)
class _Brush:
    """Draws features on one tile: what is filled first, then lines, then points."""

    canvas: paint.Canvas
    tile_lv: Rect
    downsample: float
    style: FeatureStyle
    classes: tuple[DetectionClass, ...]

    def draw(self, chunk: FeatureShapes, wanted: npt.NDArray[np.bool_]) -> None:
        """Draw some features; tens of thousands that are all but points are drawn at once."""
        specks = wanted & chunk.is_speck(_SPECK_PX * self.downsample)
        if specks.any():
            self._specks(chunk, np.flatnonzero(specks))
            wanted = wanted & ~specks
        colors = {row: self._color(chunk, row) for row in np.flatnonzero(wanted).tolist()}
        rings, lines = chunk.rings.of(wanted), chunk.lines.of(wanted)
        if self.style.fill_opacity > 0:
            for polygon, row in self._polygons(rings):
                paint.fill_with_holes(self.canvas, polygon, colors[row], self.style.fill_opacity)
        self._outline(rings, colors, closed=True)
        self._outline(lines, colors, closed=False)
        places = np.flatnonzero(wanted[chunk.point_owner])
        centers = paint.to_canvas(chunk.points_l0[places], self.tile_lv, self.downsample)
        for center, row in zip(centers, chunk.point_owner[places].tolist(), strict=True):
            paint.draw_dot(self.canvas, center, colors[row], _POINT_RADIUS_PX)

    def _specks(self, chunk: FeatureShapes, rows: npt.NDArray[np.int64]) -> None:
        palette = np.array([*(one.color for one in self.classes), self.style.color], np.uint8)
        colors = palette[chunk.class_index[rows]]  # -1, unclassified, takes the last
        centers = chunk.centers_l0[rows] / self.downsample - (self.tile_lv.x, self.tile_lv.y)
        paint.draw_specks(self.canvas, centers, colors, max(2, round(self.style.line_width_px)))

    def _color(self, chunk: FeatureShapes, row: int) -> Color:
        own, index = chunk.features[row].color, int(chunk.class_index[row])
        return own or (self.classes[index].color if index >= 0 else self.style.color)

    def _cut(self, lines: Lines) -> list[paint.Ring]:
        points = paint.to_canvas(lines.points_l0, self.tile_lv, self.downsample)
        edges = lines.offsets.tolist()
        return [points[start:end] for start, end in pairwise(edges)]

    def _polygons(self, rings: Lines) -> Iterator[tuple[list[paint.Ring], int]]:
        """Yield each polygon, a shell and its holes, with the row of its feature."""
        cut = self._cut(rings)
        starts = np.flatnonzero(np.diff(rings.part, prepend=-1)).tolist()
        for start, end in zip(starts, [*starts[1:], len(cut)], strict=True):
            yield cut[start:end], int(rings.owner[start])

    def _outline(self, lines: Lines, colors: Mapping[int, Color], *, closed: bool) -> None:
        width = self.style.line_width_px
        groups: dict[Color, list[paint.Ring]] = {}
        for line, row in zip(self._cut(lines), lines.owner.tolist(), strict=True):
            groups.setdefault(colors[row], []).append(line)
        is_smooth = paint.can_be_smooth(len(lines.owner), width)
        for color, group in groups.items():
            paint.draw_outlines(
                self.canvas, group, color, width, closed=closed, is_smooth=is_smooth
            )
