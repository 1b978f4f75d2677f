"""Outlines in level-0 px as Qt's paths and pens.

Nothing is drawn in translucent colours: Qt hands those to threads of its own and waits for them,
and on a busy computer a frame then takes five times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import shapely
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from pathoview.core.affine import Affine
from pathoview.session.tools.tool import Outline, Points

_LONG = 200
"""Outlines of more points are drawn with as few as the screen can show."""
_TOLERANCE_VIEW = 0.6
_MARGIN_VIEW = 12
"""So far beyond the edge lines are drawn: their ends are not seen."""


def outline_path(
    outlines: Iterable[Outline], to_view: Affine, seen: QRect | None = None
) -> QPainterPath:
    """Return a path in px of the view.

    ``seen``: the part of the view that is drawn; lines beyond it are left out, so that the path can
    be stroked, but not filled.
    """
    path = QPainterPath()
    for outline in outlines:
        points = to_view.points(outline.points_l0)
        if len(points) > _LONG:
            for line in _shortened(points, outline.is_closed, seen):
                path.addPolygon(_polygon(line))
        else:
            path.addPolygon(_polygon(points))
            if outline.is_closed:
                path.closeSubpath()
    return path


def _shortened(points: Points, is_closed: bool, seen: QRect | None) -> Iterator[Points]:
    line = shapely.linestrings(np.concatenate([points, points[:1]]) if is_closed else points)
    if seen is not None:
        around = seen.adjusted(-_MARGIN_VIEW, -_MARGIN_VIEW, _MARGIN_VIEW, _MARGIN_VIEW)
        left, top, right, bottom = around.left(), around.top(), around.right(), around.bottom()
        line = shapely.clip_by_rect(line, left, top, right, bottom)
    short = shapely.simplify(line, _TOLERANCE_VIEW, preserve_topology=False)
    return (shapely.get_coordinates(part) for part in shapely.get_parts(short))


def _polygon(points: Points) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def stroke(
    painter: QPainter, path: QPainterPath, color: QColor, width: float, *, dashed: bool = False
) -> None:
    """Draw along a path; Qt takes several times as long for the round joins of a long one."""
    pen = round_pen(color, width, dashed=dashed)
    if path.elementCount() > _LONG:
        pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)
    painter.strokePath(path, pen)


def glaze(painter: QPainter, path: QPainterPath, color: QColor, opacity: float) -> None:
    """Lay a colour over what a path encloses; the painter works in px of the view."""
    part = path.boundingRect().toAlignedRect().intersected(painter.viewport())
    if part.isEmpty():
        return
    ratio = painter.device().devicePixelRatio()
    glass = QPixmap(part.size() * ratio)
    glass.setDevicePixelRatio(ratio)
    glass.fill(Qt.GlobalColor.transparent)
    with QPainter(glass) as copy:
        copy.setRenderHint(QPainter.RenderHint.Antialiasing)
        copy.translate(-part.topLeft())
        copy.fillPath(path, color)
    painter.setOpacity(opacity)
    painter.drawPixmap(part.topLeft(), glass)
    painter.setOpacity(1.0)


def round_pen(color: QColor, width: float, *, dashed: bool = False) -> QPen:
    """Return a pen with round joins, px of the view."""
    pen = QPen(color, width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    if dashed:
        pen.setStyle(Qt.PenStyle.DashLine)
    return pen
