"""Paint regions with a round brush."""

from __future__ import annotations

import numpy as np

from pathoview.annotations.shape_sources import stroke_shape
from pathoview.core.translation import _
from pathoview.session.tools.painting import PaintingTool
from pathoview.session.tools.tool import Pointer

_STEP = 0.15
"""Places of a stroke are so many radii apart, at least."""
_TOLERANCE_VIEW = 0.25


class BrushTool(PaintingTool):
    """What the pointer goes over, as wide as the brush; see `PaintingTool`."""

    options = ("brush_view", "brush_follows_zoom", "brush_l0")
    _at: tuple[float, float] = (0.0, 0.0)
    """The last place of the stroke."""

    @property
    def prompt(self) -> str:
        return _("Drag to paint; Alt takes away, Shift goes on with the chosen one, [ ] size.")

    def press(self, at: Pointer) -> bool:
        if self.begin(at):
            self._at = at.place_l0
            self._shape = stroke_shape([at.place_l0], self.radius_l0(at))
            self.look(at)
        return True

    def drag(self, at: Pointer) -> None:
        if not self._is_begun:
            return
        radius, last = self.radius_l0(at), self._at
        if np.hypot(at.x_l0 - last[0], at.y_l0 - last[1]) >= _STEP * radius:
            self._shape = stroke_shape([last, at.place_l0], radius, self._shape)
            self._at = at.place_l0
        self.look(at)

    def release(self, at: Pointer) -> None:
        self.end(_TOLERANCE_VIEW / at.scale)
        self.look(at)


class EraserTool(BrushTool):
    """A brush that takes away, whatever is held down."""

    takes_away = True

    @property
    def prompt(self) -> str:
        return _("Drag to take away from the chosen annotation, or from the one you begin in.")
