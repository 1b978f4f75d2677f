"""Marks the chosen annotations over the picture: their outlines, or of very many their middles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from pathoview.annotations.feature import Feature
from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import Outline
from pathoview.ui import theme
from pathoview.ui.outline_path import outline_path, round_pen, stroke

_MOST_OUTLINED = 200
_MOST_MARKED = 3000
"""Of more in view, every so many-th is marked."""
_MANY_POINTS = 1000
_WIDTH = 4.0
_POINT = 6.0
_MARK = 3.0
_HALO = QColor(255, 255, 255)


class ChosenPainting:
    """Remembers what it needs of the features it was given last."""

    def __init__(self) -> None:
        self._features: tuple[Feature, ...] = ()
        self._outlines: list[tuple[Outline, ...]] = []
        self._places_l0: npt.NDArray[np.float64] = np.empty((0, 2))
        """(n, 2) points, and of very many features the middles of all."""
        self._is_long = False
        """Drawing takes longer than copying what was drawn."""
        self._drawn = QPixmap()
        self._look: object = None
        """How the slide lay when it was drawn."""

    def take(self, features: tuple[Feature, ...]) -> None:
        """Mark these from now on."""
        if features is self._features:
            return
        self._features, self._look = features, None
        shapes = np.array([feature.geometry for feature in features], object)
        if len(features) > _MOST_OUTLINED:
            bounds = shapely.bounds(shapes)
            self._outlines, self._places_l0 = [], (bounds[:, :2] + bounds[:, 2:]) / 2
        else:
            self._outlines = [outlines_of(shape) for shape in shapes]
            points = shapes[shapely.get_dimensions(shapes) == 0] if len(shapes) else shapes
            self._places_l0 = shapely.get_coordinates(points)
        n_points = sum(len(line.points_l0) for lines in self._outlines for line in lines)
        self._is_long = n_points > _MANY_POINTS

    def draw(self, painter: QPainter, to_view: Affine, visible_l0: Rect) -> None:
        """Draw the marks that are in view; the painter works in px of the view."""
        if not self._is_long:
            self._draw(painter, to_view, visible_l0)
            return
        ratio, size = painter.device().devicePixelRatio(), painter.viewport().size()
        look = (to_view, ratio, size.width(), size.height(), theme.current())
        if look != self._look:
            self._look, self._drawn = look, QPixmap(size * ratio)
            self._drawn.setDevicePixelRatio(ratio)
            self._drawn.fill(Qt.GlobalColor.transparent)
            with QPainter(self._drawn) as copy:
                copy.setRenderHint(QPainter.RenderHint.Antialiasing)
                self._draw(copy, to_view, visible_l0)
        painter.drawPixmap(0, 0, self._drawn)

    def _draw(self, painter: QPainter, to_view: Affine, visible_l0: Rect) -> None:
        accent = QColor(theme.current().accent)
        for outlines in self._outlines:
            path = outline_path(outlines, to_view, painter.viewport())
            stroke(painter, path, _HALO, _WIDTH)
            stroke(painter, path, accent, _WIDTH / 2)
        places = self._seen(to_view, visible_l0)
        if self._outlines or len(self._features) <= _MOST_OUTLINED:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(round_pen(accent, _WIDTH / 2))
            for place in places:
                painter.drawEllipse(place, _POINT, _POINT)
        else:
            painter.setPen(round_pen(accent, _MARK))
            painter.drawPoints(places)

    def _seen(self, to_view: Affine, visible_l0: Rect) -> list[QPointF]:
        x, y = self._places_l0.T
        inside = (x >= visible_l0.x) & (x <= visible_l0.right)
        seen = self._places_l0[inside & (y >= visible_l0.y) & (y <= visible_l0.bottom)]
        seen = seen[:: max(1, len(seen) // _MOST_MARKED)]
        return [QPointF(*place) for place in to_view.points(seen).tolist()]
