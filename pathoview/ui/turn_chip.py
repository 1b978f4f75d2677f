"""A small plate that says how the view is turned; a click turns it back."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolButton, QWidget

from pathoview.core.translation import _
from pathoview.session.viewport import Viewport
from pathoview.ui import canvas_painting as furniture
from pathoview.ui import theme

_STYLE = f"""
QToolButton {{ background: rgba(20, 21, 24, 200); color: {theme.TEXT}; border: none;
    border-radius: 4px; padding: 0 8px; }}
QToolButton:hover {{ background: {theme.LINE}; }}
QToolButton:focus {{ border: 1px solid {theme.ACCENT}; }}
"""


class TurnChip(QToolButton):
    """Seen only while the view is turned or mirrored."""

    def __init__(self, viewport: Viewport, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewport = viewport
        self.setStyleSheet(_STYLE)
        self.setToolTip(_("The view is turned. Click to turn it back upright."))
        self.clicked.connect(lambda: viewport.set_turn(0, False))
        viewport.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say how the view is turned now."""
        text = turn_text(self._viewport.rotation, self._viewport.is_flipped)
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(_("Turned: {text}. Turn back").format(text=text))
            width = self.fontMetrics().horizontalAdvance(text) + 3 * theme.GRID
            self.setFixedSize(QSize(width, round(furniture.CHIP_HEIGHT)))
        self.setVisible(bool(text))


def turn_text(rotation: float, is_flipped: bool) -> str:
    """Return ``↻ 30°``, the shorter way round; empty when nothing is turned."""
    degrees = (rotation + 180) % 360 - 180
    words = []
    if rotation:
        words.append(f"{'↻' if degrees > 0 else '↺'} {abs(degrees):.3g}°")
    if is_flipped:
        words.append(_("mirrored"))
    return "  ".join(words)
