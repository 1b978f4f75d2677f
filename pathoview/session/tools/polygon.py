"""Draw a polygon: by clicks, or freehand in one drag."""

from __future__ import annotations

import numpy as np
import shapely

from pathoview.annotations.shapes import tidy
from pathoview.core.translation import _
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.tool import (
    BACK,
    REACH_VIEW,
    DrawingTool,
    Outline,
    Pointer,
    Points,
    Preview,
)

_AREA = shapely.Polygon()
_FREEHAND_VIEW = 6.0
"""A press that is dragged farther draws freehand."""
_STEP_VIEW = 2.0
"""Freehand points are as far apart, at least."""


class PolygonTool(DrawingTool):
    """Clicks set corners; a double click, Return or a click on the first one closes it."""

    options: tuple[str, ...] = (BACK,)
    is_open_line = False
    """A polyline: it ends where the last click was."""

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._corners: list[tuple[float, float]] = []
        self._is_freehand = False
        self._is_pressed = False

    @property
    def prompt(self) -> str:
        return _("Click corners, a double click or Return closes it; or drag to draw freehand.")

    @property
    def is_busy(self) -> bool:
        return bool(self._corners)

    def press(self, at: Pointer) -> bool:
        self._is_pressed = True
        if self._is_closed_by(at):
            self._finish(at)
        else:
            self._corners.append(at.place_l0)
            self._show(at)
        return True

    def drag(self, at: Pointer) -> None:
        if not self._is_pressed or not self._corners:
            return
        far = self._distance_view(self._corners[-1], at)
        if self._is_freehand or (len(self._corners) == 1 and far > _FREEHAND_VIEW):
            self._is_freehand = True
            if far >= _STEP_VIEW:
                self._corners.append(at.place_l0)
        self._show(at)

    def release(self, at: Pointer) -> None:
        self._is_pressed = False
        if self._is_freehand:
            self._corners.append(at.place_l0)
            self._finish(at)

    def hover(self, at: Pointer) -> None:
        if self._corners:
            self._show(at)

    def double_click(self, at: Pointer) -> None:
        self._finish(at)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset({"return", "backspace"} if self._corners else ())

    def key(self, name: str) -> bool:
        if name == "return":
            self._finish(None)
        else:
            self._corners.pop()
            self.show(self._preview(None))
        return True

    def cancel(self) -> None:
        self._corners.clear()
        self._is_freehand = self._is_pressed = False
        super().cancel()

    def _finish(self, at: Pointer | None) -> None:
        corners, is_freehand = np.array(self._corners), self._is_freehand
        scale = 1.0 if at is None else at.scale
        self.cancel()
        shape = self.shape(corners, simplify_l0=0.5 / scale if is_freehand else 0.0)
        if shape is not None:
            self.add(shape)
        elif at is not None and len(corners) <= 1:
            self.annotations.click(at.x_l0, at.y_l0, at.reach_l0)

    def shape(self, corners: Points, simplify_l0: float) -> shapely.Geometry | None:
        """Return the polygon of some corners, valid; None when it has no area."""
        if len(corners) < 3:
            return None
        return tidy(shapely.simplify(shapely.Polygon(corners), simplify_l0), _AREA)

    def add(self, shape: shapely.Geometry) -> None:
        """Add the annotation."""
        self.commit(shape, _("Draw polygon"))

    def _is_closed_by(self, at: Pointer) -> bool:
        if self.is_open_line or len(self._corners) < 3:
            return False
        return self._distance_view(self._corners[0], at) <= REACH_VIEW

    @staticmethod
    def _distance_view(corner: tuple[float, float], at: Pointer) -> float:
        return float(np.hypot(corner[0] - at.x_l0, corner[1] - at.y_l0)) * at.scale

    def _show(self, at: Pointer) -> None:
        self.show(self._preview(at))

    def _preview(self, at: Pointer | None) -> Preview:
        corners = [*self._corners, *([] if at is None else [at.place_l0])]
        outline = Outline(
            np.array(corners).reshape(-1, 2),
            is_closed=not self.is_open_line,
            is_dashed=self.kit.is_selecting,
        )
        return Preview((outline,), () if self._is_freehand else tuple(self._corners))


class PolylineTool(PolygonTool):
    """A line by clicks or freehand, by itself a scribble inside a class."""

    is_open_line = True
    options = ("polyline_role", BACK)

    @property
    def prompt(self) -> str:
        return _("Click points, a double click or Return ends the line; or drag to draw freehand.")

    def shape(self, corners: Points, simplify_l0: float) -> shapely.Geometry | None:
        """Return the line; None when it is too short to be one."""
        if len(corners) < 2:
            return None
        return tidy(shapely.simplify(shapely.LineString(corners), simplify_l0))

    def add(self, shape: shapely.Geometry) -> None:
        """Add the annotation."""
        role = self.kit.settings.polyline_role
        self.commit(shape, _("Scribble") if role else _("Draw polyline"), role)
