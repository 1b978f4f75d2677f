"""How the window looks: one calm surface, one accent, text of 10 pt on a grid of 8 px.

One `Theme` is current. Whoever paints asks `current()` each time, and Qt repaints everything when
`apply_theme` takes another; what is made once from a colour (a plot's pen) is made again when its
widget gets Qt's event ``StyleChange``. Colours for icons are named, and looked up as they are
painted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from pathoview.ui.style_sheet import palette, style_sheet


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of the window, each by what it is for, as ``#rrggbb``."""

    name: str
    canvas: str
    """Around the slide."""
    surface: str
    raised: str
    field: str
    """Where something is typed or listed."""
    line: str
    text: str
    muted: str
    """Text of less weight; still easily read."""
    faint: str
    """What cannot be used now."""
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    on_plate: str
    """On the dark plates that lie over the picture."""
    warning: str
    error: str
    success: str
    shadow: str


DARK: Final = Theme(
    name="dark",
    canvas="#141518",
    surface="#1e1f22",
    raised="#26282c",
    field="#17181b",
    line="#35373c",
    text="#d7d9de",
    muted="#9ca1ab",
    faint="#62666f",
    accent="#5ba8e5",
    accent_hover="#76b8ec",
    accent_pressed="#4b93cb",
    on_accent="#0d1620",
    on_plate="#d7d9de",
    warning="#e8b34b",
    error="#f07167",
    success="#7cc08a",
    shadow="#0c0d0f",
)
"""Tissue is the brightest thing on screen."""
LIGHT: Final = Theme(
    name="light",
    canvas="#d9dce1",
    surface="#f0f1f4",
    raised="#fafbfc",
    field="#ffffff",
    line="#cdd1d8",
    text="#1f2329",
    muted="#555b66",
    faint="#9399a4",
    accent="#14639e",
    accent_hover="#1b76b9",
    accent_pressed="#0f5286",
    on_accent="#ffffff",
    on_plate="#d7d9de",
    warning="#865700",
    error="#b3261e",
    success="#1f7339",
    shadow="#b4b9c2",
)
THEMES: Final[Mapping[str, Theme]] = MappingProxyType({"dark": DARK, "light": LIGHT})

GRID = 8
"""Every distance in the window is a multiple or half of it, px."""
FONT_POINTS = 10.0

# What is written over the picture stands on dark plates, whatever the theme.
CANVAS, RAISED, LINE = DARK.canvas, DARK.raised, DARK.line
TEXT, MUTED, ACCENT, ON_ACCENT = DARK.text, DARK.muted, DARK.accent, DARK.on_accent

_current = DARK


def current() -> Theme:
    """Return the theme that the window has now."""
    return _current


def apply_theme(application: QApplication, name: str = DARK.name) -> None:
    """Give the whole application its look; KeyError when there is no theme of that name."""
    global _current
    _current = THEMES[name]
    application.setStyle("Fusion")
    application.setPalette(palette(_current))
    font = QFont(application.font())
    font.setPointSizeF(FONT_POINTS)
    application.setFont(font)
    application.setStyleSheet(style_sheet(_current))
