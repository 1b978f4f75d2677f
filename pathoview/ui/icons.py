"""Line icons of one set, drawn as SVG in ``resources/icons`` and tinted by the theme."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from pathoview.core.paths import resources_folder
from pathoview.ui import theme

SIZE = 20
"""Side of an icon in the window, px."""
_SCALES = (1, 2, 3)


@cache
def icon(name: str, color: str = theme.TEXT) -> QIcon:
    """Return an icon; it is faint when disabled and has the accent when switched on."""
    made = QIcon()
    for mode, state, tint in (
        (QIcon.Mode.Normal, QIcon.State.Off, color),
        (QIcon.Mode.Normal, QIcon.State.On, theme.ACCENT),
        (QIcon.Mode.Disabled, QIcon.State.Off, theme.FAINT),
        (QIcon.Mode.Disabled, QIcon.State.On, theme.FAINT),
    ):
        for scale in _SCALES:
            made.addPixmap(pixmap(name, tint, SIZE * scale), mode, state)
    return made


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
    """Return a round patch of a colour."""
    drawn = QPixmap(2 * SIZE, 2 * SIZE)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(6, 6, 2 * SIZE - 12, 2 * SIZE - 12)
    painter.end()
    return QIcon(drawn)


def app_icon() -> QIcon:
    """Return the program's own sign, for the window and the task bar."""
    made = QIcon()
    for side_px in (16, 24, 32, 48, 64, 128, 256):
        made.addPixmap(pixmap("pathoview", theme.TEXT, side_px))
    return made


@cache
def _svg(name: str) -> str:
    return (resources_folder() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
