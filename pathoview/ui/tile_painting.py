"""The tile of a whole slide that is looked at: an outline that turns with the slide."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from pathoview.core.geometry import Rect
from pathoview.session.session import Session
from pathoview.session.viewport import Viewport
from pathoview.ui import theme

_HALO = QColor(12, 13, 15, 190)
_LEAST_VIEW = 6.0
"""A tile that is smaller on the screen is drawn that large, so that it is found."""


def draw_chosen_tile(painter: QPainter, session: Session, viewport: Viewport) -> None:
    """Draw the outline of the tile that is chosen, if one is."""
    seen = session.review.tiles.seen
    if seen is None:
        return
    plane, rect_l0 = seen
    if plane != session.plane:
        return
    least_l0 = _LEAST_VIEW / viewport.scale
    rect_l0 = rect_l0.expanded(max(0.0, (least_l0 - rect_l0.width) / 2))
    corners = QPolygonF([QPointF(*one) for one in _corners(rect_l0, viewport)])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((_HALO, 5), (QColor(theme.ACCENT), 2)):
        pen = QPen(color, width)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawPolygon(corners)


def _corners(rect: Rect, viewport: Viewport) -> list[tuple[float, float]]:
    corners = [(rect.x, rect.y), (rect.right, rect.y), (rect.right, rect.bottom)]
    points = np.array([*corners, (rect.x, rect.bottom)])
    return [(float(x), float(y)) for x, y in viewport.affine.points(points)]
