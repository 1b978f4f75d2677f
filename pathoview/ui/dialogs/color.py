"""Asks for a colour and shows it at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QWidget

Rgb = tuple[int, int, int]


def ask_color(parent: QWidget, color: Rgb, take: Callable[[Rgb], None]) -> QColorDialog:
    """Open the dialog; ``take`` gets every colour that is tried, and the first one on cancel."""
    dialog = QColorDialog(QColor(*color), parent)
    dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.currentColorChanged.connect(lambda tried: take(_rgb(tried)))
    dialog.rejected.connect(lambda: take(color))
    dialog.open()
    return dialog


def _rgb(color: QColor) -> Rgb:
    return color.red(), color.green(), color.blue()
