"""What a click and a drag on the slide mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from psygnal import Signal

from pathoview.core.affine import Affine
from pathoview.layers.layer import Layer, LayerList
from pathoview.session.alignment import Alignment

Tool = Literal["move", "rectangle", "align"]


class Toolbox:
    """One tool at a time is in hand."""

    changed = Signal()
    """`tool`, or what it asks for next."""

    def __init__(self, layers: LayerList, place: Callable[[Layer, Affine], None]) -> None:
        """``place`` lays a layer somewhere else, as a step that can be taken back."""
        self.tool: Tool = "move"
        self.alignment = Alignment(place)
        self.alignment.changed.connect(self._on_alignment_changed)
        self._layers = layers
        layers.changed.connect(self._on_layers_changed)

    def choose(self, tool: Tool) -> None:
        """Take another tool; an alignment that was not finished is given up."""
        if tool != self.tool:
            self.tool = tool
            if tool != "align":
                self.alignment.cancel()
            self.changed.emit()

    def _on_alignment_changed(self) -> None:
        """Keep the tool as long as there is something to click."""
        if self.alignment.layer is not None:
            self.tool = "align"
        elif self.tool == "align":
            self.tool = "move"
        self.changed.emit()

    def _on_layers_changed(self) -> None:
        """Give up aligning a layer that has been taken away."""
        if self.alignment.layer is not None and self.alignment.layer not in self._layers:
            self.alignment.cancel()
