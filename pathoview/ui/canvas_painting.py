"""What is written over the picture: calm labels, the scale bar, the region, the selection."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.scale_bar import ScaleBar, length_text
from pathoview.ui import text as words
from pathoview.ui import theme
from pathoview.ui.region_drag import GRIPS, grip_place

MARGIN = 2 * theme.GRID
CHIP_HEIGHT = 24.0
LONGEST_BAR_VIEW = 160.0

_PLATE = QColor(20, 21, 24, 200)
_HALO = QColor(12, 13, 15, 190)
_PAD = 8.0
_GRIP_VIEW = 7.0


def draw_chip(
    painter: QPainter,
    text: str,
    place: QPointF,
    color: str = theme.TEXT,
    anchor: Literal["left", "middle", "right"] = "left",
) -> QRectF:
    """Write a line on a dark plate; ``place`` is on its upper edge, where ``anchor`` says."""
    width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 2 * _PAD
    share = {"left": 0.0, "middle": 0.5, "right": 1.0}[anchor]
    plate = QRectF(place.x() - width * share, place.y(), width, CHIP_HEIGHT)
    _plate(painter, plate)
    painter.setPen(QColor(color))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
    return plate


def draw_scale_bar(painter: QPainter, bar: ScaleBar, bottom_left: QPointF) -> QRectF:
    """Draw the bar with its length above it; return its plate."""
    plate = QRectF(bottom_left.x(), bottom_left.y() - 36, bar.length_view + 2 * 12, 36)
    _plate(painter, plate)
    painter.setPen(QColor(theme.TEXT))
    painter.drawText(plate.adjusted(0, 3, 0, -14), Qt.AlignmentFlag.AlignCenter, bar.text)
    left, right, y = plate.left() + 12, plate.right() - 12, plate.bottom() - 9
    pen = QPen(QColor(theme.TEXT), 2)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawLine(QLineF(left, y, right, y))
    painter.drawLine(QLineF(left + 1, y - 4, left + 1, y + 1))
    painter.drawLine(QLineF(right - 1, y - 4, right - 1, y + 1))
    return plate


def draw_region(
    painter: QPainter, region_l0: Rect, to_view: Affine, text: str, surround: QRectF
) -> None:
    """Draw the region to analyze: its edge, its handles, its size."""
    outline = QPolygonF(
        [
            QPointF(*to_view.point(x, y))
            for x, y in (
                (region_l0.x, region_l0.y),
                (region_l0.right, region_l0.y),
                (region_l0.right, region_l0.bottom),
                (region_l0.x, region_l0.bottom),
            )
        ]
    )
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_HALO, 3), QPen(QColor(theme.ACCENT), 1.5)):
        painter.setPen(pen)
        painter.drawPolygon(outline)
    painter.setPen(QPen(QColor(theme.ON_ACCENT), 1))
    painter.setBrush(QColor(theme.ACCENT))
    half = _GRIP_VIEW / 2
    for grip in GRIPS:
        x, y = to_view.point(*grip_place(region_l0, grip))
        painter.drawRoundedRect(QRectF(x - half, y - half, 2 * half, 2 * half), 1.5, 1.5)
    rect = outline.boundingRect()
    below = QPointF(max(rect.left(), surround.left()), rect.bottom() + theme.GRID)
    if surround.contains(QRectF(below, below + QPointF(1, CHIP_HEIGHT))):
        draw_chip(painter, text, below)


def draw_frame(painter: QPainter, rect: QRectF, *, dashed: bool = False) -> None:
    """Draw the accent around the canvas: it has the keyboard, or takes what is dropped."""
    pen = QPen(QColor(theme.ACCENT), 2)
    if dashed:
        pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inset = theme.GRID if dashed else 1.0
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), 4, 4)


def magnification_text(magnification: float | None, scale: float) -> str:
    """Return the magnification; without a scale in µm, the share of full size."""
    if magnification is None:
        return _("{percent:.3g} % of full size").format(percent=scale * 100)
    return words.magnification_text(magnification)


def position_text(
    x_l0: float, y_l0: float, mpp: tuple[float, float] | None, *, is_short: bool = False
) -> str:
    """Return the cursor's place in px, and in µm when the scale is known; short: one of them."""
    px = _("x {x:,d}  y {y:,d} px").format(x=int(x_l0), y=int(y_l0))
    if mpp is None:
        return px
    um = _("x {x:,.1f}  y {y:,.1f} µm").format(x=x_l0 * mpp[0], y=y_l0 * mpp[1])
    return um if is_short else f"{px}   ·   {um}"


def region_text(region_l0: Rect, mpp: tuple[float, float] | None) -> str:
    """Return the size of a region, as a length on each side."""
    if mpp is None:
        return _("{width:,.0f} × {height:,.0f} px").format(
            width=region_l0.width, height=region_l0.height
        )
    return _("{width} × {height}").format(
        width=length_text(region_l0.width * mpp[0]), height=length_text(region_l0.height * mpp[1])
    )


def _plate(painter: QPainter, rect: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(rect, 4, 4)
