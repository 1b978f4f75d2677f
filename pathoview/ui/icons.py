"""Line icons of one set, drawn as SVG in ``resources/icons`` and tinted by the theme.

An icon keeps the name of its colour, and is tinted as it is painted: it follows the theme by
itself, and is sharp at every scale of the screen.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPen, QPixmap
from PySide6.QtSvg import QSvgRenderer

from pathoview.core.paths import resources_folder
from pathoview.ui import theme

SIZE = 20
"""Side of an icon in the window, px."""

Tint = Literal[
    "text", "muted", "faint", "accent", "on_accent", "on_plate", "warning", "error", "success"
]
"""A colour of the theme."""


class _LineIcon(QIconEngine):
    """Paints one icon: faint when disabled, with the accent when switched on."""

    def __init__(self, name: str, tint: Tint) -> None:
        super().__init__()
        self._name = name
        self._tint = tint

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon as large as fits."""
        side = min(rect.width(), rect.height())
        place = QRect(0, 0, side, side)
        place.moveCenter(rect.center())
        ratio = painter.device().devicePixelRatio()
        drawn = pixmap(self._name, self._color(mode, state), max(1, round(side * ratio)))
        painter.drawPixmap(place, drawn)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon at a size in device px."""
        side_px = max(1, min(size.width(), size.height()))
        return pixmap(self._name, self._color(mode, state), side_px)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        """Return the icon at a size in px of the window; older Qt passes device px, and shrinks."""
        return self.pixmap(size * scale, mode, state)

    def clone(self) -> QIconEngine:
        return _LineIcon(self._name, self._tint)

    def _color(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        colors = theme.current()
        if mode is QIcon.Mode.Disabled:
            return colors.faint
        if state is QIcon.State.On:
            return colors.accent
        return str(getattr(colors, self._tint))


@cache
def icon(name: str, tint: Tint = "text") -> QIcon:
    """Return an icon that takes its colour from the theme of the moment."""
    return QIcon(_LineIcon(name, tint))


@cache
def pixmap(name: str, color: str, side_px: int) -> QPixmap:
    """Return one icon drawn in ``color``; the program's own sign keeps its colours."""
    drawn = QPixmap(side_px, side_px)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    QSvgRenderer(QByteArray(_svg(name).replace("currentColor", color).encode())).render(
        painter, QRectF(0, 0, side_px, side_px)
    )
    painter.end()
    return drawn


def swatch(color: QColor) -> QIcon:
    """Return a round patch of a colour, with a rim so that a dark one is seen on dark."""
    drawn = QPixmap(2 * SIZE, 2 * SIZE)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.current().faint), 2))
    painter.setBrush(color)
    painter.drawEllipse(6, 6, 2 * SIZE - 12, 2 * SIZE - 12)
    painter.end()
    made = QIcon(drawn)
    made.addPixmap(drawn, QIcon.Mode.Selected)  # no tint over a colour that means something
    return made


def app_icon() -> QIcon:
    """Return the program's own sign, for the window and the task bar."""
    made = QIcon()
    for side_px in (16, 24, 32, 48, 64, 128, 256):
        made.addPixmap(pixmap("pathoview", theme.DARK.text, side_px))
    return made


@cache
def _svg(name: str) -> str:
    return (resources_folder() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
