"""One canvas's look at the layers: where it looks, which of them it shows, and their picture."""

from __future__ import annotations

from functools import partial

from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane
from pathoview.layers.backdrop import Backdrop
from pathoview.layers.compose import Shown, shown_layers
from pathoview.layers.compositor import Compositor
from pathoview.layers.frame import Frame
from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.picture import Order
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.side_work import Post
from pathoview.session.curtain import Curtain
from pathoview.session.viewport import Viewport


class View:
    """What one canvas shows. All methods are called on the session's thread."""

    changed = Signal()
    """Which layers are shown is another choice."""

    def __init__(self, layers: LayerList, scheduler: TileScheduler, post: Post) -> None:
        self.viewport = Viewport()
        self.compositor = Compositor(scheduler, post)
        self.plane = Plane()
        self._layers = layers
        self._scheduler = scheduler
        self._left_out: set[Layer] = set()
        self.curtain = Curtain(layers, self.shows, partial(Compositor, scheduler, post))

    def shows(self, layer: Layer) -> bool:
        """Whether a layer that is visible at all is seen on this canvas."""
        return layer not in self._left_out

    def set_shown(self, layer: Layer, shown: bool) -> None:
        """Show a layer on this canvas or leave it out, whatever other canvases do."""
        if shown == self.shows(layer):
            return
        (self._left_out.discard if shown else self._left_out.add)(layer)
        self.changed.emit()

    @property
    def shown(self) -> tuple[Shown, ...]:
        """What is drawn, back to front; left of the curtain, if there is one."""
        return self._shown_without(self.curtain.right)

    @property
    def shown_beyond(self) -> tuple[Shown, ...]:
        """What is drawn right of the curtain, back to front."""
        return self._shown_without(self.curtain.left)

    def _shown_without(self, left_out: Layer | None) -> tuple[Shown, ...]:
        return shown_layers(
            self._layers, self.plane, lambda layer: self.shows(layer) and layer is not left_out
        )

    def compose(self, ratio: float, backdrop: Backdrop) -> None:
        """Have the picture of what is seen now composed, ``ratio`` device px a view px."""
        frame, slide_l0 = self.viewport.frame(ratio), self.viewport.slide_l0
        self.compositor.show(Order(frame, self.shown, backdrop, slide_l0))
        self.curtain.compose(Order(frame, self.shown_beyond, backdrop, slide_l0))

    def wish_again(self) -> None:
        """Ask for the tiles of what is seen again: some of them have changed."""
        self.compositor.wish_again()
        self.curtain.wish_again()

    @property
    def is_idle(self) -> bool:
        """Whether all that was ordered is composed, as far as there are tiles."""
        return self.compositor.is_idle and self.curtain.is_idle

    def failure_at(self, x_l0: float, y_l0: float, frame: Frame) -> str:
        """Return why a tile under a place could not be read; empty: none failed."""
        place_l0 = Rect(x_l0, y_l0, 1e-6, 1e-6)
        for item in self.shown:
            pyramid = item.source.pyramid
            level = pyramid.level_for(1 / frame.scale)
            for key in pyramid.tiles_in(place_l0, level, item.plane):
                reason = self._scheduler.failure(item.source, key)
                if reason is not None:
                    return reason
        return ""

    def forget(self) -> None:
        """Drop all pictures: another slide is opened."""
        self.curtain.end()
        self._left_out.clear()
        self.plane = Plane()
        self.compositor.forget()

    def close(self) -> None:
        self.curtain.close()
        self.compositor.close()
