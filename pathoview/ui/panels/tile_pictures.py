"""Pictures of tiles: read off the window's thread, one at a time, in the order asked for."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPixmap

from pathoview.core.geometry import Rect
from pathoview.layers.layer import Layer
from pathoview.layers.source import Rgba
from pathoview.session.session import Session
from pathoview.session.tile_place import TilePlace, picture_work
from pathoview.ui.panels.thumbnails import SHARPNESS, sharp_pixmap

SIDE_PX = 84
"""Side of a picture in the window, px."""
_MOST_KEPT = 300
_MOST_WISHED = 60
"""Tiles of pages that were turned over are forgotten."""


class TilePictures(QObject):
    """Keeps the last few hundred."""

    arrived = Signal(object)
    """(TilePlace)"""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._made: OrderedDict[TilePlace, QPixmap | None] = OrderedDict()
        """Those used last at the end; None: it cannot be read."""
        self._wished: OrderedDict[TilePlace, None] = OrderedDict()
        self._in_work: TilePlace | None = None
        session.layers.repainted.connect(self._on_repainted)
        session.slide_changed.connect(self._on_slide_changed)

    def of(self, place: TilePlace) -> QPixmap | None:
        """Return a tile's picture; None: it is not there, or not yet."""
        if place in self._made:
            self._made.move_to_end(place)
            return self._made[place]
        if place != self._in_work:
            self._wished[place] = None
            if len(self._wished) > _MOST_WISHED:
                self._wished.popitem(last=False)
            self._work()
        return None

    def _work(self) -> None:
        while self._in_work is None and self._wished:
            place, _wish = self._wished.popitem(last=False)
            work = picture_work(self._session, place, SIDE_PX * SHARPNESS)
            if work is None:
                self._made[place] = None
                continue
            self._in_work = place
            self._session.scheduler.submit(work, partial(self._on_made, place))

    def _on_made(self, place: TilePlace, pixels: Rgba | None, _error: BaseException | None) -> None:
        self._in_work = None
        self._made[place] = None if pixels is None else sharp_pixmap(pixels)
        while len(self._made) > _MOST_KEPT:
            self._made.popitem(last=False)
        self.arrived.emit(place)
        self._work()

    def _on_slide_changed(self) -> None:
        """Try again to read what could not be read: its slide may be the open one now."""
        self._made = OrderedDict(item for item in self._made.items() if item[1] is not None)

    def _on_repainted(self, layer: Layer, _rect_l0: Rect | None) -> None:
        """Forget the pictures of a slide that looks otherwise now."""
        slide = self._session.slide
        if slide is not None and layer is self._session.layer_desk.base:
            gone = [one for one in self._made if one.slide_hash == slide.content_hash]
            for place in gone:
                del self._made[place]
