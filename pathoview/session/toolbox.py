"""What a click and a drag on the slide mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from psygnal import Signal

from pathoview.core.affine import Affine
from pathoview.layers.layer import Layer, LayerList
from pathoview.session.alignment import Alignment
from pathoview.session.tools.brush import BrushTool, EraserTool
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.line import LineTool
from pathoview.session.tools.livewire import LiveWireTool
from pathoview.session.tools.nucleus import NucleusTool
from pathoview.session.tools.points import PointsTool
from pathoview.session.tools.polygon import PolygonTool, PolylineTool
from pathoview.session.tools.rectangle import EllipseTool, RectangleTool
from pathoview.session.tools.scissors import ScissorsTool
from pathoview.session.tools.select import SelectTool
from pathoview.session.tools.superpixel import SuperpixelTool
from pathoview.session.tools.tool import BACK, DrawingTool
from pathoview.session.tools.wand import WandTool

Tool = Literal[
    "move",
    "region",
    "align",
    "rectangle",
    "ellipse",
    "line",
    "polygon",
    "polyline",
    "livewire",
    "brush",
    "wand",
    "superpixel",
    "eraser",
    "scissors",
    "points",
    "nucleus",
]

DRAWING: Mapping[Tool, Callable[[ToolKit], DrawingTool]] = {
    "move": SelectTool,
    "rectangle": RectangleTool,
    "ellipse": EllipseTool,
    "line": LineTool,
    "polygon": PolygonTool,
    "polyline": PolylineTool,
    "livewire": LiveWireTool,
    "brush": BrushTool,
    "wand": WandTool,
    "superpixel": SuperpixelTool,
    "eraser": EraserTool,
    "scissors": ScissorsTool,
    "points": PointsTool,
    "nucleus": NucleusTool,
}


class Toolbox:
    """One tool at a time is in hand."""

    changed = Signal()
    """`tool`, or what it asks for next."""

    def __init__(
        self, layers: LayerList, place: Callable[[Layer, Affine], None], kit: ToolKit
    ) -> None:
        """``place`` lays a layer somewhere else, as a step that can be taken back."""
        self.tool: Tool = "move"
        self.kit = kit
        self._drawing: dict[Tool, DrawingTool] = {name: made(kit) for name, made in DRAWING.items()}
        self.alignment = Alignment(place)
        self.alignment.changed.connect(self._on_alignment_changed)
        kit.committed.connect(self._on_committed)
        self._layers = layers
        layers.changed.connect(self._on_layers_changed)

    @property
    def drawing(self) -> DrawingTool | None:
        """What presses and drags are told to; None: the tool in hand does not draw."""
        return self._drawing.get(self.tool)

    def choose(self, tool: Tool) -> None:
        """Take another tool; what was begun with the one before is given up."""
        if tool != self.tool:
            if self.drawing is not None:
                self.drawing.cancel()
            self.tool = tool
            if tool != "align":
                self.alignment.cancel()
            self.changed.emit()

    def _on_committed(self) -> None:
        drawing = self.drawing
        if self.kit.settings.goes_back_to_move and drawing is not None and BACK in drawing.options:
            self.choose("move")

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
