"""Draw a rectangle, or the ellipse in one, from corner to corner."""

from __future__ import annotations

import numpy as np
import shapely

from pathoview.annotations.geojson_geometry import ellipse_in
from pathoview.annotations.shape_sources import ellipse
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.tools.measure import size_text
from pathoview.session.tools.tool import BACK, DrawingTool, Outline, Pointer, Points, Preview

_SMALLEST_VIEW = 4.0
"""A drag of fewer px of the view is a click."""


class RectangleTool(DrawingTool):
    """Shift makes it a square."""

    options: tuple[str, ...] = ("rectangle_role", BACK)
    _start: Pointer | None = None
    _rect_l0: Rect | None = None

    @property
    def prompt(self) -> str:
        return _("Drag a rectangle from corner to corner; Shift makes a square.")

    @property
    def is_busy(self) -> bool:
        return self._start is not None

    def press(self, at: Pointer) -> bool:
        self._start, self._rect_l0 = at, None
        return True

    def drag(self, at: Pointer) -> None:
        if self._start is None:
            return
        dx, dy = at.x_l0 - self._start.x_l0, at.y_l0 - self._start.y_l0
        if at.is_shift:
            side = max(abs(dx), abs(dy))
            dx, dy = float(np.copysign(side, dx)), float(np.copysign(side, dy))
        x, y = self._start.place_l0
        corners = (min(x, x + dx), min(y, y + dy), max(x, x + dx), max(y, y + dy))
        self._rect_l0 = Rect.from_corners(*corners)
        outline = Outline(
            self.points(self._rect_l0), is_closed=True, is_dashed=self.kit.is_selecting
        )
        text = size_text(self._rect_l0.width, self._rect_l0.height, self.kit.mpp)
        self.show(Preview((outline,), text=text, text_l0=at.place_l0))

    def release(self, at: Pointer) -> None:
        rect_l0 = self._rect_l0
        self.cancel()
        if rect_l0 is None or min(rect_l0.width, rect_l0.height) * at.scale < _SMALLEST_VIEW:
            self.annotations.click(at.x_l0, at.y_l0, at.reach_l0)
            return
        self.finish(rect_l0)

    def points(self, rect_l0: Rect) -> Points:
        """Return the outline in a rectangle, (n, 2), not closed."""
        return np.array(
            [
                (rect_l0.x, rect_l0.y),
                (rect_l0.right, rect_l0.y),
                (rect_l0.right, rect_l0.bottom),
                (rect_l0.x, rect_l0.bottom),
            ]
        )

    def finish(self, rect_l0: Rect) -> None:
        """Add the annotation."""
        role = self.kit.settings.rectangle_role
        name = _("Draw fully labelled rectangle") if role == "full" else _("Draw rectangle")
        self.commit(shapely.Polygon(self.points(rect_l0)), name, role)

    def cancel(self) -> None:
        self._start = self._rect_l0 = None
        super().cancel()


class EllipseTool(RectangleTool):
    """Shift makes it a circle."""

    options = (BACK,)

    @property
    def prompt(self) -> str:
        return _("Drag an ellipse from corner to corner of its box; Shift makes a circle.")

    def points(self, rect_l0: Rect) -> Points:
        """Return the outline in a rectangle, (n, 2), not closed."""
        box = shapely.box(rect_l0.x, rect_l0.y, rect_l0.right, rect_l0.bottom)
        points: Points = shapely.get_coordinates(ellipse_in(box))[:-1]
        return points

    def finish(self, rect_l0: Rect) -> None:
        """Add the annotation."""
        shape = ellipse(rect_l0.x, rect_l0.y, rect_l0.right, rect_l0.bottom)
        if shape is not None:
            self.commit(shape, _("Draw ellipse"), is_ellipse=True)
