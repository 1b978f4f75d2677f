"""What the drawing tools show over the picture: half-drawn shapes, handles, the chosen ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from pathoview.annotations.change import Change
from pathoview.core.affine import Affine
from pathoview.session.session import Session
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import NOTHING, DrawingTool, Look, Outline, Preview
from pathoview.session.view import View
from pathoview.ui import canvas_painting as furniture
from pathoview.ui import theme
from pathoview.ui.chosen_painting import ChosenPainting
from pathoview.ui.links import Links
from pathoview.ui.outline_path import glaze, outline_path, round_pen, stroke

_WIDTH = 2.0
_HANDLE = 3.5
_KNOB = 5.0
_SHADE = QColor(88, 84, 92)
_FILL_OPACITY = 0.24
_MARGIN = 2 * _KNOB
_LONGEST_AFTERGLOW_MS = 1000


@dataclass(frozen=True)
class _Shown:
    """What of a tool is on screen."""

    is_busy: bool = False
    has_text: bool = False
    rect: QRectF = field(default_factory=QRectF)
    """Px of the view, around all of it."""

    @classmethod
    def of(cls, tool: DrawingTool, to_view: Affine) -> _Shown:
        preview = tool.preview
        parts = [outline.points_l0 for outline in preview.outlines]
        parts += [np.array(places) for places in (preview.handles_l0, preview.knobs_l0) if places]
        if preview.circle_l0 is not None:
            x, y, radius = preview.circle_l0
            parts.append(np.array([(x - radius, y - radius), (x + radius, y + radius)]))
            parts.append(np.array([(x - radius, y + radius), (x + radius, y - radius)]))
        if not parts:
            return cls(tool.is_busy)
        places = to_view.points(np.concatenate(parts))
        (left, top), (right, bottom) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
        rect = QRectF(left, top, right - left, bottom - top)
        rect.adjust(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)
        return cls(tool.is_busy, bool(preview.text), rect)


class DrawingPainting(QObject):
    """Draws what the tool in hand shows, and marks the chosen annotations."""

    def __init__(self, canvas: QWidget, session: Session, view: View) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._session = session
        self._view = view
        self._tool: DrawingTool | None = None
        self._tool_links = Links()
        self._shown = _Shown()
        self._chosen = ChosenPainting()
        self._afterglow: tuple[Outline, ...] = ()
        """What was drawn last, until the picture has it."""
        self._glow_timer = QTimer(self, singleShot=True, interval=_LONGEST_AFTERGLOW_MS)
        self._glow_timer.timeout.connect(self._end_afterglow)
        self._links = Links()
        link = self._links.add
        link(session.tool_changed, self._on_tool_changed)
        link(session.annotations.changed, self._on_annotations_changed)
        link(session.annotations.selection_changed, self._canvas.update)
        link(session.annotations.class_changed, self._canvas.update)
        link(view.compositor.changed, self._on_picture_changed)
        self._on_tool_changed()

    def leave(self) -> None:
        """Listen to the session and the tool in hand no more."""
        self._links.cut()
        self._tool_links.cut()

    def _on_tool_changed(self) -> None:
        self._tool_links.cut()
        self._tool = self._session.toolbox.drawing
        if self._tool is not None:
            self._tool_links.add(self._tool.changed, self._on_preview_changed)
        self._canvas.update()

    def _on_preview_changed(self) -> None:
        """Have painted what differs from before: that of a stroke is small, the canvas large."""
        tool = self._tool
        if tool is None:
            return
        before, self._shown = self._shown, _Shown.of(tool, self._view.viewport.affine)
        if self._shown.is_busy != before.is_busy or self._shown.has_text or before.has_text:
            self._canvas.update()
        else:
            self._canvas.update(self._shown.rect.united(before.rect).toAlignedRect())

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
        self._chosen.take(self._session.annotations.selected)
        self._chosen.draw(painter, to_view, self._view.viewport.visible_l0)
        color = self._color(preview)
        self._draw_outlines(painter, self._afterglow, color, to_view)
        self._draw_outlines(painter, preview.outlines, color, to_view)
        self._draw_at_rest(painter, to_view)
        self._draw_handles(painter, preview, to_view)
        self._draw_brush(painter, preview, color)
        painter.restore()
        place = preview.text_l0
        if place is None and preview.outlines:
            place = preview.outlines[-1].points_l0[-1]
        if preview.text and place is not None:
            at = QPointF(*to_view.point(*place)) + QPointF(12, 12)
            furniture.draw_chip(painter, preview.text, at)

    def _draw_at_rest(self, painter: QPainter, to_view: Affine) -> None:
        if self._tool is None or self._tool.is_busy:
            return
        rest = self._tool.at_rest(Look(to_view, self._view.viewport.visible_l0))
        for outline in rest.outlines:
            path = outline_path([outline], to_view)
            stroke(painter, path, _SHADE, _WIDTH + 1)
            stroke(painter, path, QColor(255, 255, 255), 1, dashed=outline.is_dashed)
        self._draw_handles(painter, rest, to_view)

    def _color(self, preview: Preview) -> QColor:
        chosen = self._session.annotations.drawing_class
        if preview.color is not None:
            return QColor(*preview.color)
        return QColor(*chosen.color) if chosen is not None else QColor(theme.current().accent)

    @staticmethod
    def _draw_outlines(
        painter: QPainter, outlines: Iterable[Outline], color: QColor, to_view: Affine
    ) -> None:
        filled = [one for one in outlines if one.is_filled]
        if filled:
            glaze(painter, outline_path(filled, to_view), color, _FILL_OPACITY)
        for outline in outlines:
            path = outline_path([outline], to_view, painter.viewport())
            if outline.is_dashed:  # it must be seen on any ground
                stroke(painter, path, _SHADE, _WIDTH + 1)
            stroke(painter, path, color, _WIDTH, dashed=outline.is_dashed)

    @staticmethod
    def _draw_handles(painter: QPainter, preview: Preview, to_view: Affine) -> None:
        painter.setPen(round_pen(QColor(theme.current().accent), 1.5))
        painter.setBrush(QColor(255, 255, 255))
        for x, y in preview.handles_l0:
            at = QPointF(*to_view.point(x, y))
            painter.drawRect(QRectF(at.x() - _HANDLE, at.y() - _HANDLE, 2 * _HANDLE, 2 * _HANDLE))
        for x, y in preview.knobs_l0:
            painter.drawEllipse(QPointF(*to_view.point(x, y)), _KNOB, _KNOB)

    def _draw_brush(self, painter: QPainter, preview: Preview, color: QColor) -> None:
        if preview.circle_l0 is None:
            return
        x, y, radius = preview.circle_l0
        at = QPointF(*self._view.viewport.affine.point(x, y))
        radius_view = radius * self._view.viewport.scale
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(round_pen(_SHADE, 3))
        painter.drawEllipse(at, radius_view, radius_view)
        painter.setPen(round_pen(color, 1.5))
        painter.drawEllipse(at, radius_view, radius_view)
