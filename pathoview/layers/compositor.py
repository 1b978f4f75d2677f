"""Composes what one canvas shows, block by block, on a thread of its own.

The canvas says where it looks (`Compositor.show`) and draws the `Picture` it is given: copying
finished blocks is all that the window's thread does. A tile that arrives has only the blocks it
touches composed again; a pan only those that come into view. A zoom makes new blocks, and the last
picture, enlarged or shrunk, is shown until they are there. Below it lies `Picture.base`, the whole
slide in few px, so that nothing is ever blank.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.layers import backdrop
from pathoview.layers.backdrop import Backdrop
from pathoview.layers.compose import Shown, draw_layers
from pathoview.layers.frame import Frame, Look
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.side_work import Post
from pathoview.layers.source import Rgba, TileSource
from pathoview.layers.wishes import Wish

BLOCK_PX = 512
_MARGIN_PX = 256
"""Blocks this far beyond the edges of the view are composed once the view itself is."""
_AHEAD_PX = 512
"""Tiles this far ahead of a moving view are read when there is nothing else to read."""
_BASE_PX = 768
"""Longer side of the base picture."""
_PAUSE_S = 0.012
"""A pan shows what has been composed so far after this time, then goes on."""

Bgra = npt.NDArray[np.uint8]
"""(height, width, 4) uint8, blue, green, red, 255: what screens take."""
_Place = tuple[int, int]
"""Column and row of a block in the plane of its look."""


@dataclass(frozen=True, slots=True)
class Base:
    """The whole slide, upright, in few px."""

    pixels: Bgra
    frame: Frame


@dataclass(frozen=True, slots=True)
class Picture:
    """Finished blocks of one look."""

    look: Look
    blocks: Mapping[_Place, Bgra] = field(default_factory=dict)
    base: Base | None = None
    is_final: bool = False
    """All that was to be seen is there, from the tiles that were wanted."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a canvas wants to see."""

    frame: Frame
    shown: tuple[Shown, ...]
    backdrop: Backdrop
    slide_l0: Rect


class Compositor:
    """All methods are called in the window's thread; its signal is emitted there, too."""

    changed = Signal()
    """`picture` is another one."""

    def __init__(self, scheduler: TileScheduler, post: Post) -> None:
        self.picture: Picture | None = None
        self._scheduler = scheduler
        self._post = post
        self._state = threading.Condition()
        self._order: Order | None = None
        self._is_new = False
        self._spoilt: list[tuple[TileSource, Rect]] = []
        self._is_closed = self._is_busy = False
        self._is_told = True
        self._next: Picture | None = None
        self._way = (0, 0)
        self._work = _Work(scheduler)
        scheduler.ready.connect(self._on_tile)
        scheduler.failed.connect(self._on_failure)
        self._thread = threading.Thread(target=self._run, name="compositor", daemon=True)
        self._thread.start()

    def show(self, order: Order) -> None:
        """Compose another view, or the same one of other layers."""
        with self._state:
            if order == self._order:
                return
            if self._order is not None and self._order.frame.look == order.frame.look:
                self._way = (
                    order.frame.left - self._order.frame.left,
                    order.frame.top - self._order.frame.top,
                )
            self._order, self._is_new = order, True
            self._state.notify_all()

    def wish_again(self) -> None:
        """Ask for the tiles of the view again: some of them have changed."""
        with self._state:
            self._is_new = self._order is not None
            self._state.notify_all()

    def forget(self) -> None:
        """Drop everything: another slide is opened."""
        with self._state:
            self._order, self._is_new, self._spoilt = None, True, []
            self._next, self.picture = None, None
            self._state.notify_all()
        self._scheduler.forget_client(self)
        self.changed.emit()

    @property
    def is_idle(self) -> bool:
        """Whether all that was ordered is composed, as far as there are tiles."""
        with self._state:
            return not (self._is_new or self._spoilt or self._is_busy) and self._is_told

    def close(self) -> None:
        with self._state:
            self._is_closed = True
            self._state.notify_all()
        self._scheduler.ready.disconnect(self._on_tile)
        self._scheduler.failed.disconnect(self._on_failure)
        self._scheduler.forget_client(self)
        self._thread.join(2.0)

    def _on_tile(self, source: TileSource, key: TileKey) -> None:
        with self._state:
            self._spoilt.append((source, source.pyramid.tile_l0(key)))
            self._state.notify_all()

    def _on_failure(self, source: TileSource, key: TileKey, _reason: str) -> None:
        self._on_tile(source, key)

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._state:
                while not (self._is_closed or self._is_new or self._spoilt):
                    self._is_busy = False
                    self._state.wait()
                if self._is_closed:
                    return
                order, spoilt, way = self._order, self._spoilt, self._way
                self._is_new, self._spoilt, self._is_busy = False, [], True
            if order is None:
                self._work = _Work(self._scheduler)
                continue
            self._scheduler.request(*_wishes(order, way), self)
            self._work.take(order, spoilt)
            for picture in self._work.pictures(order, self._is_overtaken):
                self._tell(order, picture)

    def _is_overtaken(self, order: Order) -> bool:
        """Whether what is being composed is not wanted any more."""
        wanted = self._order
        return self._is_closed or wanted is None or wanted.frame.look != order.frame.look

    def _tell(self, order: Order, picture: Picture) -> None:
        with self._state:
            if self._order is None or self._order.slide_l0 != order.slide_l0:
                return
            self._next = picture
            if not self._is_told:
                return
            self._is_told = False
        self._post(self._deliver)

    def _deliver(self) -> None:
        with self._state:
            picture, self._next, self._is_told = self._next, None, True
        if picture is not None and not self._is_closed:
            self.picture = picture
            self.changed.emit()


class _Work:
    """The blocks of one look of some layers; used by the compositor's thread only."""

    def __init__(self, scheduler: TileScheduler) -> None:
        self._scheduler = scheduler
        self._order: Order | None = None
        self._blocks: dict[_Place, Bgra] = {}
        self._stale: set[_Place] = set()
        self._base: Base | None = None
        self._is_base_stale = True
        self._has_shown = False
        """Whether a picture of this look has been shown already."""

    def take(self, order: Order, spoilt: Sequence[tuple[TileSource, Rect]]) -> None:
        """Note what another order, and the tiles that have come, make stale."""
        old, self._order = self._order, order
        if old is None or old.frame.look != order.frame.look:
            self._blocks, self._stale, self._has_shown = {}, set(), False
        is_restyled = old is None or (old.shown, old.backdrop, old.slide_l0) != (
            order.shown,
            order.backdrop,
            order.slide_l0,
        )
        if is_restyled:
            self._stale.update(self._blocks)
            self._is_base_stale = True
        sources = {id(item.source) for item in order.shown}
        for source, rect_l0 in spoilt:
            if id(source) in sources:
                self._is_base_stale = True
                self._stale.update(places(order.frame.look.affine.rect(rect_l0).expanded(2)))
        self._stale &= self._blocks.keys()

    def pictures(self, order: Order, is_overtaken: Callable[[Order], bool]) -> Iterator[Picture]:
        """Compose what is missing or stale, what is seen first; yield what can be shown."""
        if self._base is None:
            self._compose_base(order)
            yield self._picture(order, is_final=False)
        last = time.monotonic()
        for place in self._todo(order.frame):
            self._compose(order, place)
            now = time.monotonic()
            if self._has_shown and now - last > _PAUSE_S:
                last = now
                yield self._picture(order, is_final=False)
            if is_overtaken(order):
                return
        self._has_shown = True
        yield self._picture(order, is_final=True)
        margin = self._todo(order.frame.expanded(_MARGIN_PX))
        for place in margin:
            self._compose(order, place)
            if is_overtaken(order):
                return
        if self._is_base_stale:
            self._compose_base(order)
            margin.append((0, 0))
        self._drop_far(order.frame)
        if margin:
            yield self._picture(order, is_final=True)

    def _todo(self, frame: Frame) -> list[_Place]:
        """Return the blocks of a frame to compose, those in the middle first."""
        x, y = (value / BLOCK_PX - 0.5 for value in frame.rect_px.center)
        open_places = [
            place
            for place in places(frame.rect_px)
            if place not in self._blocks or place in self._stale
        ]
        return sorted(open_places, key=lambda place: (place[0] - x) ** 2 + (place[1] - y) ** 2)

    def _compose(self, order: Order, place: _Place) -> None:
        column, row = place
        look = order.frame.look
        frame = Frame(look, column * BLOCK_PX, row * BLOCK_PX, BLOCK_PX, BLOCK_PX)
        self._blocks[place] = self._composed(order, frame)
        self._stale.discard(place)

    def _composed(self, order: Order, frame: Frame) -> Bgra:
        picture = backdrop.blank(order.backdrop, frame, order.slide_l0)
        draw_layers(picture, order.shown, frame.to_px, self._scheduler.pieces)
        for item in order.shown:
            self._mark_failures(picture, item, frame)
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA), np.uint8)

    def _mark_failures(self, picture: Rgba, item: Shown, frame: Frame) -> None:
        if not self._scheduler.has_failures:
            return
        pyramid = item.source.pyramid
        for key in pyramid.tiles_in(
            frame.visible_l0, pyramid.level_for(1 / frame.scale), item.plane
        ):
            if self._scheduler.failure(item.source, key) is not None:
                backdrop.hatch(picture, frame, pyramid.tile_l0(key))

    def _compose_base(self, order: Order) -> None:
        slide_l0 = order.slide_l0
        scale = min(1.0, _BASE_PX / max(slide_l0.width, slide_l0.height))
        width, height = (
            max(1, math.ceil(side * scale)) for side in (slide_l0.width, slide_l0.height)
        )
        frame = Frame(Look(scale), 0, 0, width, height)
        self._base, self._is_base_stale = Base(self._composed(order, frame), frame), False

    def _drop_far(self, frame: Frame) -> None:
        near = set(places(frame.expanded(_MARGIN_PX + BLOCK_PX).rect_px))
        for place in [place for place in self._blocks if place not in near]:
            del self._blocks[place]
            self._stale.discard(place)

    def _picture(self, order: Order, *, is_final: bool) -> Picture:
        if not self._has_shown and not is_final:
            return Picture(order.frame.look, {}, self._base)
        return Picture(order.frame.look, dict(self._blocks), self._base, is_final)


def places(rect_px: Rect) -> Iterator[_Place]:
    """Yield the blocks that a rectangle of the plane touches."""
    for row in range(math.floor(rect_px.y / BLOCK_PX), math.ceil(rect_px.bottom / BLOCK_PX)):
        for column in range(math.floor(rect_px.x / BLOCK_PX), math.ceil(rect_px.right / BLOCK_PX)):
            yield column, row


def _wishes(order: Order, way: tuple[int, int]) -> tuple[Sequence[Wish], Sequence[Wish]]:
    """Return the tiles seen, those in the middle first, and those to be read ahead."""
    frame = order.frame
    wanted = dict.fromkeys(_tiles(order, frame))
    ahead = dict.fromkeys(_tiles(order, frame.expanded(_MARGIN_PX)))
    if any(way):
        step = [(value > 0) - (value < 0) for value in way]
        ahead |= dict.fromkeys(_tiles(order, frame.moved(step[0] * _AHEAD_PX, step[1] * _AHEAD_PX)))
    return tuple(wanted), tuple(wish for wish in ahead if wish not in wanted)


def _tiles(order: Order, frame: Frame) -> list[Wish]:
    """Return the tiles of all layers in a frame, those in its middle first."""
    seen_l0 = frame.visible_l0
    x_l0, y_l0 = seen_l0.center

    def distance(wish: Wish) -> float:
        tile_x, tile_y = wish[0].pyramid.tile_l0(wish[1]).center
        return (tile_x - x_l0) ** 2 + (tile_y - y_l0) ** 2

    wishes = []
    for item in order.shown:
        pyramid = item.source.pyramid
        level = pyramid.level_for(1 / frame.scale)
        wishes += [(item.source, key) for key in pyramid.tiles_in(seen_l0, level, item.plane)]
    return sorted(wishes, key=distance)
