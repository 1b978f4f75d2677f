"""Which colour stands for what: a line a class with its eye, its colour, its name, its share."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.layers.paint import Color
from pathoview.ui import icons, theme
from pathoview.ui.dialogs.color import ask_color
from pathoview.ui.widgets import ElidedLabel, clear_layout, eye_button, icon_button, label

_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """One class."""

    key: Hashable
    name: str
    color: Color
    figure: str
    """How much of it there is, in words; empty: not known."""
    is_shown: bool


class Legend(QWidget):
    """Lines for all classes; a great many are cut short and counted."""

    shown_changed = Signal(object, bool)
    """(key, whether it is to be seen)"""
    color_chosen = Signal(object, tuple)
    """(key, (red, green, blue))"""

    def __init__(self, *, can_recolor: bool = True) -> None:
        super().__init__()
        self._can_recolor = can_recolor
        self._entries: tuple[Entry, ...] = ()
        self.eyes: list[QToolButton] = []
        self.swatches: list[QToolButton] = []
        self._figures: list[QLabel] = []
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(theme.GRID // 2)
        self._layout.setVerticalSpacing(0)
        self._layout.setColumnStretch(2, 1)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these classes; lines are only made anew when there are others."""
        entries = tuple(entries)
        if entries == self._entries:
            return
        shown = entries[:_MOST_LINES]
        names = [(entry.key, entry.name) for entry in entries]
        if names != [(entry.key, entry.name) for entry in self._entries]:
            self._build(shown, len(entries) - len(shown))
        self._entries = entries
        for line, entry in enumerate(shown):
            self.eyes[line].blockSignals(True)
            self.eyes[line].setChecked(entry.is_shown)
            self.eyes[line].setIcon(icons.icon("eye" if entry.is_shown else "eye-off"))
            self.eyes[line].blockSignals(False)
            self.swatches[line].setIcon(icons.swatch(QColor(*entry.color)))
            self._figures[line].setText(entry.figure)

    def figure(self, line: int) -> str:
        """Return what is said of a class."""
        return self._figures[line].text()

    def _build(self, entries: Sequence[Entry], n_more: int) -> None:
        clear_layout(self._layout)
        self.eyes, self.swatches, self._figures = [], [], []
        for line, entry in enumerate(entries):
            eye = eye_button(_("Show {name}").format(name=entry.name))
            eye.toggled.connect(partial(self._on_toggled, entry.key))
            swatch = icon_button("fill", _("Colour of {name}…").format(name=entry.name))
            if self._can_recolor:
                swatch.clicked.connect(partial(self._on_swatch, line))
            else:
                swatch.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
                swatch.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            figure = label("", "muted")
            figure.setWordWrap(False)
            for place, widget in enumerate((eye, swatch, ElidedLabel(entry.name), figure)):
                self._layout.addWidget(widget, line, place)
            self.eyes.append(eye)
            self.swatches.append(swatch)
            self._figures.append(figure)
        if n_more > 0:
            text = ngettext("and {n} more class", "and {n} more classes", n_more)
            self._layout.addWidget(label(text.format(n=n_more), "muted"), len(entries), 2)

    def _on_toggled(self, key: Hashable, on: bool) -> None:
        self.shown_changed.emit(key, on)

    def _on_swatch(self, line: int, _checked: bool = False) -> None:
        entry = self._entries[line]
        ask_color(self, entry.color, lambda color: self.color_chosen.emit(entry.key, color))
