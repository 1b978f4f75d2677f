"""Layers: what is drawn, in which order, and how much of it shines through."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal, get_args

from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.layers.source import TileSource

Blend = Literal["normal", "multiply", "additive"]
"""How a layer meets what lies below: covers it, darkens it like a filter, adds its light."""
BLENDS: tuple[Blend, ...] = get_args(Blend)


class Layer:
    """A named source that can be hidden, faded, and blended with what lies below."""

    changed = Signal()
    """The name, the visibility, the opacity or the blending is another one."""

    def __init__(
        self,
        name: str,
        source: TileSource,
        *,
        visible: bool = True,
        opacity: float = 1.0,
        blend: Blend = "normal",
    ) -> None:
        self.source = source
        self._name = name
        self._visible = visible
        self._opacity = opacity
        self._blend = blend

    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        if name != self._name:
            self._name = name
            self.changed.emit()

    @property
    def visible(self) -> bool:
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        if visible != self._visible:
            self._visible = visible
            self.changed.emit()

    @property
    def opacity(self) -> float:
        """0 (nothing is seen) to 1."""
        return self._opacity

    @opacity.setter
    def opacity(self, opacity: float) -> None:
        opacity = min(1.0, max(0.0, opacity))
        if opacity != self._opacity:
            self._opacity = opacity
            self.changed.emit()

    @property
    def blend(self) -> Blend:
        return self._blend

    @blend.setter
    def blend(self, blend: Blend) -> None:
        if blend != self._blend:
            self._blend = blend
            self.changed.emit()


class LayerList:
    """Layers from back (index 0, the slide) to front."""

    changed = Signal()
    """The list, or something a `Layer.changed` tells of, is another one."""
    repainted = Signal(object, object)
    """(layer, rect_l0 or None for everything): the content or style of a source changed."""
    replaced = Signal(object, object)
    """(layer, layer): the second one stands for the first from now on, which is taken out next."""

    def __init__(self) -> None:
        self._layers: list[Layer] = []
        self._relays: dict[int, partial[None]] = {}
        self._solo: Layer | None = None
        self._visible_before: dict[Layer, bool] = {}

    def __iter__(self) -> Iterator[Layer]:
        return iter(tuple(self._layers))

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, index: int) -> Layer:
        return self._layers[index]

    def __contains__(self, layer: object) -> bool:
        return layer in self._layers

    def index(self, layer: Layer) -> int:
        """Return a layer's place, 0 at the back; ValueError when it is not in the list."""
        return self._layers.index(layer)

    def add(self, layer: Layer, index: int | None = None) -> None:
        """Put a layer in front of all others, or at a place; one is in the list once."""
        if layer in self._layers:
            return
        relay = partial(self._relay, layer)
        self._relays[id(layer)] = relay
        layer.changed.connect(self.changed)
        layer.source.changed.connect(relay)
        self._layers.insert(len(self._layers) if index is None else index, layer)
        self.changed.emit()

    def remove(self, layer: Layer) -> int:
        """Take a layer out; return the place that it had."""
        index = self._layers.index(layer)
        del self._layers[index]
        layer.changed.disconnect(self.changed)
        layer.source.changed.disconnect(self._relays.pop(id(layer)))
        self.changed.emit()
        return index

    def move(self, layer: Layer, index: int) -> None:
        """Give a layer another place; 0 is the back."""
        self._layers.remove(layer)
        self._layers.insert(index, layer)
        self.changed.emit()

    def clear(self) -> None:
        for layer in tuple(self._layers):
            self.remove(layer)

    # -- one layer alone -------------------------------------------------------------------------

    @property
    def solo(self) -> Layer | None:
        """The layer that is shown alone; None as soon as another one is shown, or it is hidden."""
        shown = [layer for layer in self._layers if layer.visible]
        return self._solo if self._solo is not None and shown == [self._solo] else None

    def toggle_solo(self, layer: Layer) -> None:
        """Show a layer alone; if it is alone already, show what was shown before."""
        if self.solo is layer:
            before = self._visible_before
            self._solo, self._visible_before = None, {}
            for other in self:
                other.visible = before.get(other, other.visible)
            return
        if self.solo is None:
            self._visible_before = {other: other.visible for other in self}
        self._solo = layer
        for other in self:
            other.visible = other is layer

    def _relay(self, layer: Layer, rect_l0: Rect | None) -> None:
        self.repainted.emit(layer, rect_l0)
