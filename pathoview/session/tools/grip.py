"""What a press of the move tool takes hold of, and what becomes of it until it is let go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.feature import Feature
from pathoview.annotations.shape_edits import move_vertex
from pathoview.core.translation import _
from pathoview.session.annotation_desk import AnnotationDesk
from pathoview.session.tools.shape_preview import outlines_of
from pathoview.session.tools.tool import Color, Outline, Pointer, Points, Preview

_BAND: Color = (255, 255, 255)
_STEP_VIEW = 2.0


class Grip(ABC):
    """One press, and the drag that follows."""

    cursor = "move"

    def __init__(self, annotations: AnnotationDesk) -> None:
        self.annotations = annotations

    @abstractmethod
    def drag(self, at: Pointer) -> Preview:
        """Return what would be if it were let go here."""

    @abstractmethod
    def drop(self, at: Pointer) -> None:
        """Let go after a drag."""

    @abstractmethod
    def click(self, at: Pointer) -> None:
        """Let go where it was pressed."""


class VertexGrip(Grip):
    """Moves one vertex; where the outline would cross itself it stays behind."""

    cursor = "cross"

    def __init__(
        self,
        annotations: AnnotationDesk,
        feature: Feature,
        index: int,
        name: str,
        shape: BaseGeometry | None = None,
    ) -> None:
        """``shape``: what is shown and moved, if it is not the feature's; it has the vertex."""
        super().__init__(annotations)
        self._feature = feature
        self._index = index
        self._name = name
        self._start = self._shape = feature.geometry if shape is None else shape

    def drag(self, at: Pointer) -> Preview:
        moved = move_vertex(self._start, self._index, *at.place_l0)
        text = ""
        if moved is None:
            text = _("The outline would cross itself")
        else:
            self._shape = moved
        said = self._feature.classification
        return Preview(
            outlines_of(self._shape),
            (at.place_l0,),
            text=text,
            text_l0=at.place_l0,
            color=None if said is None else said.color,
        )

    def drop(self, at: Pointer) -> None:
        self.drag(at)
        shape = self._shape
        self.annotations.edit(
            self._name,
            [self._feature],
            lambda one: replace(one, geometry=shape, is_ellipse=False),
        )

    def click(self, at: Pointer) -> None:
        """Keep the vertex where it is; a new one stays."""
        if self._start is not self._feature.geometry:
            self.drop(at)


class BandGrip(Grip):
    """A rectangle on the screen; what lies in it is chosen too."""

    cursor = "cross"

    def __init__(self, annotations: AnnotationDesk, start: Pointer) -> None:
        super().__init__(annotations)
        self._start = start

    def drag(self, at: Pointer) -> Preview:
        return _area_preview(self.points(at))

    def drop(self, at: Pointer) -> None:
        area = shapely.Polygon(self.points(at)).buffer(0)
        self.annotations.select_in(area, add=at.is_shift)

    def click(self, at: Pointer) -> None:
        self.annotations.click(at.x_l0, at.y_l0, at.reach_l0, add=at.is_shift)

    def points(self, at: Pointer) -> Points:
        """Return the corners, (4, 2) level-0 px."""
        start = np.array(self._start.place_l0)
        right_view, down_view = at.look.way_view(*(np.array(at.place_l0) - start).tolist())
        right, down = at.look.way_l0(right_view, 0.0), at.look.way_l0(0.0, down_view)
        corners: Points = start + np.array([(0.0, 0.0), right, np.add(right, down), down])
        return corners


class LassoGrip(BandGrip):
    """A line drawn freehand round what is chosen."""

    def __init__(self, annotations: AnnotationDesk, start: Pointer) -> None:
        super().__init__(annotations, start)
        self._path = [start]

    def points(self, at: Pointer) -> Points:
        """Return the line so far, (n, 2) level-0 px, three points at least."""
        if self._path[-1].way_view(at) >= _STEP_VIEW:
            self._path.append(at)
        places = [one.place_l0 for one in self._path]
        return np.array(places + [at.place_l0] * max(1, 3 - len(places)))


def _area_preview(points_l0: Points) -> Preview:
    outline = Outline(points_l0, is_closed=True, is_filled=True, is_dashed=True)
    return Preview((outline,), color=_BAND)
