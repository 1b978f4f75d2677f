"""Paint regions with a round brush."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from pathoview.annotations.feature import Feature
from pathoview.annotations.shape_sources import stroke_shape
from pathoview.annotations.shapes import intersect, merge, subtract
from pathoview.core.translation import _
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import NOTHING, Color, DrawingTool, Pointer, Preview

_WHEEL_STEP = 1.1
_KEY_STEP = 1.2
_STEP = 0.15
"""Places of a stroke are so many radii apart, at least."""
_SMALLEST_L0 = 0.6
"""A disk of a smaller radius is a sliver, which no shape keeps."""
_AWAY: Color = (255, 255, 255)


class BrushTool(DrawingTool):
    """A stroke begun inside an annotation of the same class goes on with it; else it is a new one.

    Alt takes away; Shift goes on with the chosen annotation, wherever the stroke begins; Ctrl and
    Shift keep it inside the annotation round its beginning.
    """

    options = ("brush_view", "brush_follows_zoom", "brush_l0")
    takes_away = False
    """The eraser."""

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._target: Feature | None = None
        self._limit: Feature | None = None
        """Nothing of the stroke lies outside."""
        self._at: tuple[float, float] | None = None
        """The last place of the stroke."""
        self._shape: shapely.Geometry | None = None
        self._subtracts = False
        self._last: Pointer | None = None
        self.kit.changed.connect(self._on_kit_changed)

    @property
    def prompt(self) -> str:
        return _("Drag to paint; Alt takes away, Shift goes on with the chosen one, [ ] size.")

    @property
    def is_busy(self) -> bool:
        return self._at is not None

    def cursor(self, at: Pointer) -> str:
        return "none"

    def radius_l0(self, at: Pointer) -> float:
        """Return the radius of the brush; a pen makes it smaller by its pressure."""
        settings = self.kit.settings
        diameter = settings.brush_view / at.scale
        if not settings.brush_follows_zoom:
            diameter = settings.brush_l0
        return max(diameter * max(at.pressure, 0.1) / 2, _SMALLEST_L0)

    # -- a stroke --------------------------------------------------------------------------------

    def press(self, at: Pointer) -> bool:
        is_selecting = self.kit.is_selecting
        self._subtracts = (at.is_alt or self.takes_away) and not is_selecting
        self._target = None if is_selecting else self._target_at(at)
        if self._subtracts and self._target is None:
            return True
        if at.is_ctrl and at.is_shift:
            self._limit = self._round(at)
        self._at = at.place_l0
        self._shape = stroke_shape([at.place_l0], self.radius_l0(at))
        self._show(at)
        return True

    def _round(self, at: Pointer) -> Feature | None:
        """Return the smallest annotation at a place, but for the one that is altered."""
        here = (one for one in self.annotations.find(*at.place_l0) if self._is_area(one))
        return next((one for one in here if one is not self._target), None)

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

    def _can_alter(self, feature: Feature) -> bool:
        return not feature.is_locked and self._is_area(feature)

    @staticmethod
    def _is_area(feature: Feature) -> bool:
        return feature.geometry.geom_type in ("Polygon", "MultiPolygon")

    def drag(self, at: Pointer) -> None:
        if self._at is None:
            return
        radius, last = self.radius_l0(at), self._at
        if np.hypot(at.x_l0 - last[0], at.y_l0 - last[1]) >= _STEP * radius:
            self._shape = stroke_shape([last, at.place_l0], radius, self._shape)
            self._at = at.place_l0
        self._show(at)

    def release(self, at: Pointer) -> None:
        shape, target, limit = self._shape, self._target, self._limit
        self._forget()
        if shape is not None:
            shape = shapely.simplify(shape, 0.25 / at.scale)
            shape = shape if limit is None else intersect(shape, limit.geometry)
        if shape is not None:
            self._apply(shape, target)
        self._show(at)

    def _apply(self, shape: shapely.Geometry, target: Feature | None) -> None:
        if target is None:
            self.commit(shape, self.step_name(is_new=True))
        elif self._subtracts:
            left = subtract(target.geometry, shape)
            self._alter(target, left)
        else:
            self._alter(target, merge([target.geometry, shape]) or target.geometry)
            self.annotations.select([target.id])

    def _alter(self, target: Feature, shape: shapely.Geometry | None) -> None:
        name = self.step_name(is_new=False)
        if shape is None:
            self.annotations.reshape(target, None, name)
        else:
            self.annotations.edit(
                name, [target], lambda one: replace(one, geometry=shape, is_ellipse=False)
            )

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
        if self._at is None:
            self.show(NOTHING)

    def cancel(self) -> None:
        self._forget()
        self.show(NOTHING)

    def _forget(self) -> None:
        self._target = self._limit = self._at = self._shape = None

    def _on_kit_changed(self) -> None:
        if self._last is not None:
            self._show(self._last)

    def _show(self, at: Pointer) -> None:
        self._last = at
        shape = self._shape
        outlines = () if shape is None else outlines_of(shape, is_filled=True)
        if self._subtracts or self.kit.is_selecting:
            outlines = tuple(replace(one, is_dashed=True) for one in outlines)
        circle = (*at.place_l0, self.radius_l0(at))
        self.show(Preview(outlines, circle_l0=circle, color=self._color(at)))

    def _color(self, at: Pointer) -> Color | None:
        """Return the colour of what the stroke alters; white takes away."""
        is_away = self._subtracts if self.is_busy else at.is_alt or self.takes_away
        if is_away:
            return _AWAY
        said = None if self._target is None else self._target.classification
        return None if said is None else said.color


class EraserTool(BrushTool):
    """A brush that takes away, whatever is held down."""

    takes_away = True

    @property
    def prompt(self) -> str:
        return _("Drag to take away from the chosen annotation, or from the one you begin in.")
