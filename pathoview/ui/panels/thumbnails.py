"""Small pictures of layers, made off the window's thread, one at a time and never in a hurry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane
from pathoview.layers.layer import Layer
from pathoview.layers.source import Rgba
from pathoview.layers.thumbnail import thumbnail
from pathoview.session.session import Session

SIDE_PX = 40
"""Longer side of a thumbnail in the window, px."""
SHARPNESS = 2
"""Device px a px: sharp on screens of high density too."""
_PAUSE_MS = 800
"""A layer that changes all the time gets a new picture no more often than that."""


class Thumbnails(QObject):
    """The pictures of the layers that are listed."""

    arrived = Signal(object)
    """(Layer): it has a picture, or a newer one."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._pictures: dict[Layer, QPixmap] = {}
        self._listed: tuple[Layer, ...] = ()
        self._stale: list[Layer] = []
        self._in_work: Layer | None = None
        self._is_seen = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._work)
        session.layers.repainted.connect(self._on_repainted)

    def of(self, layer: Layer) -> QPixmap | None:
        """Return a layer's picture; None: not made yet."""
        return self._pictures.get(layer)

    def set_listed(self, layers: Sequence[Layer]) -> None:
        """Make pictures of these layers; forget those of others."""
        self._listed = tuple(layers)
        self._pictures = {layer: self._pictures[layer] for layer in layers if self.of(layer)}
        self._stale = [layer for layer in self._stale if layer in layers]
        self._stale += [
            layer for layer in layers if layer not in self._pictures and layer not in self._stale
        ]
        self._work()

    def set_seen(self, is_seen: bool) -> None:
        """Work only while somebody can see it."""
        self._is_seen = is_seen
        self._work()

    def _on_repainted(self, layer: Layer, _rect_l0: Rect | None) -> None:
        if layer in self._listed and layer not in self._stale:
            self._stale.append(layer)
        if not self._timer.isActive():
            self._timer.start()

    def _work(self) -> None:
        if self._in_work is None and self._stale and self._is_seen:
            layer = self._in_work = self._stale.pop(0)
            is_base = layer is self._session.layer_desk.base
            plane = self._session.plane if is_base else Plane()
            self._session.scheduler.submit(
                partial(thumbnail, layer.source, SIDE_PX * SHARPNESS, plane),
                partial(self._on_made, layer),
            )

    def _on_made(self, layer: Layer, pixels: Rgba | None, _error: BaseException | None) -> None:
        """Take a picture; a layer that cannot be read keeps the one it has, or none."""
        self._in_work = None
        if pixels is not None and layer in self._listed:
            self._pictures[layer] = sharp_pixmap(pixels)
            self.arrived.emit(layer)
        if not self._timer.isActive():
            self._work()


def sharp_pixmap(pixels: Rgba) -> QPixmap:
    """Return a copy of pixels as a picture that is drawn `SHARPNESS` times smaller."""
    height, width = pixels.shape[:2]
    kind = QImage.Format.Format_RGBA8888_Premultiplied
    made = QPixmap.fromImage(QImage(pixels.data, width, height, 4 * width, kind))
    made.setDevicePixelRatio(SHARPNESS)
    return made
