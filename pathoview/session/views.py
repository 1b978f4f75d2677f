"""The canvases that are seen side by side, each with a look of its own at the same layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from psygnal import Signal

from pathoview.core.pyramid import Plane
from pathoview.session.view import View
from pathoview.session.viewport import Viewport

COUNTS = (1, 2, 4)


class Views:
    """One, two or four views; linked ones look at the same place in the same way."""

    changed = Signal()
    """How many there are, which is the active one, whether they are linked, what is compared."""
    viewport_changed = Signal()
    """The active view looks elsewhere."""

    def __init__(self, make: Callable[[], View]) -> None:
        self._make = make
        self._views: list[View] = []
        self._active = 0
        self._is_linked = True
        self._is_following = False
        self._plane = Plane()
        self._add()

    @property
    def all(self) -> Sequence[View]:
        return tuple(self._views)

    @property
    def active(self) -> View:
        """The view that commands and keys work on."""
        return self._views[self._active]

    def activate(self, view: View) -> None:
        if view is not self.active:
            self._active = self._views.index(view)
            self.changed.emit()
            self.viewport_changed.emit()

    def set_count(self, n: int) -> None:
        """Show that many canvases, of `COUNTS`; new ones look where the active one does.

        If the active one goes, the last one that stays takes its place.
        """
        active, going = self.active, self._views[n:]
        del self._views[n:]
        self._active = min(self._active, n - 1)
        while len(self._views) < n:
            self._add()
        if active in going:
            self.active.viewport.take(active.viewport)
        self.changed.emit()
        for view in going:
            view.close()

    @property
    def is_linked(self) -> bool:
        return self._is_linked

    @is_linked.setter
    def is_linked(self, is_linked: bool) -> None:
        if is_linked != self._is_linked:
            self._is_linked = is_linked
            if is_linked:
                self._follow(self.active.viewport)
            self.changed.emit()

    @property
    def plane(self) -> Plane:
        """Which plane of a stack all of them show."""
        return self._plane

    @plane.setter
    def plane(self, plane: Plane) -> None:
        self._plane = plane
        for view in self._views:
            view.plane = plane

    def set_slide(self, width: int, height: int) -> None:
        """Look at the whole of another slide, level-0 px."""
        self._is_following = True
        for view in self._views:
            view.viewport.set_slide(width, height)
        self._is_following = False
        self._on_moved(self.active)

    def forget(self) -> None:
        """Drop all pictures: the slide is closed."""
        self.plane = Plane()
        for view in self._views:
            view.forget()

    def close(self) -> None:
        for view in self._views:
            view.close()

    def _add(self) -> None:
        view = self._make()
        view.plane = self._plane
        if self._views:
            first = self.active.viewport
            view.viewport.slide_l0 = first.slide_l0
            view.viewport.size_view = first.size_view
            view.viewport.take(first)
        self._views.append(view)
        view.viewport.changed.connect(partial(self._on_moved, view))
        view.curtain.changed.connect(self.changed)

    def _on_moved(self, view: View) -> None:
        if self._is_following:
            return
        if self._is_linked:
            self._follow(view.viewport)
        self.viewport_changed.emit()

    def _follow(self, leader: Viewport) -> None:
        self._is_following = True
        for view in self._views:
            if view.viewport is not leader:
                view.viewport.take(leader)
        self._is_following = False
