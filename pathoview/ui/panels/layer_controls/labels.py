"""Controls of a label image: filling, outlines, colours, and how many objects there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox

from pathoview.core.translation import _
from pathoview.layers.label_source import LabelSource
from pathoview.session.session import Session
from pathoview.ui import icons
from pathoview.ui.dialogs.color import Rgb, ask_color
from pathoview.ui.panels.layer_controls.controls import (
    Controls,
    Latest,
    NumberSlider,
    UnderMouse,
    percent,
)
from pathoview.ui.text import objects_text
from pathoview.ui.widgets import button, label, row

_DEFAULT_COLOR: Rgb = (255, 214, 10)
_WIDEST_PX = 8.0


class LabelControls(Controls):
    """How one label image looks."""

    def __init__(self, session: Session, source: LabelSource) -> None:
        super().__init__(session)
        self._source = source
        self._counting: Latest[int | None] = Latest(session, self, self._on_counted)
        self.fill = NumberSlider(_("Fill"), 0, 1, percent)
        self.line = NumberSlider(_("Outline"), 0, _WIDEST_PX, lambda width: f"{width:.1f}")
        self.is_one_color = QCheckBox(_("One colour for all"))
        self.color = button(_("Colour…"), self._ask_color)
        self.count = label("", "muted")
        self.value = UnderMouse(session, self._id_words)
        for slider in (self.fill, self.line):
            self.box.addLayout(slider.line)
        self.box.addLayout(row(self.is_one_color, 1, self.color))
        self.box.addWidget(self.count)
        self.box.addWidget(self.value)
        self.fill.valueChanged.connect(self._on_fill_moved)
        self.line.valueChanged.connect(self._on_line_moved)
        self.is_one_color.toggled.connect(self._on_one_color_toggled)
        self.refresh()
        self._counting.ask(source.n_instances)

    def show_cursor(self, place_l0: tuple[float, float] | None) -> None:
        self.value.look(place_l0)

    def _id_words(self, x_l0: float, y_l0: float) -> str:
        number = self._source.id_at(x_l0, y_l0)
        return "" if number is None else _("object {n}").format(n=number)

    def _show(self) -> None:
        style = self._source.style
        self.fill.set_number(style.fill_opacity)
        self.line.set_number(style.line_width_px)
        self.is_one_color.setChecked(style.color is not None)
        self.color.setEnabled(style.color is not None)
        self.color.setIcon(icons.swatch(QColor(*(style.color or _DEFAULT_COLOR))))

    def _on_counted(self, n: int | None) -> None:
        self.count.setText("" if n is None else objects_text(n))

    def _restyle(self, **changes: Any) -> None:
        if not self._is_refreshing:
            self._source.style = replace(self._source.style, **changes)

    def _on_fill_moved(self) -> None:
        self._restyle(fill_opacity=self.fill.number)

    def _on_line_moved(self) -> None:
        self._restyle(line_width_px=self.line.number)

    def _on_one_color_toggled(self, on: bool) -> None:
        self._restyle(color=_DEFAULT_COLOR if on else None)

    def _ask_color(self) -> None:
        ask_color(self, self._source.style.color or _DEFAULT_COLOR, self._set_color)

    def _set_color(self, color: Rgb) -> None:
        self._restyle(color=color)
