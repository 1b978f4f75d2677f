"""One canvas's look at the layers: where it looks, which of them it shows, and their picture."""

from __future__ import annotations

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
        self._left_out: set[int] = set()

    def shows(self, layer: Layer) -> bool:
        """Whether a layer that is visible at all is seen on this canvas."""
        return id(layer) not in self._left_out

    def set_shown(self, layer: Layer, shown: bool) -> None:
        """Show a layer on this canvas or leave it out, whatever other canvases do."""
        if shown == self.shows(layer):
            return
        (self._left_out.discard if shown else self._left_out.add)(id(layer))
        self.changed.emit()

    @property
    def shown(self) -> tuple[Shown, ...]:
        """What is drawn, back to front."""
        return shown_layers(self._layers, self.plane, self.shows)

    def compose(self, ratio: float, backdrop: Backdrop) -> None:
        """Have the picture of what is seen now composed, ``ratio`` device px a view px."""
        viewport = self.viewport
        self.compositor.show(Order(viewport.frame(ratio), self.shown, backdrop, viewport.slide_l0))

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
        self._left_out.clear()
        self.plane = Plane()
        self.compositor.forget()

    def close(self) -> None:
        self.compositor.close()
