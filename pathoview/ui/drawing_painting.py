"""What the drawing tools show over the picture: half-drawn shapes, handles, the chosen ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.core.affine import Affine
from pathoview.session.session import Session
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import NOTHING, DrawingTool, Outline, Preview
from pathoview.session.view import View
from pathoview.ui import canvas_painting as furniture
from pathoview.ui import theme
from pathoview.ui.links import Links

_WIDTH = 2.0
_CHOSEN_WIDTH = 4.0
_HANDLE = 4.0
_POINT = 6.0
_FILL_ALPHA = 60
_MOST_CHOSEN = 200
"""Of more that are chosen, only boxes are marked."""
_LONGEST_AFTERGLOW_MS = 1000


class DrawingPainting(QObject):
    """Draws what the tool in hand shows, and marks the chosen annotations."""

    def __init__(self, canvas: QWidget, session: Session, view: View) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._session = session
        self._view = view
        self._tool: DrawingTool | None = None
        self._afterglow: tuple[Outline, ...] = ()
        """What was drawn last, until the picture has it."""
        self._glow_timer = QTimer(self, singleShot=True, interval=_LONGEST_AFTERGLOW_MS)
        self._glow_timer.timeout.connect(self._end_afterglow)
        self.links = Links()
        link = self.links.add
        link(session.tool_changed, self._on_tool_changed)
        link(session.annotations.changed, self._on_annotations_changed)
        link(session.annotations.selection_changed, self._canvas.update)
        link(session.annotations.class_changed, self._canvas.update)
        link(view.compositor.changed, self._on_picture_changed)
        self._on_tool_changed()

    def _on_tool_changed(self) -> None:
        if self._tool is not None:
            self._tool.changed.disconnect(self._on_preview_changed, missing_ok=True)
        self._tool = self._session.toolbox.drawing
        if self._tool is not None:
            self._tool.changed.connect(self._on_preview_changed)
        self._canvas.update()

    def _on_preview_changed(self) -> None:
        self._canvas.update()

    def _on_annotations_changed(self, change: Change | None) -> None:
        """Go on showing what was drawn until its tiles are there."""
        self._afterglow = ()
        if change is not None and len(change.after) == 1:
            self._afterglow = outlines_of(change.after[0].geometry)
            self._glow_timer.start()
        self._canvas.update()

    def _on_picture_changed(self) -> None:
        if self._afterglow and self._view.is_idle and self._session.annotations.is_drawn:
            self._end_afterglow()

    def _end_afterglow(self) -> None:
        self._afterglow = ()
        self._canvas.update()

    # -- painting --------------------------------------------------------------------------------

    def draw(self, painter: QPainter) -> None:
        """Draw over the picture; the painter works in px of the view."""
        if self._session.slide is None:
            return
        to_view = self._view.viewport.affine
        preview = NOTHING if self._tool is None else self._tool.preview
        painter.save()
        self._draw_chosen(painter, to_view)
        color = self._color(preview)
        self._draw_outlines(painter, self._afterglow, color, to_view)
        self._draw_outlines(painter, preview.outlines, color, to_view)
        self._draw_handles(painter, preview.handles_l0, to_view)
        self._draw_brush(painter, preview, color)
        painter.restore()
        if preview.text and preview.outlines:
            last = preview.outlines[-1].points_l0[-1]
            at = QPointF(*to_view.point(*last)) + QPointF(12, 12)
            furniture.draw_chip(painter, preview.text, at)

    def _color(self, preview: Preview) -> QColor:
        chosen = self._session.annotations.drawing_class
        if preview.color is not None:
            return QColor(*preview.color)
        return QColor(*chosen.color) if chosen is not None else QColor(theme.current().accent)

    def _draw_chosen(self, painter: QPainter, to_view: Affine) -> None:
        chosen = self._session.annotations.selected
        if not chosen:
            return
        accent = QColor(theme.current().accent)
        painter.setPen(_pen(accent, _CHOSEN_WIDTH / 2, dashed=False))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if len(chosen) > _MOST_CHOSEN:
            self._mark_boxes(painter, chosen, to_view)
            return
        for feature in chosen:
            path = _path(outlines_of(feature.geometry), to_view)
            painter.strokePath(path, _pen(QColor(255, 255, 255, 200), _CHOSEN_WIDTH, dashed=False))
            painter.strokePath(path, _pen(accent, _CHOSEN_WIDTH / 2, dashed=False))
            for x, y in _points(feature):
                painter.drawEllipse(QPointF(*to_view.point(x, y)), _POINT, _POINT)

    @staticmethod
    def _mark_boxes(painter: QPainter, chosen: Iterable[Feature], to_view: Affine) -> None:
        bounds = shapely.bounds(np.array([one.geometry for one in chosen], object))
        middles = (bounds[:, :2] + bounds[:, 2:]) / 2
        places = [QPointF(*to_view.point(x, y)) for x, y in middles[:20_000].tolist()]
        painter.setPen(_pen(QColor(theme.current().accent), 3, dashed=False))
        painter.drawPoints(places)

    @staticmethod
    def _draw_outlines(
        painter: QPainter, outlines: Iterable[Outline], color: QColor, to_view: Affine
    ) -> None:
        filled = [one for one in outlines if one.is_filled]
        if filled:
            inside = QColor(color)
            inside.setAlpha(_FILL_ALPHA)
            painter.fillPath(_path(filled, to_view), inside)
        for outline in outlines:
            pen = _pen(color, _WIDTH, dashed=outline.is_dashed)
            painter.strokePath(_path([outline], to_view), pen)

    @staticmethod
    def _draw_handles(
        painter: QPainter, handles_l0: Iterable[tuple[float, float]], to_view: Affine
    ) -> None:
        painter.setPen(_pen(QColor(theme.current().accent), 1.5, dashed=False))
        painter.setBrush(QColor(255, 255, 255))
        for x, y in handles_l0:
            at = QPointF(*to_view.point(x, y))
            painter.drawRect(QRectF(at.x() - _HANDLE, at.y() - _HANDLE, 2 * _HANDLE, 2 * _HANDLE))

    def _draw_brush(self, painter: QPainter, preview: Preview, color: QColor) -> None:
        if preview.circle_l0 is None:
            return
        x, y, radius = preview.circle_l0
        at = QPointF(*self._view.viewport.affine.point(x, y))
        radius_view = radius * self._view.viewport.scale
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_pen(QColor(0, 0, 0, 160), 3, dashed=False))
        painter.drawEllipse(at, radius_view, radius_view)
        painter.setPen(_pen(color, 1.5, dashed=False))
        painter.drawEllipse(at, radius_view, radius_view)


def _pen(color: QColor, width: float, *, dashed: bool) -> QPen:
    pen = QPen(color, width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    if dashed:
        pen.setStyle(Qt.PenStyle.DashLine)
    return pen


def _path(outlines: Iterable[Outline], to_view: Affine) -> QPainterPath:
    path = QPainterPath()
    for outline in outlines:
        view = to_view.points(outline.points_l0)
        polygon = QPolygonF([QPointF(*one) for one in view.tolist()])
        path.addPolygon(polygon)
        if outline.is_closed:
            path.closeSubpath()
    return path


def _points(feature: Feature) -> list[tuple[float, float]]:
    if shapely.get_dimensions(feature.geometry) != 0:
        return []
    return [(x, y) for x, y in shapely.get_coordinates(feature.geometry).tolist()]
