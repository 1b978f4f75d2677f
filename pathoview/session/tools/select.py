"""Choose annotations and move them about; elsewhere a drag moves the slide."""

from __future__ import annotations

from dataclasses import replace

from pathoview.annotations.feature import Feature
from pathoview.annotations.shape_edits import translate
from pathoview.core.translation import ngettext
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import NOTHING, DrawingTool, Pointer, Preview

_MOST_SHOWN = 100
"""Of many that are moved, some show the way."""


class SelectTool(DrawingTool):
    """A press inside a chosen annotation, and a drag, moves all that are chosen."""

    _start: Pointer | None = None
    _moving: tuple[Feature, ...] = ()
    _by: tuple[float, float] = (0.0, 0.0)

    @property
    def is_busy(self) -> bool:
        return self._start is not None

    def cursor(self, at: Pointer) -> str:
        return "move" if self._held(at) else "arrow"

    def _held(self, at: Pointer) -> tuple[Feature, ...]:
        """Return what a drag from here would move."""
        chosen = self.annotations.selected
        if not chosen or not self.annotations.can_edit:
            return ()
        ids = self.annotations.selected_ids
        here = self.annotations.find(at.x_l0, at.y_l0, at.reach_l0)
        if not any(feature.id in ids for feature in here):
            return ()
        return tuple(feature for feature in chosen if not feature.is_locked)

    def press(self, at: Pointer) -> bool:
        self._moving = () if at.is_shift or at.is_ctrl else self._held(at)
        if not self._moving:
            return False
        self._start, self._by = at, (0.0, 0.0)
        return True

    def drag(self, at: Pointer) -> None:
        if self._start is None:
            return
        self._by = at.x_l0 - self._start.x_l0, at.y_l0 - self._start.y_l0
        moved = (translate(feature.geometry, *self._by) for feature in self._moving[:_MOST_SHOWN])
        shown = (shape for shape in moved if shape is not None)
        self.show(Preview(tuple(line for shape in shown for line in outlines_of(shape))))

    def release(self, at: Pointer) -> None:
        start, self._start = self._start, None
        self.show(NOTHING)
        if start is None:
            return
        if not any(self._by):
            self.annotations.click(at.x_l0, at.y_l0, at.reach_l0)
            return
        n = len(self._moving)
        name = ngettext("Move annotation", "Move {n} annotations", n).format(n=n)
        by = self._by
        self.annotations.edit(
            name,
            self._moving,
            lambda one: replace(one, geometry=translate(one.geometry, *by) or one.geometry),
        )

    def cancel(self) -> None:
        self._start, self._moving = None, ()
        super().cancel()
