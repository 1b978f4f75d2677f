"""Choose annotations, move and reshape them; elsewhere a drag moves the slide.

What a press takes hold of is a `Grip`: a vertex, a corner or the knob of the box, the annotation
itself, or the ground, on which several are chosen at once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pathoview.annotations.shape_edits import (
    delete_vertex,
    insert_vertex,
    nearest_edge,
    translate,
)
from pathoview.core.translation import _
from pathoview.session.tools.chosen import Chosen
from pathoview.session.tools.grip import BandGrip, Grip, LassoGrip, VertexGrip
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.tool import NOTHING, DrawingTool, Look, Pointer, Points, Preview
from pathoview.session.tools.transform import (
    MoveGrip,
    ScaleGrip,
    TransformBox,
    TurnGrip,
    move_name,
)

_DRAG_VIEW = 3.0
"""A press that moves less is a click."""
_NUDGES = {
    "alt+left": (-1.0, 0.0),
    "alt+right": (1.0, 0.0),
    "alt+up": (0.0, -1.0),
    "alt+down": (0.0, 1.0),
}
"""Ways of one px of the view."""
_DELETES = frozenset({"delete", "backspace"})


class SelectTool(DrawingTool):
    """The move tool. Shift on the ground chooses in a rectangle, selection mode in a lasso."""

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._cached: Chosen | None = None
        self._grip: Grip | None = None
        self._start: Pointer | None = None
        self._is_dragging = False
        self._vertex: int | None = None
        """The vertex under the pointer."""
        self.annotations.changed.connect(self._on_chosen_changed)
        self.annotations.selection_changed.connect(self._on_chosen_changed)

    @property
    def prompt(self) -> str:
        if self.kit.is_selecting:
            return _("Drag round annotations to select them.")
        only = self._chosen.only
        if only is not None and len(self._chosen.vertices_l0):
            return _("Drag a vertex; double click an edge for a new one, Alt-click takes one away.")
        if self._chosen.features:
            return _("Drag the annotation to move it, its corners to scale, its knob to turn it.")
        return _("Drag to move, wheel to zoom, click to select; Shift-drag selects several.")

    @property
    def is_busy(self) -> bool:
        return self._grip is not None

    @property
    def _chosen(self) -> Chosen:
        if self._cached is None:
            self._cached = Chosen(self.annotations)
        return self._cached

    def _on_chosen_changed(self, _change: object = None) -> None:
        self._cached = self._vertex = None

    def cursor(self, at: Pointer) -> str:
        grip = self._grip or self._grip_at(at)
        return "arrow" if grip is None else grip.cursor

    def at_rest(self, look: Look) -> Preview:
        """Return the vertices and the box of what is chosen."""
        chosen = self._chosen
        if self.is_busy or not chosen.features or self.kit.is_selecting:
            return NOTHING
        vertices = chosen.vertices_l0[chosen.handles(look)]
        box = TransformBox.of(chosen, look)
        if box is None:
            return Preview(handles_l0=_places(vertices))
        lines = box.outlines[1:] if chosen.is_box else box.outlines
        handles = _places(np.concatenate([vertices, box.corners_l0]))
        return Preview(lines, handles, (box.knob_l0,))

    # -- what is under the pointer -----------------------------------------------------------------

    def _grip_at(self, at: Pointer) -> Grip | None:
        """Return what a press here would take hold of; None: the slide."""
        if self.kit.is_selecting:
            return LassoGrip(self.annotations, at)
        grip = self._vertex_grip(at) or self._box_grip(at)
        if grip is not None:
            return grip
        if at.is_shift:
            return BandGrip(self.annotations, at)
        if not at.is_ctrl and self._is_on_chosen(at):
            return MoveGrip(self.annotations, self._chosen, at)
        return None

    def _vertex_grip(self, at: Pointer) -> Grip | None:
        only, vertex = self._chosen.only, self._vertex_at(at)
        if only is None:
            return None
        if vertex is not None:
            return VertexGrip(self.annotations, only, vertex, _("Move vertex"))
        edge = self._edge_at(at) if at.is_alt else None
        more = None if edge is None else insert_vertex(only.geometry, edge, *at.place_l0)
        if edge is None or more is None:
            return None
        return VertexGrip(self.annotations, only, edge + 1, _("Insert vertex"), more)

    def _box_grip(self, at: Pointer) -> Grip | None:
        box = TransformBox.of(self._chosen, at.look)
        if box is None:
            return None
        if _nearest(np.array([box.knob_l0]), at) is not None:
            return TurnGrip(self.annotations, self._chosen, at, box)
        corner = _nearest(box.corners_l0, at)
        if corner is None:
            return None
        return ScaleGrip(self.annotations, self._chosen, at, box, corner, self.kit.mpp)

    def _vertex_at(self, at: Pointer) -> int | None:
        handles = self._chosen.handles(at.look)
        found = _nearest(self._chosen.vertices_l0[handles], at)
        return None if found is None else int(handles[found])

    def _edge_at(self, at: Pointer) -> int | None:
        """Return the vertex with which the edge here begins, if there is one to be changed."""
        only = self._chosen.only
        if only is None or not len(self._chosen.vertices_l0):
            return None
        found = nearest_edge(only.geometry, *at.place_l0)
        return None if found is None or found[1] > at.reach_l0 else found[0]

    def _is_on_chosen(self, at: Pointer) -> bool:
        if not self._chosen.features:
            return False
        here = self.annotations.find(at.x_l0, at.y_l0, at.reach_l0)
        return any(feature.id in self._chosen.ids for feature in here)

    # -- a gesture ---------------------------------------------------------------------------------

    def press(self, at: Pointer) -> bool:
        vertex = self._vertex_at(at) if at.is_alt else None
        if vertex is not None:
            self._delete_vertex(vertex)
            return True
        self._grip, self._start, self._is_dragging = self._grip_at(at), at, False
        return self._grip is not None

    def drag(self, at: Pointer) -> None:
        if self._grip is None or self._start is None:
            return
        self._is_dragging = self._is_dragging or self._start.way_view(at) >= _DRAG_VIEW
        if self._is_dragging:
            self.show(self._grip.drag(at))

    def release(self, at: Pointer) -> None:
        grip, self._grip = self._grip, None
        self.show(NOTHING)
        if grip is None:
            return
        if self._is_dragging:
            grip.drop(at)
        elif not isinstance(grip, MoveGrip) or self._edge_at(at) is None:
            # A click on the edge may be the first of two, which are meant for this annotation.
            grip.click(at)

    def takes_double_click(self, at: Pointer) -> bool:
        return self._vertex_at(at) is None and self._edge_at(at) is not None

    def double_click(self, at: Pointer) -> None:
        """Put a vertex into the edge."""
        only, edge = self._chosen.only, self._edge_at(at)
        if only is not None and edge is not None:
            shape = insert_vertex(only.geometry, edge, *at.place_l0)
            if shape is not None:
                self.annotations.reshape(only, shape, _("Insert vertex"))

    def cancel(self) -> None:
        self._grip = None
        super().cancel()

    def hover(self, at: Pointer) -> None:
        self._vertex = self._vertex_at(at)

    def leave(self) -> None:
        self._vertex = None

    # -- keys --------------------------------------------------------------------------------------

    @property
    def keys(self) -> frozenset[str]:
        if self.is_busy or not self._chosen.features:
            return frozenset()
        return frozenset(_NUDGES) | (_DELETES if self._vertex is not None else frozenset())

    def key(self, name: str) -> bool:
        if name in _DELETES and self._vertex is not None:
            self._delete_vertex(self._vertex)
        elif name in _NUDGES:
            self._nudge(*self.key_look.way_l0(*_NUDGES[name]))
        return True

    def _nudge(self, dx_l0: float, dy_l0: float) -> None:
        chosen = self._chosen.features
        self.annotations.edit(
            move_name(len(chosen)),
            chosen,
            lambda one: replace(
                one, geometry=translate(one.geometry, dx_l0, dy_l0) or one.geometry
            ),
        )

    def _delete_vertex(self, index: int) -> None:
        only = self._chosen.only
        shape = None if only is None else delete_vertex(only.geometry, index)
        if only is not None and shape is not None:
            self.annotations.reshape(only, shape, _("Delete vertex"))


def _nearest(places_l0: Points, at: Pointer) -> int | None:
    """Return which place is under the pointer, the nearest of several."""
    if not len(places_l0):
        return None
    ways = np.hypot(*(places_l0 - np.array(at.place_l0)).T)
    nearest = int(ways.argmin())
    return nearest if ways[nearest] <= at.reach_l0 else None


def _places(points_l0: Points) -> tuple[tuple[float, float], ...]:
    return tuple((x, y) for x, y in points_l0.tolist())
