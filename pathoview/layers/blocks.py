"""The blocks of one look at some layers: which are stale, and how they are composed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from pathoview.core.pyramid import TileKey
from pathoview.layers import backdrop
from pathoview.layers.compose import Shown, draw_layers
from pathoview.layers.frame import Frame, Look
from pathoview.layers.picture import BLOCK_PX, Base, Bgra, Order, Picture, Place, places
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.source import Rgba
from pathoview.layers.wishes import Wish

MARGIN_PX = 256
"""Blocks this far beyond the edges of the view are composed once the view itself is."""
_BASE_PX = 768
"""Longer side of the base picture."""
_PAUSE_S = 0.012
"""A pan shows what has been composed so far after this time, then goes on."""


class Blocks:
    """The blocks of one look of some layers; used by the compositor's thread only."""

    def __init__(self, scheduler: TileScheduler) -> None:
        self._scheduler = scheduler
        self._order: Order | None = None
        self._blocks: dict[Place, Bgra] = {}
        self._stale: set[Place] = set()
        self._base: Base | None = None
        self._is_base_stale = True
        self._has_shown = False
        """Whether a picture of this look has been shown already."""

    def take(self, order: Order, spoilt: Sequence[Wish]) -> None:
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
        sources = {id(item.source): item for item in order.shown}
        for source, key in spoilt:
            if id(source) in sources:
                self._is_base_stale = True
                self._stale.update(self._touched(order, sources[id(source)], key))
        self._stale &= self._blocks.keys()

    def _touched(self, order: Order, item: Shown, key: TileKey) -> Iterator[Place]:
        """Yield the blocks that show a tile that has come, in its own place or as a stand-in."""
        look, pyramid = order.frame.look, item.source.pyramid
        level = pyramid.level_for(1 / look.scale)
        is_copied = look.is_upright and look.scale * pyramid.levels[level].downsample == 1
        # Smooth drawing mixes neighbours, also across the edge of a block.
        reach_px = 0 if is_copied else 2
        tile_l0 = pyramid.tile_l0(key)
        if key.level == level:
            yield from places(look.affine.rect(tile_l0).expanded(reach_px))
            return
        near_l0 = order.frame.expanded(MARGIN_PX).visible_l0.intersection(tile_l0)
        for other in pyramid.tiles_in(near_l0, level, item.plane):
            if self._scheduler.get(item.source, other) is None:
                rect_px = look.affine.rect(pyramid.tile_l0(other))
                yield from places(rect_px.expanded(reach_px))

    def pictures(self, order: Order, latest: Callable[[], Order | None]) -> Iterator[Picture]:
        """Compose what is missing or stale, what is seen first; yield what can be shown.

        ``latest`` tells what is wanted by now. What helps to show that, too, is finished first:
        a view that moves all the time would never be composed otherwise.
        """
        if self._base is None:
            self._compose_base(order)
            yield self._picture(order)
        is_sharp = self._is_fulfilled(order)
        last = time.monotonic()
        for place in self._todo(order.frame):
            wanted = latest()
            if wanted is not order and not self._helps(order, wanted, place):
                if self._has_shown:
                    yield self._picture(order)
                return
            self._compose(order, place)
            now = time.monotonic()
            if self._has_shown and now - last > _PAUSE_S:
                last = now
                yield self._picture(order)
        self._has_shown = True
        yield self._picture(order, is_sharp=is_sharp)
        yield from self._surroundings(order, latest, is_sharp)

    def _helps(self, order: Order, wanted: Order | None, place: Place) -> bool:
        """Whether a block that is not ordered any more should be composed all the same."""
        if wanted is None or wanted.slide_l0 != order.slide_l0:
            return False
        old, new = order.frame.look, wanted.frame.look
        if old == new:
            return place not in self._blocks  # stale ones can wait
        is_near = 0.5 < new.scale / old.scale < 2 and old.is_upright == new.is_upright
        return is_near and not self._has_shown

    def _surroundings(
        self, order: Order, latest: Callable[[], Order | None], is_sharp: bool
    ) -> Iterator[Picture]:
        """Compose what is not seen: the margin, and the base picture when something changed."""
        margin = self._todo(order.frame.expanded(MARGIN_PX))
        for place in margin:
            if latest() is not order:
                return
            self._compose(order, place)
        self._drop_far(order.frame)
        if margin or self._is_base_stale:
            if self._is_base_stale:
                self._compose_base(order)
            yield self._picture(order, is_sharp=is_sharp)

    def _is_fulfilled(self, order: Order) -> bool:
        """Whether all tiles that are seen are there, or known to be unreadable."""
        return all(
            self._scheduler.get(*wish) is not None or self._scheduler.failure(*wish) is not None
            for wish in tiles_seen(order, order.frame)
        )

    def _todo(self, frame: Frame) -> list[Place]:
        """Return the blocks of a frame to compose: missing ones first, then those in the middle."""
        x, y = (value / BLOCK_PX - 0.5 for value in frame.rect_px.center)
        open_places = [
            place
            for place in places(frame.rect_px)
            if place not in self._blocks or place in self._stale
        ]

        def urgency(place: Place) -> tuple[bool, float]:
            return place in self._blocks, (place[0] - x) ** 2 + (place[1] - y) ** 2

        return sorted(open_places, key=urgency)

    def _compose(self, order: Order, place: Place) -> None:
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
        near = set(places(frame.expanded(MARGIN_PX + BLOCK_PX).rect_px))
        for place in [place for place in self._blocks if place not in near]:
            del self._blocks[place]
            self._stale.discard(place)

    def _picture(self, order: Order, *, is_sharp: bool = False) -> Picture:
        blocks = dict(self._blocks) if self._has_shown else {}
        return Picture(order.frame.look, blocks, self._base, is_sharp)


def tiles_seen(order: Order, frame: Frame) -> list[Wish]:
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
