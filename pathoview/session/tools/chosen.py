"""The chosen annotations as handles need them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.feature import Feature
from pathoview.annotations.shape_edits import vertices
from pathoview.core.geometry import Rect
from pathoview.session.annotation_desk import AnnotationDesk
from pathoview.session.tools.tool import Color, Look, Points

_MOST_IN_BOX = 2000
"""More of them get no box: it would be that of the slide."""
_MOST_VERTICES = 500
_CLOSEST_VIEW = 10.0
"""Vertices that are nearer to each other, by their median, get no handles: zoom in."""
_RECTANGLE = 5
"""Coordinates of one, the first of them twice."""


class Chosen:
    """Made once for a selection; what is locked, or cannot be written, is not in it."""

    def __init__(self, annotations: AnnotationDesk) -> None:
        chosen = annotations.selected if annotations.can_edit else ()
        self.features = tuple(feature for feature in chosen if not feature.is_locked)
        self.ids = frozenset(feature.id for feature in self.features)
        self.only: Feature | None = chosen[0] if len(chosen) == 1 == len(self.features) else None
        """The one annotation that is chosen."""

    @property
    def color(self) -> Color | None:
        """That of the first one's class."""
        said = self.features[0].classification if self.features else None
        return None if said is None else said.color

    @cached_property
    def box_l0(self) -> Rect | None:
        """What surrounds all; None: there is nothing to scale or to turn."""
        if not 0 < len(self.features) <= _MOST_IN_BOX:
            return None
        if self.only is not None and shapely.get_num_coordinates(self.only.geometry) < 3:
            return None
        shapes = np.array([feature.geometry for feature in self.features], object)
        left, top, right, bottom = shapely.total_bounds(shapes).tolist()
        return (
            None if left == right and top == bottom else Rect.from_corners(left, top, right, bottom)
        )

    @cached_property
    def is_box(self) -> bool:
        """Whether the only one is a rectangle or an ellipse that lies upright, and stays so."""
        if self.only is None or self.only.geometry.geom_type != "Polygon":
            return False
        shape = self.only.geometry
        if self.only.is_ellipse:
            return True
        is_quad = shapely.get_num_coordinates(shape) == _RECTANGLE
        return is_quad and bool(np.isclose(shape.area, shapely.box(*shape.bounds).area, rtol=1e-9))

    @cached_property
    def vertices_l0(self) -> Points:
        """The vertices of the only one that can be dragged one by one, (n, 2)."""
        if self.only is None or self.is_box or self.only.geometry.geom_type == "Point":
            return np.empty((0, 2))
        return vertices(self.only.geometry)

    @cached_property
    def _steps_l0(self) -> Points:
        """The ways from vertex to vertex; those from ring to ring do not count for much."""
        steps: Points = np.hypot(
            *np.diff(self.vertices_l0, axis=0, prepend=self.vertices_l0[-1:]).T
        )
        return steps

    def handles(self, look: Look) -> npt.NDArray[np.intp]:
        """Return the numbers of the vertices that have a handle, (n,)."""
        if not len(self.vertices_l0):
            return np.empty(0, np.intp)
        seen, x, y = look.visible_l0, *self.vertices_l0.T
        is_seen = (x >= seen.x) & (x <= seen.right) & (y >= seen.y) & (y <= seen.bottom)
        found = np.flatnonzero(is_seen)
        if not 0 < len(found) <= _MOST_VERTICES:
            return found[:0]
        is_roomy = np.median(self._steps_l0[found]) * look.scale >= _CLOSEST_VIEW
        return found if is_roomy else found[:0]
