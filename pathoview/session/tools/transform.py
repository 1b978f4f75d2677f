"""Move, scale and turn the chosen annotations."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.feature import Feature
from pathoview.annotations.shape_edits import rotate, scale, translate
from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.core.translation import _, ngettext
from pathoview.session.annotation_desk import AnnotationDesk
from pathoview.session.tools.chosen import Chosen
from pathoview.session.tools.grip import Grip
from pathoview.session.tools.measure import Mpp, size_text
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import Look, Outline, Pointer, Points, Preview

Place = tuple[float, float]

_MOST_SHOWN = 100
"""Of many that are moved, some show the way."""
_MARGIN_VIEW = 10.0
"""So far from the annotations the box lies: its corners are not theirs."""
_KNOB_VIEW = 24.0
"""So far from the box the knob lies."""
_SMALLEST_VIEW = 16.0
"""A smaller box would be all handles."""
_SNAP_DEGREES = 15
_CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
_SIDES = ((0, -1), (1, 0), (0, 1), (-1, 0))


@dataclass(frozen=True, slots=True)
class TransformBox:
    """The box round what is chosen, with its handles as they lie on the screen."""

    box_l0: Rect
    """What is scaled and turned."""
    look: Look
    margin_view: float = _MARGIN_VIEW

    @classmethod
    def of(cls, chosen: Chosen, look: Look) -> TransformBox | None:
        """Return the box of a selection; None: it has none, or it is too small here."""
        box_l0 = chosen.box_l0
        if box_l0 is None or max(box_l0.width, box_l0.height) * look.scale < _SMALLEST_VIEW:
            return None
        return cls(box_l0, look, 0.0 if chosen.is_box else _MARGIN_VIEW)

    @property
    def corners_l0(self) -> Points:
        """Where it is scaled, (4, 2), in the order of `corner`."""
        return np.array([self._place(sign) for sign in _CORNERS])

    def corner(self, index: int) -> tuple[Place, Place]:
        """Return a corner of what is scaled, and the opposite one, which stays."""
        (x, y), rect = _CORNERS[index], self.box_l0
        xs, ys = (rect.x, rect.right), (rect.y, rect.bottom)
        return (xs[x > 0], ys[y > 0]), (xs[x < 0], ys[y < 0])

    @property
    def knob_l0(self) -> Place:
        """Where it is turned: beside the upper side, as it is seen."""
        x, y = self._upper
        stem = _KNOB_VIEW / self.look.scale
        at_x, at_y = self._place(self._upper)
        return at_x + x * stem, at_y + y * stem

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """The box and the stem of the knob."""
        stem = np.array([self._place(self._upper), self.knob_l0])
        return Outline(self.corners_l0, is_closed=True, is_dashed=True), Outline(stem)

    def slant(self, index: int) -> str:
        """Return the name of the pointer for a corner."""
        x, y = self.look.way_view(*_CORNERS[index])
        return "slope" if x * y > 0 else "rise"

    @property
    def _upper(self) -> tuple[int, int]:
        return min(_SIDES, key=lambda side: self.look.way_view(*side)[1])

    def _place(self, sign: tuple[int, int]) -> Place:
        margin, (x, y) = self.margin_view / self.look.scale, self.box_l0.center
        return (
            x + sign[0] * (self.box_l0.width / 2 + margin),
            y + sign[1] * (self.box_l0.height / 2 + margin),
        )


class TransformGrip(Grip):
    """Maps all that is chosen in the same way."""

    def __init__(self, annotations: AnnotationDesk, chosen: Chosen, start: Pointer) -> None:
        super().__init__(annotations)
        self.chosen = chosen
        self.start = start

    @abstractmethod
    def affine(self, at: Pointer) -> Affine:
        """Return where everything goes when it is let go here."""

    @abstractmethod
    def mapped(self, shape: BaseGeometry, at: Pointer) -> BaseGeometry | None:
        """Return a shape as it will be kept."""

    @abstractmethod
    def name(self, at: Pointer) -> str:
        """Return the name of the step."""

    def text(self, at: Pointer) -> str:
        """Return what is written beside the pointer."""
        return ""

    def drag(self, at: Pointer) -> Preview:
        affine = self.affine(at)
        lines = (replace(one, points_l0=affine.points(one.points_l0)) for one in self._outlines)
        points = tuple((x, y) for x, y in affine.points(self._points).tolist())
        text = self.text(at)
        return Preview(
            tuple(lines), points, text=text, text_l0=at.place_l0, color=self.chosen.color
        )

    def drop(self, at: Pointer) -> None:
        self.annotations.edit(self.name(at), self.chosen.features, lambda one: self.moved(one, at))

    def click(self, at: Pointer) -> None:
        """Let go where it was pressed: nothing was meant."""

    def moved(self, feature: Feature, at: Pointer) -> Feature:
        """Return a feature as it will be kept; one of which nothing would be left stays."""
        geometry = self.mapped(feature.geometry, at)
        if geometry is None:
            return feature
        nucleus = None if feature.nucleus is None else self.mapped(feature.nucleus, at)
        return replace(feature, geometry=geometry, nucleus=nucleus)

    @property
    def _shown(self) -> Sequence[Feature]:
        return self.chosen.features[:_MOST_SHOWN]

    @cached_property
    def _outlines(self) -> tuple[Outline, ...]:
        return tuple(line for one in self._shown for line in outlines_of(one.geometry))

    @cached_property
    def _points(self) -> Points:
        points = [one.geometry for one in self._shown if shapely.get_dimensions(one.geometry) == 0]
        coordinates: Points = shapely.get_coordinates(np.array(points, object))
        return coordinates


class MoveGrip(TransformGrip):
    """Takes what is chosen elsewhere."""

    def affine(self, at: Pointer) -> Affine:
        return Affine.moved(*self._way(at))

    def mapped(self, shape: BaseGeometry, at: Pointer) -> BaseGeometry | None:
        return translate(shape, *self._way(at))

    def name(self, at: Pointer) -> str:
        return move_name(len(self.chosen.features))

    def click(self, at: Pointer) -> None:
        self.annotations.click(at.x_l0, at.y_l0, at.reach_l0)

    def _way(self, at: Pointer) -> Place:
        return at.x_l0 - self.start.x_l0, at.y_l0 - self.start.y_l0


class ScaleGrip(TransformGrip):
    """Pulls a corner, the opposite one stays; Shift keeps the proportions."""

    def __init__(
        self,
        annotations: AnnotationDesk,
        chosen: Chosen,
        start: Pointer,
        box: TransformBox,
        index: int,
        mpp: Mpp,
    ) -> None:
        super().__init__(annotations, chosen, start)
        self._corner, self._about = box.corner(index)
        self._box_l0 = box.box_l0
        self._mpp = mpp
        self.cursor = box.slant(index)

    def factors(self, at: Pointer) -> Place:
        """Return how many times as wide and as high everything gets; negative: mirrored."""
        side = np.subtract(self._corner, self._about)
        new = side + np.subtract(at.place_l0, self.start.place_l0)
        if at.is_shift:
            both = float(new @ side / (side @ side))
            return both, both
        x, y = (new[n] / side[n] if side[n] else 1.0 for n in (0, 1))
        return float(x), float(y)

    def affine(self, at: Pointer) -> Affine:
        x, y = self._about
        there = Affine.moved(-x, -y).then(Affine.scaled(*self.factors(at)))
        return there.then(Affine.moved(x, y))

    def mapped(self, shape: BaseGeometry, at: Pointer) -> BaseGeometry | None:
        return scale(shape, *self.factors(at), self._about)

    def name(self, at: Pointer) -> str:
        return _("Scale")

    def text(self, at: Pointer) -> str:
        x, y = self.factors(at)
        return size_text(abs(x) * self._box_l0.width, abs(y) * self._box_l0.height, self._mpp)


class TurnGrip(TransformGrip):
    """Turns about the middle; Shift turns by 15°."""

    cursor = "turn"

    def __init__(
        self, annotations: AnnotationDesk, chosen: Chosen, start: Pointer, box: TransformBox
    ) -> None:
        super().__init__(annotations, chosen, start)
        self._about = box.box_l0.center

    def degrees(self, at: Pointer) -> float:
        """Return by how much, clockwise on the unturned slide, from -180 to 180."""
        turned = self._angle(at) - self._angle(self.start)
        if at.is_shift:
            turned = round(turned / _SNAP_DEGREES) * _SNAP_DEGREES
        return (turned + 180) % 360 - 180

    def affine(self, at: Pointer) -> Affine:
        x, y = self._about
        turned = Affine.moved(-x, -y).then(Affine.turned(self.degrees(at)))
        return turned.then(Affine.moved(x, y))

    def mapped(self, shape: BaseGeometry, at: Pointer) -> BaseGeometry | None:
        return rotate(shape, self.degrees(at), self._about)

    def moved(self, feature: Feature, at: Pointer) -> Feature:
        """Return a feature as it will be kept; a turned ellipse is an outline like others."""
        return replace(super().moved(feature, at), is_ellipse=False)

    def name(self, at: Pointer) -> str:
        return _("Rotate {degrees:.0f}°").format(degrees=self.degrees(at))

    def text(self, at: Pointer) -> str:
        return _("{degrees:.0f}°").format(degrees=self.degrees(at))

    def _angle(self, at: Pointer) -> float:
        x, y = self._about
        return math.degrees(math.atan2(at.y_l0 - y, at.x_l0 - x))


def move_name(n: int) -> str:
    """Return the name of the step that moves so many."""
    return ngettext("Move annotation", "Move {n} annotations", n).format(n=n)
