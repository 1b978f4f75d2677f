"""Outlines in level-0 px as Qt's paths and pens."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainterPath, QPen, QPolygonF

from pathoview.core.affine import Affine
from pathoview.session.tools.tool import Outline


def outline_path(outlines: Iterable[Outline], to_view: Affine) -> QPainterPath:
    """Return a path in px of the view."""
    path = QPainterPath()
    for outline in outlines:
        points = to_view.points(outline.points_l0)
        path.addPolygon(QPolygonF([QPointF(*point) for point in points.tolist()]))
        if outline.is_closed:
            path.closeSubpath()
    return path


def round_pen(color: QColor, width: float, *, dashed: bool = False) -> QPen:
    """Return a pen with round joins, px of the view."""
    pen = QPen(color, width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    if dashed:
        pen.setStyle(Qt.PenStyle.DashLine)
    return pen
