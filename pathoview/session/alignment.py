"""Laying a second slide on the first by three landmarks: click each here, and then there.

A state machine fed by clicks. While a landmark is clicked on the base slide, the second one is
hidden; while it is clicked on the second, that one is shown as strong as can be.
"""

from __future__ import annotations

from collections.abc import Callable

from psygnal import Signal

from pathoview.core.affine import Affine, Point
from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.layers.layer import Layer
from pathoview.layers.warped_source import WarpedSource

N_PAIRS = 3


class Alignment:
    """At most one layer at a time is aligned."""

    changed = Signal()
    """What is to be clicked next, or there is nothing to click any more."""
    failed = Signal(object)
    """(UsageError): the landmarks cannot be used."""

    def __init__(self, place: Callable[[Layer, Affine], None]) -> None:
        """``place`` lays a layer somewhere else, as a step that can be taken back."""
        self._place = place
        self._layer: Layer | None = None
        self._source: WarpedSource | None = None
        self._base: list[Point] = []
        """Landmarks on the base slide, level-0 px."""
        self._second: list[Point] = []
        """The same landmarks on the second slide, its own level-0 px."""
        self._looks_before = True, 1.0

    @property
    def layer(self) -> Layer | None:
        """The layer that is being aligned."""
        return self._layer

    @property
    def landmarks_l0(self) -> tuple[Point, ...]:
        """Those clicked on the base slide so far, level-0 px of it."""
        return tuple(self._base)

    @property
    def is_on_base(self) -> bool:
        """Whether the next click belongs on the base slide; else on the second one."""
        return len(self._base) == len(self._second)

    @property
    def prompt(self) -> str:
        """What to do next; empty when nothing is being aligned."""
        if self._layer is None:
            return ""
        number = len(self._second) + 1
        if self.is_on_base:
            text = _("Click landmark {n} of {all} on the slide. Esc gives up.")
        else:
            text = _("Click the same landmark {n} of {all} on “{name}”. Esc gives up.")
        return text.format(n=number, all=N_PAIRS, name=self._layer.name)

    def start(self, layer: Layer) -> bool:
        """Begin; return whether the layer can be aligned at all."""
        self.cancel()
        if not isinstance(layer.source, WarpedSource):
            return False
        self._layer, self._source = layer, layer.source
        self._looks_before = layer.visible, layer.opacity
        self._show_what_is_clicked()
        self.changed.emit()
        return True

    def pick(self, x_l0: float, y_l0: float) -> None:
        """Take a click, level-0 px of the base slide wherever it was meant."""
        if self._source is None:
            return
        if self.is_on_base:
            self._base.append((x_l0, y_l0))
        else:
            self._second.append(self._source.placement.inverse().point(x_l0, y_l0))
        if len(self._second) == N_PAIRS:
            self._finish()
            return
        self._show_what_is_clicked()
        self.changed.emit()

    def cancel(self) -> None:
        """Give up; the layer lies where it was."""
        layer = self._layer
        if layer is None:
            return
        self._layer = self._source = None
        self._base.clear()
        self._second.clear()
        layer.visible, layer.opacity = self._looks_before
        self.changed.emit()

    def _finish(self) -> None:
        layer, second, base = self._layer, tuple(self._second), tuple(self._base)
        self.cancel()
        try:
            placement = Affine.through(second, base)
        except UsageError as error:
            self.failed.emit(error)
            return
        if layer is not None:
            self._place(layer, placement)

    def _show_what_is_clicked(self) -> None:
        if self._layer is not None:
            self._layer.opacity = 1.0
            self._layer.visible = not self.is_on_base
