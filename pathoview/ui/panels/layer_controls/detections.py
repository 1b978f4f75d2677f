"""Controls of a layer of detections: colour, line and filling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox

from pathoview.core.translation import _
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.layer import Layer
from pathoview.session.session import Session
from pathoview.ui import icons
from pathoview.ui.dialogs.color import Rgb, ask_color
from pathoview.ui.panels.color_ramp import ColorRamp
from pathoview.ui.panels.layer_controls.controls import Controls
from pathoview.ui.panels.layer_controls.legend import Entry, Legend
from pathoview.ui.text import count_text
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import button, label, roomy, row, shrinkable

_BY_CLASS, _SINGLE = _("class"), _("one colour")


class DetectionControls(Controls):
    """How one layer of detections looks; runs to come look like it."""

    def __init__(self, session: Session, layer: Layer, source: DetectionSource) -> None:
        super().__init__(session)
        self._layer = layer
        self._source = source
        self.legend = Legend()
        self.color_by = QComboBox()
        self.color_by.setAccessibleName(_("Colour detections by"))
        self.color = button(_("Colour…"), self._ask_color)
        self.fill = QCheckBox(_("Fill"))
        self.fill.setToolTip(_("Fill detections (F)"))
        self.line_width = QDoubleSpinBox()
        self.line_width.setRange(1, 8)
        self.line_width.setSingleStep(0.5)
        self.line_width.setDecimals(1)
        self.line_width.setSuffix(_(" px"))
        self.line_width.setAccessibleName(_("Line width of detections"))
        self.line_width.setToolTip(_("Line width"))
        shrinkable(self.color_by)
        roomy(self.line_width)
        for widget in (self.color_by, self.line_width):
            ignore_wheel(widget)
        self.ramp = ColorRamp()
        self.same = button(_("All runs look like this"), self._make_all_alike)
        self._lay_out()
        self.color_by.currentIndexChanged.connect(self._on_color_by_chosen)
        self.fill.toggled.connect(self._on_fill_toggled)
        self.line_width.valueChanged.connect(self._on_line_width_changed)
        self.legend.shown_changed.connect(self._on_class_toggled)
        self.legend.color_chosen.connect(self._on_class_colored)
        self.refresh()

    def _lay_out(self) -> None:
        by = row(label(_("Colour by")), self.color_by)
        by.setStretchFactor(self.color_by, 1)
        self.box.addLayout(by)
        self.box.addWidget(self.legend)
        self.box.addWidget(self.ramp)
        self.box.addLayout(row(self.color, self.fill, 1, self.line_width))
        self.box.addLayout(row(self.same, 1))

    def _show(self) -> None:
        style = self._source.style
        self._offer_measurements(self._source.measurement_names)
        chosen = (style.mode, style.measurement if style.mode == "measurement" else "")
        offered = [self.color_by.itemData(index) for index in range(self.color_by.count())]
        self.color_by.setCurrentIndex(offered.index(chosen) if chosen in offered else 0)
        self.color.setIcon(icons.swatch(QColor(*style.color)))
        self.color.setEnabled(style.mode != "measurement")
        self.fill.setChecked(style.fill_opacity > 0)
        self.line_width.setValue(style.line_width_px)
        self.ramp.setVisible(style.mode == "measurement")
        if style.mode == "measurement":
            self.ramp.show_limits(*self._source.color_limits)
        self.same.setVisible(len(self._session.runs) > 1)
        self.legend.setVisible(style.mode == "class")
        if style.mode == "class":
            self.legend.show_entries(list(self._entries()))

    def _entries(self) -> Iterator[Entry]:
        """Classes, those with most objects first; the unclassified have an empty name."""
        source = self._source
        counts = sorted(source.class_counts().items(), key=lambda item: -item[1])
        for index, n in counts:
            kind = source.classes[index] if index >= 0 else None
            yield Entry(
                kind.name if kind else "",
                kind.name if kind else _("Unclassified"),
                kind.color if kind else source.style.color,
                count_text(n),
                (kind.name if kind else "") not in source.hidden_classes,
            )

    def _on_class_toggled(self, name: str, is_shown: bool) -> None:
        hidden = self._source.hidden_classes
        self._source.hidden_classes = hidden - {name} if is_shown else hidden | {name}

    def _on_class_colored(self, name: str, color: Rgb) -> None:
        if name:
            self._source.recolor_class(name, color)
        else:
            self._restyle(color=color)

    def _offer_measurements(self, names: Sequence[str]) -> None:
        offered = [self.color_by.itemText(index) for index in range(self.color_by.count())]
        if offered != [_BY_CLASS, _SINGLE, *names]:
            self.color_by.clear()
            self.color_by.addItem(_BY_CLASS, ("class", ""))
            self.color_by.addItem(_SINGLE, ("single", ""))
            for name in names:
                self.color_by.addItem(name, ("measurement", name))

    def _on_color_by_chosen(self) -> None:
        if not self._is_refreshing:
            mode, name = self.color_by.currentData()
            self._restyle(mode=mode, measurement=name)

    def _on_fill_toggled(self, on: bool) -> None:
        if not self._is_refreshing:
            settings = self._session.settings.overlay
            self._restyle(fill_opacity=settings.fill_opacity if on else 0.0)

    def _on_line_width_changed(self, width: float) -> None:
        if not self._is_refreshing:
            self._restyle(line_width_px=width)

    def _ask_color(self) -> None:
        ask_color(self, self._source.style.color, self._set_color)

    def _set_color(self, color: Rgb) -> None:
        self._restyle(color=color)

    def _restyle(self, **changes: Any) -> None:
        style = replace(self._source.style, **changes)
        self._session.overlay.set_style(self._layer, style)

    def _make_all_alike(self) -> None:
        self._session.overlay.apply()
