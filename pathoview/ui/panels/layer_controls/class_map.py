"""Controls of a class map: a legend with colours, shares of the area, and eyes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pathoview.core.translation import _
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.session.session import Session
from pathoview.ui.dialogs.color import Rgb
from pathoview.ui.panels.layer_controls.controls import Controls, Latest, UnderMouse
from pathoview.ui.panels.layer_controls.legend import Entry, Legend
from pathoview.ui.text import area_text
from pathoview.ui.widgets import label

_UM2_PER_MM2 = 1e6


class ClassMapControls(Controls):
    """The classes of one map."""

    def __init__(self, session: Session, source: ClassMapSource) -> None:
        super().__init__(session)
        self._source = source
        self._areas_l0: Mapping[int, float] = {}
        self._is_counted = False
        self._counting: Latest[Mapping[int, float]] = Latest(session, self, self._on_counted)
        self.legend = Legend()
        self.legend.shown_changed.connect(self._on_class_toggled)
        self.legend.color_chosen.connect(self._on_class_colored)
        self.value = UnderMouse(session, self._class_words)
        self._note = label(_("Counting the areas…"), "muted")
        self.box.addWidget(self.legend)
        self.box.addWidget(self._note)
        self.box.addWidget(self.value)
        self.refresh()

    def show_cursor(self, place_l0: tuple[float, float] | None) -> None:
        self.value.look(place_l0)

    def _class_words(self, x_l0: float, y_l0: float) -> str:
        value = self._source.class_at(x_l0, y_l0)
        kind = None if value is None else self._source.classes.get(value)
        return kind.name if kind is not None else "" if value is None else str(value)

    def _show(self) -> None:
        """Show the classes; the map may have grown, so their areas are asked for again."""
        self._show_legend()
        self._counting.ask(self._source.class_areas_l0)

    def _show_legend(self) -> None:
        self.legend.show_entries(list(self._entries()))

    def _entries(self) -> Iterator[Entry]:
        for value, kind in self._source.classes.items():
            is_shown = value not in self._source.style.hidden
            figure = self._area_text(value) if self._is_counted else ""
            yield Entry(value, kind.name, kind.color, figure, is_shown)

    def _area_text(self, value: int) -> str:
        area_l0 = self._areas_l0.get(value, 0.0)
        share = area_l0 / max(sum(self._areas_l0.values()), 1e-12)
        slide = self._session.slide
        if slide is None or slide.info.mpp is None:
            return f"{share:.1%}"
        mpp_x, mpp_y = slide.info.mpp
        return f"{area_text(area_l0 * mpp_x * mpp_y / _UM2_PER_MM2)} · {share:.0%}"

    def _on_counted(self, areas_l0: Mapping[int, float]) -> None:
        self._areas_l0, self._is_counted = areas_l0, True
        self._note.hide()
        self._show_legend()

    def _on_class_toggled(self, value: int, is_shown: bool) -> None:
        style = self._source.style
        hidden = style.hidden - {value} if is_shown else style.hidden | {value}
        self._source.style = replace(style, hidden=hidden)

    def _on_class_colored(self, value: int, color: Rgb) -> None:
        self._source.recolor_class(value, color)
