"""Controls of annotations and other single objects: classes, filling, lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pathoview.core.translation import _
from pathoview.layers.feature_source import FeatureSource
from pathoview.session.session import Session
from pathoview.ui.panels.layer_controls.controls import Controls, NumberSlider, percent
from pathoview.ui.panels.layer_controls.legend import Entry, Legend
from pathoview.ui.text import count_text

_THINNEST_PX, _WIDEST_PX = 1.0, 8.0


class AnnotationControls(Controls):
    """How one layer of annotations looks; their colours are their own."""

    def __init__(self, session: Session, source: FeatureSource) -> None:
        super().__init__(session)
        self._source = source
        self.legend = Legend(can_recolor=False)
        self.fill = NumberSlider(_("Fill"), 0, 1, percent)
        self.line = NumberSlider(_("Line"), _THINNEST_PX, _WIDEST_PX, lambda px: f"{px:.1f}")
        self.box.addWidget(self.legend)
        for slider in (self.fill, self.line):
            self.box.addLayout(slider.line)
        self.legend.shown_changed.connect(self._on_class_toggled)
        self.fill.valueChanged.connect(self._on_moved)
        self.line.valueChanged.connect(self._on_moved)
        self.refresh()

    def _show(self) -> None:
        style = self._source.style
        self.fill.set_number(style.fill_opacity)
        self.line.set_number(style.line_width_px)
        self.legend.show_entries(list(self._entries()))

    def _entries(self) -> Iterator[Entry]:
        source = self._source
        for index, n in sorted(source.class_counts().items(), key=lambda item: -item[1]):
            kind = source.classes[index] if index >= 0 else None
            name = kind.name if kind else ""
            yield Entry(
                name,
                name or _("Unclassified"),
                kind.color if kind else source.style.color,
                count_text(n),
                name not in source.hidden_classes,
            )

    def _on_class_toggled(self, name: str, is_shown: bool) -> None:
        hidden = self._source.hidden_classes
        self._source.hidden_classes = hidden - {name} if is_shown else hidden | {name}

    def _on_moved(self) -> None:
        if not self._is_refreshing:
            style = self._source.style
            self._source.style = replace(
                style, fill_opacity=self.fill.number, line_width_px=self.line.number
            )
