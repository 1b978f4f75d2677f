"""Paint regions with a round brush."""

from __future__ import annotations

import numpy as np
import shapely

from pathoview.annotations.feature import Feature
from pathoview.annotations.shapes import merge, subtract, tidy
from pathoview.core.translation import _
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import NOTHING, DrawingTool, Pointer, Preview

_WHEEL_STEP = 1.1
_KEY_STEP = 1.2
_STEP = 0.15
"""Places of a stroke are so many radii apart, at least."""


class BrushTool(DrawingTool):
    """A stroke begun inside an annotation of the same class goes on with it; else it is a new one.

    Alt takes away; Shift goes on with the chosen annotation, wherever the stroke begins.
    """

    takes_away = False
    """The eraser."""

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._target: Feature | None = None
        self._stroke: list[tuple[float, float]] = []
        self._shape: shapely.Geometry | None = None
        self._subtracts = False
        self._last: Pointer | None = None
        self.kit.changed.connect(self._on_kit_changed)

    @property
    def is_busy(self) -> bool:
        return bool(self._stroke)

    def cursor(self, at: Pointer) -> str:
        return "none"

    def radius_l0(self, at: Pointer) -> float:
        """Return the radius of the brush; a pen makes it smaller by its pressure."""
        settings = self.kit.settings
        diameter = settings.brush_view / at.scale
        if not settings.brush_follows_zoom:
            diameter = settings.brush_l0
        return max(diameter * max(at.pressure, 0.1) / 2, 0.5)

    # -- a stroke --------------------------------------------------------------------------------

    def press(self, at: Pointer) -> bool:
        self._subtracts = at.is_alt or self.takes_away
        self._target = self._target_at(at)
        if self._subtracts and self._target is None:
            return True
        self._stroke = [at.place_l0]
        self._shape = shapely.Point(at.place_l0).buffer(self.radius_l0(at))
        self._show(at)
        return True

    def _target_at(self, at: Pointer) -> Feature | None:
        """Return the annotation that a stroke from here alters; None: it makes a new one."""
        chosen = [one for one in self.annotations.selected if self._can_alter(one)]
        if chosen and (at.is_shift or self._subtracts):
            return chosen[0]
        here = [one for one in self.annotations.find(*at.place_l0) if self._can_alter(one)]
        if self._subtracts:
            return here[0] if here else None
        wanted = self.annotations.drawing_class
        same = [one for one in here if wanted is None or one.classification == wanted.drawn]
        preferred = [one for one in same if one in chosen]
        return next(iter(preferred or same), None)

    @staticmethod
    def _can_alter(feature: Feature) -> bool:
        return not feature.is_locked and feature.geometry.geom_type in ("Polygon", "MultiPolygon")

    def drag(self, at: Pointer) -> None:
        if self._shape is None:
            return
        radius = self.radius_l0(at)
        last = self._stroke[-1]
        if np.hypot(at.x_l0 - last[0], at.y_l0 - last[1]) < _STEP * radius:
            self._show(at)
            return
        piece = shapely.LineString([last, at.place_l0]).buffer(radius)
        self._shape = shapely.union(self._shape, piece)
        self._stroke.append(at.place_l0)
        self._show(at)

    def release(self, at: Pointer) -> None:
        shape, target = self._shape, self._target
        if shape is None:
            return
        shape = shapely.simplify(shape, 0.25 / at.scale)
        self._forget()
        if self._subtracts and target is not None:
            left = subtract(target.geometry, shape)
            self.annotations.reshape(target, left, self.step_name(is_new=False))
        elif target is not None:
            grown = merge([target.geometry, shape])
            if grown is not None:
                self.annotations.reshape(target, grown, self.step_name(is_new=False))
                self.annotations.select([target.id])
        else:
            new = tidy(shape)
            if new is not None:
                self.annotations.draw(new, self.step_name(is_new=True))
        self._show(at)

    def step_name(self, *, is_new: bool) -> str:
        """Return the name of the step."""
        return _("Erase") if self._subtracts else _("Brush stroke")

    # -- what is shown ---------------------------------------------------------------------------

    def hover(self, at: Pointer) -> None:
        self._show(at)

    def wheel(self, at: Pointer, notches: float) -> bool:
        self._last = at
        self.kit.set_brush(self.kit.settings.brush_view * _WHEEL_STEP**notches)
        return True

    @property
    def keys(self) -> frozenset[str]:
        return frozenset("[]")

    def key(self, name: str) -> bool:
        factor = _KEY_STEP if name == "]" else 1 / _KEY_STEP
        self.kit.set_brush(self.kit.settings.brush_view * factor)
        return True

    def leave(self) -> None:
        self._last = None
        if self._shape is None:
            self.show(NOTHING)

    def cancel(self) -> None:
        self._forget()
        self.show(NOTHING)

    def _forget(self) -> None:
        self._target, self._shape = None, None
        self._stroke.clear()

    def _on_kit_changed(self) -> None:
        if self._last is not None:
            self._show(self._last)

    def _show(self, at: Pointer) -> None:
        self._last = at
        outlines = () if self._shape is None else outlines_of(self._shape, is_filled=True)
        self.show(Preview(outlines, circle_l0=(*at.place_l0, self.radius_l0(at))))
