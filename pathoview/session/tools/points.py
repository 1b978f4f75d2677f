"""One click a nucleus: points to count, and to learn from."""

from __future__ import annotations

import shapely

from pathoview.annotations.feature import Feature
from pathoview.core.translation import _
from pathoview.session.tools.tool import NOTHING, DrawingTool, Pointer, Preview


class PointsTool(DrawingTool):
    """A press beside a point sets one; a press on a point chooses it, and a drag moves it."""

    _held: Feature | None = None
    _to: tuple[float, float] | None = None

    @property
    def is_busy(self) -> bool:
        return self._to is not None

    def cursor(self, at: Pointer) -> str:
        return "move" if self._point_at(at) is not None else "cross"

    def _point_at(self, at: Pointer) -> Feature | None:
        here = self.annotations.find(at.x_l0, at.y_l0, at.reach_l0)
        found = (one for one in here if isinstance(one.geometry, shapely.Point))
        return next(found, None)

    def press(self, at: Pointer) -> bool:
        self._held, self._to = self._point_at(at), None
        if self._held is None:
            self.set_point(at)
        else:
            self.annotations.select([self._held.id])
        return True

    def drag(self, at: Pointer) -> None:
        if self._held is not None and not self._held.is_locked:
            self._to = at.place_l0
            self.show(Preview(handles_l0=(self._to,)))

    def release(self, at: Pointer) -> None:
        held, to = self._held, self._to
        self.cancel()
        if held is not None and to is not None:
            self.annotations.reshape(held, shapely.Point(to), _("Move point"))

    def double_click(self, at: Pointer) -> None:
        """Two quick clicks are two presses; the second one is on the point of the first."""

    def cancel(self) -> None:
        self._held = self._to = None
        self.show(NOTHING)

    def set_point(self, at: Pointer) -> None:
        """Add a point."""
        self.annotations.draw(shapely.Point(at.place_l0), _("Set point"))
