"""Draw a straight line: a ruler, an arrow, or just a line."""

from __future__ import annotations

import math

import numpy as np
import shapely

from pathoview.core.translation import _
from pathoview.session.tools.measure import line_text
from pathoview.session.tools.tool import BACK, DrawingTool, Outline, Pointer, Points, Preview

_SHORTEST_VIEW = 4.0
"""A drag of fewer px of the view is a click."""
HEAD_VIEW = 14.0
"""Length of an arrow's barbs."""
_HEAD_RAD = math.radians(25)
_SNAP_RAD = math.radians(15)


class LineTool(DrawingTool):
    """Shift keeps the line at whole multiples of 15°."""

    options = ("line_role", BACK)
    _start: Pointer | None = None

    @property
    def prompt(self) -> str:
        said = {
            "ruler": _("Drag to measure a length and an angle; Shift turns by 15°."),
            "arrow": _("Drag an arrow towards what it points at; Shift turns by 15°."),
            "": _("Drag a line; Shift turns by 15°."),
        }
        return said[self.kit.settings.line_role]

    @property
    def is_busy(self) -> bool:
        return self._start is not None

    def press(self, at: Pointer) -> bool:
        self._start = at
        return True

    def drag(self, at: Pointer) -> None:
        if self._start is None:
            return
        points = self._points(self._start, at)
        role = self.kit.settings.line_role
        heads = arrow_head(points, HEAD_VIEW / at.scale) if role == "arrow" else ()
        text = "" if role == "arrow" else line_text(points, self.kit.mpp)
        self.show(Preview((*heads, Outline(points)), tuple(map(_place, points)), text=text))

    def release(self, at: Pointer) -> None:
        start = self._start
        self.cancel()
        if start is None:
            return
        if start.way_view(at) < _SHORTEST_VIEW:
            self.annotations.click(at.x_l0, at.y_l0, at.reach_l0)
            return
        role = self.kit.settings.line_role
        names = {"ruler": _("Draw ruler"), "arrow": _("Draw arrow"), "": _("Draw line")}
        self.commit(shapely.LineString(self._points(start, at)), names[role], role)

    def cancel(self) -> None:
        self._start = None
        super().cancel()

    @staticmethod
    def _points(start: Pointer, end: Pointer) -> Points:
        x, y = end.place_l0
        if end.is_shift:
            x, y = snapped(start.place_l0, (x, y))
        return np.array([start.place_l0, (x, y)])


def snapped(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Return the end of a line as long, at the nearest whole multiple of 15°."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    angle = round(math.atan2(dy, dx) / _SNAP_RAD) * _SNAP_RAD
    length = math.hypot(dx, dy)
    return start[0] + length * math.cos(angle), start[1] + length * math.sin(angle)


def arrow_head(points_l0: Points, length_l0: float) -> tuple[Outline, ...]:
    """Return the barbs at the end of a line."""
    dx, dy = points_l0[-1] - points_l0[-2]
    if not (dx or dy):
        return ()
    back = math.atan2(-dy, -dx)
    tip = points_l0[-1]
    barbs = [
        tip + length_l0 * np.array([math.cos(angle), math.sin(angle)])
        for angle in (back - _HEAD_RAD, back + _HEAD_RAD)
    ]
    return (Outline(np.array([barbs[0], tip, barbs[1]])),)


def _place(point: Points) -> tuple[float, float]:
    return float(point[0]), float(point[1])
