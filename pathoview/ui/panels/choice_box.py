"""Combo boxes of panels: named, of any width, each entry with what it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtWidgets import QComboBox

from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import shrinkable


def choice_box(name: str, choose: Callable[[Any], object]) -> QComboBox:
    """Return a box; ``choose`` gets what the entry stands for that somebody has chosen."""
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.activated.connect(lambda _row: choose(box.currentData()))
    ignore_wheel(box)
    return shrinkable(box)


def offer(box: QComboBox, entries: Sequence[tuple[str, str]], chosen: str) -> None:
    """Have a box offer these words, each with what it stands for, and choose one."""
    if [(box.itemText(row), box.itemData(row)) for row in range(box.count())] != list(entries):
        box.clear()
        for text, data in entries:
            box.addItem(text, data)
    box.setCurrentIndex(box.findData(chosen))
