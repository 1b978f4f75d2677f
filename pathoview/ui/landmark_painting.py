"""Landmarks that were clicked to align a second slide: a numbered cross each."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QColor, QPainter, QPen

from pathoview.session.session import Session
from pathoview.session.viewport import Viewport
from pathoview.ui import theme

_ARM_VIEW = 9.0
_HALO = QColor(12, 13, 15, 190)


def draw_landmarks(painter: QPainter, session: Session, viewport: Viewport) -> None:
    """Draw those on the base slide; the same places are looked for on the second one."""
    for number, place_l0 in enumerate(session.toolbox.alignment.landmarks_l0, 1):
        x, y = viewport.to_view(*place_l0)
        for pen in (QPen(_HALO, 4), QPen(QColor(theme.ACCENT), 2)):
            painter.setPen(pen)
            painter.drawLine(QLineF(x - _ARM_VIEW, y, x + _ARM_VIEW, y))
            painter.drawLine(QLineF(x, y - _ARM_VIEW, x, y + _ARM_VIEW))
        _write(painter, str(number), QPointF(x + _ARM_VIEW / 2, y - _ARM_VIEW / 2))


def _write(painter: QPainter, text: str, place: QPointF) -> None:
    """Write a number with a dark shadow."""
    painter.setPen(_HALO)
    painter.drawText(place + QPointF(1, 1), text)
    painter.setPen(QColor(theme.TEXT))
    painter.drawText(place, text)
