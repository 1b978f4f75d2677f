"""Annotations and other single objects as tiles: shapes with holes, lines, points."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import shapely
from psygnal import Signal
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers import paint
from pathoview.layers.paint import Color
from pathoview.layers.source import Rgba
from pathoview.layers.vector_levels import vector_pyramid

_DEFAULT_COLOR: Color = (255, 60, 60)
_LINE_WIDTH_PX = 2.0
_POINT_RADIUS_PX = 4.0
_REACH_PX = 8.0
"""How far beyond its box a feature is drawn at most, px of a tile."""


class FeatureSource:
    """A list of features; it may grow. Thread-safe."""

    changed = Signal(object)

    def __init__(self, width_l0: float, height_l0: float, features: Iterable[Feature] = ()) -> None:
        self.pyramid = vector_pyramid(width_l0, height_l0)
        self._lock = threading.Lock()
        self._features: list[Feature] = list(features)
        self._tree: shapely.STRtree | None = None
        self._fill_opacity = 0.0
        self._style_version = 0

    def __len__(self) -> int:
        return len(self._features)

    @property
    def features(self) -> tuple[Feature, ...]:
        return tuple(self._features)

    def append(self, features: Iterable[Feature]) -> None:
        self.add(features)
        self.changed.emit(None)

    def add(self, features: Iterable[Feature]) -> None:
        """Add features without a word; the caller emits `changed` with None."""
        with self._lock:
            self._features.extend(features)
            self._tree = None

    @property
    def fill_opacity(self) -> float:
        """How opaque the inside of shapes is; 0: outlines only."""
        return self._fill_opacity

    @fill_opacity.setter
    def fill_opacity(self, opacity: float) -> None:
        if opacity != self._fill_opacity:
            self._fill_opacity = opacity
            self._style_version += 1
            self.changed.emit(None)

    @property
    def style_version(self) -> int:
        return self._style_version

    def read_tile(self, key: TileKey) -> Rgba | None:
        tile_lv = self.pyramid.tile_lv(key)
        downsample = self.pyramid.levels[key.level].downsample
        near = self._near(tile_lv.expanded(_REACH_PX).scaled(downsample))
        if not near:
            return None
        canvas = paint.blank(tile_lv)
        for feature in near:
            color = _color(feature)
            for part in _parts(feature):
                self._draw(canvas, part, color, tile_lv, downsample)
        return canvas

    def _near(self, rect_l0: Rect) -> list[Feature]:
        with self._lock:
            if self._tree is None:
                self._tree = shapely.STRtree([feature.geometry for feature in self._features])
            box = shapely.box(rect_l0.x, rect_l0.y, rect_l0.right, rect_l0.bottom)
            return [self._features[index] for index in sorted(self._tree.query(box).tolist())]

    def _draw(
        self,
        canvas: paint.Canvas,
        part: BaseGeometry,
        color: Color,
        tile_lv: Rect,
        downsample: float,
    ) -> None:
        if isinstance(part, Polygon):
            rings = [
                paint.to_canvas(_points(ring)[:-1], tile_lv, downsample)
                for ring in (part.exterior, *part.interiors)
            ]
            if self._fill_opacity > 0:
                paint.fill_with_holes(canvas, rings, color, self._fill_opacity)
            paint.draw_outlines(canvas, rings, color, _LINE_WIDTH_PX)
        elif isinstance(part, LineString):
            line = paint.to_canvas(_points(part), tile_lv, downsample)
            paint.draw_outlines(canvas, [line], color, _LINE_WIDTH_PX, closed=False)
        elif isinstance(part, Point):
            center = paint.to_canvas(_points(part), tile_lv, downsample)[0]
            paint.draw_dot(canvas, center, color, _POINT_RADIUS_PX)


def _points(part: BaseGeometry) -> npt.NDArray[np.float64]:
    return np.asarray(shapely.get_coordinates(part), np.float64)


def _parts(feature: Feature) -> Iterator[BaseGeometry]:
    for geometry in (feature.geometry, feature.nucleus):
        if geometry is not None:
            yield from (part for part in shapely.get_parts(geometry) if not part.is_empty)


def _color(feature: Feature) -> Color:
    if feature.color is not None:
        return feature.color
    return feature.classification.color if feature.classification else _DEFAULT_COLOR
