"""Two pictures of one view: with a layer and without it, or with one of two, to be compared.

The view's own picture is seen left of the curtain, the other one right of it. Both are composed
whole, so that moving the curtain, or showing the other one for a moment, only copies pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from psygnal import Signal

from pathoview.core.translation import _
from pathoview.layers.compositor import Compositor
from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.picture import Order, Picture


class Curtain:
    """What is compared in a view, and how. All methods are called on the session's thread."""

    changed = Signal()
    """It is drawn or taken away, the other picture is shown or not, or the layers are others."""
    moved = Signal()
    """`position` is another one."""
    repainted = Signal()
    """`picture` is another one."""

    def __init__(
        self,
        layers: LayerList,
        shows: Callable[[Layer], bool],
        make_compositor: Callable[[], Compositor],
    ) -> None:
        """``shows`` tells whether the view shows a layer that is visible at all."""
        self.left: Layer | None = None
        """The layer that only the view's own picture has."""
        self.right: Layer | None = None
        """The layer that only the other picture has, if any."""
        self._layers = layers
        self._shows = shows
        self._make = make_compositor
        self._compositor: Compositor | None = None
        self._order: Order | None = None
        self._is_drawn = self._is_flicked = False
        self._position = 0.5
        layers.changed.connect(self._on_layers_changed)
        layers.replaced.connect(self._on_replaced)

    # -- what is compared ------------------------------------------------------------------------

    @property
    def candidates(self) -> Sequence[Layer]:
        """The layers that can be compared: those seen in this view that lie on the slide."""
        return [
            layer
            for layer in tuple(self._layers)[1:]
            if layer.visible and layer.opacity > 0 and self._shows(layer)
        ]

    def default(self, active: Layer | None) -> Layer | None:
        """Return the layer to compare with what lies below it: the chosen one, or the foremost."""
        candidates = self.candidates
        if active in candidates:
            return active
        return candidates[-1] if candidates else None

    def choose(self, left: Layer | None, right: Layer | None = None) -> None:
        """Compare two layers, or (``right`` None) one with what lies below it."""
        if (left, right) == (self.left, self.right):
            return
        if not self.is_on:
            self._let_go()
        self.left, self.right = left, None if right is left else right
        self.changed.emit()

    @property
    def left_name(self) -> str:
        """What only the left has, in words."""
        return self.left.name if self.left is not None else ""

    @property
    def right_name(self) -> str:
        """What only the right has, in words."""
        if self.right is not None:
            return self.right.name
        return _("Without {name}").format(name=self.left_name)

    # -- the curtain -----------------------------------------------------------------------------

    @property
    def is_drawn(self) -> bool:
        """Whether the curtain is seen."""
        return self._is_drawn

    @property
    def is_flicked(self) -> bool:
        """Whether the other picture is shown in the whole view."""
        return self._is_flicked

    @property
    def is_on(self) -> bool:
        """Whether the other picture is needed."""
        return self._is_drawn or self._is_flicked

    @property
    def position(self) -> float:
        """Where the curtain is: a share of the view's width, from the left."""
        return self._position

    @position.setter
    def position(self, position: float) -> None:
        position = min(1.0, max(0.0, position))
        if position != self._position:
            self._position = position
            self.moved.emit()

    def draw(self, active: Layer | None) -> bool:
        """Draw the curtain in the middle; False: there is nothing to compare."""
        if self._is_drawn or not self._prepare(active):
            return self._is_drawn
        self._is_drawn, self._position = True, 0.5
        self.changed.emit()
        return True

    def flick(self, active: Layer | None) -> bool:
        """Show the other picture in the whole view; False: there is nothing to compare."""
        if self._is_flicked or not self._prepare(active):
            return self._is_flicked
        self._is_flicked = True
        self.changed.emit()
        return True

    def unflick(self) -> None:
        """Go back to the view's own picture; the other one is kept for the next time."""
        if self._is_flicked:
            self._is_flicked = False
            self.changed.emit()

    def end(self) -> None:
        """Compare nothing any more."""
        was_on = self.is_on
        self._is_drawn = self._is_flicked = False
        self.left = self.right = None
        self._let_go()
        if was_on:
            self.changed.emit()

    def _prepare(self, active: Layer | None) -> bool:
        if not self.is_on:
            self.choose(self.default(active))
        return self.left is not None

    def _on_layers_changed(self) -> None:
        gone = [layer for layer in (self.left, self.right) if layer and layer not in self._layers]
        if gone:
            self.end()

    def _on_replaced(self, before: Layer, after: Layer) -> None:
        """Go on with the layer that stands for one that is compared."""
        left, right = (after if one is before else one for one in (self.left, self.right))
        self.choose(left, right)

    # -- the other picture -----------------------------------------------------------------------

    @property
    def picture(self) -> Picture | None:
        """The picture right of the curtain, as soon as there is one and as long as it is needed."""
        picture = self._compositor.picture if self._compositor is not None else None
        return picture if self.is_on and picture is not None and picture.blocks else None

    @property
    def is_idle(self) -> bool:
        """Whether the other picture is composed, as far as there are tiles."""
        return self._compositor is None or self._compositor.is_idle

    def compose(self, order: Order) -> None:
        """Have the other picture composed; one that is not needed goes once it is out of date."""
        is_same, self._order = order == self._order, order
        if self.is_on:
            if self._compositor is None:
                self._compositor = self._make()
                self._compositor.changed.connect(self.repainted)
            self._compositor.show(order)
        elif not is_same:
            self._let_go()

    def wish_again(self) -> None:
        """Ask for the tiles of the view again: some of them have changed."""
        if self._compositor is not None:
            self._compositor.wish_again()

    def _let_go(self) -> None:
        if self._compositor is not None:
            self._compositor.close()
            self._compositor = None

    def close(self) -> None:
        """Let everything go, for good."""
        self._layers.changed.disconnect(self._on_layers_changed)
        self._layers.replaced.disconnect(self._on_replaced)
        self._is_drawn = self._is_flicked = False
        self._let_go()
