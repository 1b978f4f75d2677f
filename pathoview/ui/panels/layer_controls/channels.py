"""Controls of a fluorescence slide: which channels shine, in which colour, between which limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QComboBox

from pathoview.core.translation import _
from pathoview.layers.display import ChannelDisplay, default_display, sample_pixels
from pathoview.layers.slide_source import SlideSource
from pathoview.session.session import Session
from pathoview.ui.dialogs.color import Rgb
from pathoview.ui.panels.layer_controls.controls import Controls, Latest
from pathoview.ui.panels.layer_controls.legend import Entry, Legend
from pathoview.ui.panels.limits_plot import LimitsPlot
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import button, label, row, shrinkable

_MOST_VALUES = 1 << 18
Display = tuple[ChannelDisplay, ...]


class _Facts(NamedTuple):
    """What is read off the window's thread."""

    display: Display
    values: npt.NDArray[np.float32]
    """(n, channel)"""


class ChannelControls(Controls):
    """The channels of one slide; an eye and a colour each, limits for the one chosen."""

    def __init__(self, session: Session, source: SlideSource) -> None:
        super().__init__(session)
        self._source = source
        self._values: npt.NDArray[np.float32] | None = None
        self._display: Display = ()
        self._looking: Latest[_Facts] = Latest(session, self, self._on_facts)
        self._automatic: Latest[Display] = Latest(session, self, self._on_automatic)
        self.legend = Legend()
        self.channel = QComboBox()
        self.channel.setAccessibleName(_("Channel whose limits are shown"))
        shrinkable(self.channel)
        ignore_wheel(self.channel)
        self.plot = LimitsPlot()
        self.automatic = button(_("Automatic"), self._ask_automatic)
        self.automatic.setToolTip(_("Limits of all channels as they were estimated at first"))
        line = row(label(_("Limits of")), self.channel, self.automatic)
        line.setStretchFactor(self.channel, 1)
        self.box.addWidget(self.legend)
        self.box.addLayout(line)
        self.box.addWidget(self.plot)
        self.legend.shown_changed.connect(self._on_channel_toggled)
        self.legend.color_chosen.connect(self._on_channel_colored)
        self.channel.currentIndexChanged.connect(self._show_channel)
        self.plot.limits_chosen.connect(self._on_limits_chosen)
        self._looking.ask(partial(_look_at, source))

    def _show(self) -> None:
        """Show the channels once they are known: that may take a look into the file."""
        if self._values is None:
            return
        self._display = self._source.display
        self.legend.show_entries(list(self._entries()))
        names = [channel.name for channel in self._display]
        if [self.channel.itemText(index) for index in range(self.channel.count())] != names:
            self.channel.clear()
            self.channel.addItems(names)
        self._show_limits()

    def _entries(self) -> Iterator[Entry]:
        for index, channel in enumerate(self._display):
            yield Entry(index, channel.name, channel.color, "", channel.visible)

    def _on_facts(self, facts: _Facts) -> None:
        self._display, self._values = facts
        self.refresh()
        self._show_channel()

    def _show_channel(self) -> None:
        index = self.channel.currentIndex()
        if self._values is not None and index >= 0:
            self.plot.show_values(self._values[:, index])
            self._show_limits()

    def _show_limits(self) -> None:
        index = self.channel.currentIndex()
        if 0 <= index < len(self._display):
            self.plot.show_limits(self._display[index].low, self._display[index].high)

    # -- wishes ----------------------------------------------------------------------------------

    def _change(self, index: int, **changes: Any) -> None:
        display = list(self._source.display)
        display[index] = replace(display[index], **changes)
        self._source.display = tuple(display)

    def _on_channel_toggled(self, index: int, is_shown: bool) -> None:
        self._change(index, visible=is_shown)

    def _on_channel_colored(self, index: int, color: Rgb) -> None:
        self._change(index, color=color)

    def _on_limits_chosen(self, low: float, high: float) -> None:
        self._change(self.channel.currentIndex(), low=low, high=high)

    def _ask_automatic(self) -> None:
        self._automatic.ask(partial(default_display, self._source.slide))

    def _on_automatic(self, first: Display) -> None:
        limits = [(channel.low, channel.high) for channel in first]
        self._source.display = tuple(
            replace(channel, low=low, high=high)
            for channel, (low, high) in zip(self._source.display, limits, strict=True)
        )


def _look_at(source: SlideSource) -> _Facts:
    """Return the channels and some of their values; reads the file."""
    pixels = sample_pixels(source.slide)
    values = pixels.reshape(-1, pixels.shape[-1])
    step = max(1, len(values) // _MOST_VALUES)
    return _Facts(source.display, values[::step].astype(np.float32))
