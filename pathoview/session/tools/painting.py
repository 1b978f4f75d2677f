"""What all brushes have in common: which annotation a stroke alters, its size, and its look."""

from __future__ import annotations

from dataclasses import replace

import shapely

from pathoview.annotations.feature import Feature
from pathoview.annotations.shapes import intersect, merge, subtract, tidy
from pathoview.core.translation import _
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import NOTHING, Color, DrawingTool, Pointer, Preview

_WHEEL_STEP = 1.1
_KEY_STEP = 1.2
_SMALLEST_L0 = 0.6
"""A disk of a smaller radius is a sliver, which no shape keeps."""
_AWAY: Color = (255, 255, 255)


class PaintingTool(DrawingTool):
    """A stroke begun inside an annotation of the same class goes on with it; else it is a new one.

    Alt takes away; Shift goes on with the chosen annotation, wherever the stroke begins; Ctrl and
    Shift keep it inside the annotation round its beginning.
    """

    takes_away = False
    """The eraser."""

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._target: Feature | None = None
        self._limit: Feature | None = None
        """Nothing of the stroke lies outside."""
        self._is_begun = False
        self._shape: shapely.Geometry | None = None
        """What has been painted of the stroke."""
        self._subtracts = False
        self._last: Pointer | None = None
        self.kit.changed.connect(self._on_kit_changed)

    @property
    def is_busy(self) -> bool:
        return self._is_begun

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

    def begin(self, at: Pointer) -> bool:
        """Begin a stroke; False: there is nothing to take away from."""
        is_selecting = self.kit.is_selecting
        self._forget()
        self._subtracts = (at.is_alt or self.takes_away) and not is_selecting
        self._target = None if is_selecting else self._target_at(at)
        if self._subtracts and self._target is None:
            return False
        if at.is_ctrl and at.is_shift:
            self._limit = self._round(at)
        self._is_begun = True
        return True

    def end(self, tolerance_l0: float) -> None:
        """Do what the stroke says, its outline simplified within a tolerance."""
        shape, target, limit = self._shape, self._target, self._limit
        self._forget()
        if shape is not None:
            shape = shapely.simplify(shape, tolerance_l0)
            shape = tidy(shape) if limit is None else intersect(shape, limit.geometry)
        if shape is not None:
            self._apply(shape, None if target is None else self._as_it_is(target))

    def _as_it_is(self, target: Feature) -> Feature | None:
        """Return an annotation as it has become meanwhile; None: it is gone."""
        document = self.annotations.document
        return None if document is None else document.get(target.id)

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

    def _apply(self, shape: shapely.Geometry, target: Feature | None) -> None:
        if target is None:
            if not self._subtracts:
                self.commit(shape, self.step_name)
        elif self._subtracts:
            self._alter(target, subtract(target.geometry, shape))
        else:
            self._alter(target, merge([target.geometry, shape]) or target.geometry)
            self.annotations.select([target.id])

    def _alter(self, target: Feature, shape: shapely.Geometry | None) -> None:
        if shape is None:
            self.annotations.reshape(target, None, self.step_name)
        else:
            self.annotations.edit(
                self.step_name, [target], lambda one: replace(one, geometry=shape, is_ellipse=False)
            )

    @property
    def stroke_name(self) -> str:
        """What a stroke that adds is called in the history."""
        return _("Brush stroke")

    @property
    def step_name(self) -> str:
        """Return the name of the step."""
        return _("Erase") if self._subtracts else self.stroke_name

    # -- its size --------------------------------------------------------------------------------

    def resize(self, factor: float) -> None:
        """Make the brush larger or smaller, on the screen or on the slide."""
        settings = self.kit.settings
        if settings.brush_follows_zoom:
            self.kit.set_brush(settings.brush_view * factor)
        else:
            self.kit.set("brush_l0", max(_SMALLEST_L0, settings.brush_l0 * factor))

    def wheel(self, at: Pointer, notches: float) -> bool:
        self._last = at
        self.resize(_WHEEL_STEP**notches)
        return True

    @property
    def keys(self) -> frozenset[str]:
        return frozenset("[]")

    def key(self, name: str) -> bool:
        self.resize(_KEY_STEP if name == "]" else 1 / _KEY_STEP)
        return True

    # -- what is shown ---------------------------------------------------------------------------

    def hover(self, at: Pointer) -> None:
        self.look(at)

    def leave(self) -> None:
        self._last = None
        if not self._is_begun:
            self.show(NOTHING)

    def cancel(self) -> None:
        self._forget()
        self.show(NOTHING)

    def _forget(self) -> None:
        self._target = self._limit = self._shape = None
        self._is_begun = False

    def _on_kit_changed(self) -> None:
        if self._last is not None:
            self.look(self._last)

    def look(self, at: Pointer) -> None:
        """Show what there is with the pointer at a place."""
        self._last = at
        self.show(self.look_at(at))

    def look_at(self, at: Pointer) -> Preview:
        """Return what has been painted, and the brush."""
        outlines = () if self._shape is None else outlines_of(self._shape, is_filled=True)
        if self._subtracts or self.kit.is_selecting:
            outlines = tuple(replace(one, is_dashed=True) for one in outlines)
        circle = (*at.place_l0, self.radius_l0(at))
        return Preview(outlines, circle_l0=circle, color=self._color(at))

    def _color(self, at: Pointer) -> Color | None:
        """Return the colour of what the stroke alters; white takes away."""
        is_away = self._subtracts if self._is_begun else at.is_alt or self.takes_away
        if is_away:
            return _AWAY
        said = None if self._target is None else self._target.classification
        return None if said is None else said.color
