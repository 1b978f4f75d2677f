"""Composes what one canvas shows, block by block, on a thread of its own.

The canvas says where it looks (`Compositor.show`) and draws the `Picture` it is given: copying
finished blocks is all that the window's thread does. A tile that arrives has only the blocks it
touches composed again; a pan only those that come into view. A zoom makes new blocks, and the last
picture, enlarged or shrunk, is shown until they are there. Below it lies `Picture.base`, the whole
slide in few px, so that nothing is ever blank.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from psygnal import Signal

from pathoview.core.pyramid import TileKey
from pathoview.core.threads import work_in_background
from pathoview.layers.blocks import MARGIN_PX, Blocks, tiles_seen
from pathoview.layers.picture import Order, Picture
from pathoview.layers.scheduler import TileScheduler
from pathoview.layers.side_work import Post
from pathoview.layers.source import TileSource
from pathoview.layers.wishes import Wish

_logger = logging.getLogger(__name__)

_STEPS_BEHIND = 2
"""How far it gives way to the window on a busy processor."""
_AHEAD_PX = 512
"""Tiles this far ahead of a moving view are read when there is nothing else to read."""


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
        self._spoilt: list[Wish] = []
        self._is_closed = self._is_busy = False
        self._is_told = True
        self._next: Picture | None = None
        self._way = (0, 0)
        self._work = Blocks(scheduler)
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
        self._thread.join(2.0)
        self._scheduler.forget_client(self)  # only now: the thread may just have wished

    def _on_tile(self, source: TileSource, key: TileKey) -> None:
        with self._state:
            self._spoilt.append((source, key))
            self._state.notify_all()

    def _on_failure(self, source: TileSource, key: TileKey, _reason: str) -> None:
        self._on_tile(source, key)

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        work_in_background(_STEPS_BEHIND)
        while True:
            with self._state:
                while not (self._is_closed or self._is_new or self._spoilt):
                    self._is_busy = False
                    self._state.wait()
                if self._is_closed:
                    return
                order, spoilt, way = self._order, self._spoilt, self._way
                self._is_new, self._spoilt, self._is_busy = False, [], True
            try:
                self._compose(order, spoilt, way)
            except Exception:
                # The canvas keeps the picture it has; the next order tries again.
                _logger.exception("a view cannot be composed")
                self._work = Blocks(self._scheduler)

    def _compose(self, order: Order | None, spoilt: Sequence[Wish], way: tuple[int, int]) -> None:
        if order is None:
            self._work = Blocks(self._scheduler)
            return
        self._scheduler.request(*_wishes(order, way), self)
        self._work.take(order, spoilt)
        for picture in self._work.pictures(order, self._latest):
            self._tell(order, picture)

    def _latest(self) -> Order | None:
        """Return what is wanted by now; None: nothing more."""
        return None if self._is_closed else self._order

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


def _wishes(order: Order, way: tuple[int, int]) -> tuple[Sequence[Wish], Sequence[Wish]]:
    """Return the tiles seen, those in the middle first, and those to be read ahead."""
    frame = order.frame
    wanted = dict.fromkeys(tiles_seen(order, frame))
    ahead = dict.fromkeys(tiles_seen(order, frame.expanded(MARGIN_PX)))
    if any(way):
        step = [(value > 0) - (value < 0) for value in way]
        ahead |= dict.fromkeys(
            tiles_seen(order, frame.moved(step[0] * _AHEAD_PX, step[1] * _AHEAD_PX))
        )
    return tuple(wanted), tuple(wish for wish in ahead if wish not in wanted)
