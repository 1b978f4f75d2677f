"""Cut annotations in pieces by a line drawn across them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.annotations.shapes import split_by_line
from pathoview.core.translation import _
from pathoview.session.tools.kit import ToolKit
from pathoview.session.tools.tool import NOTHING, DrawingTool, Outline, Pointer, Preview
from pathoview.study.records import now

_STEP_VIEW = 2.0
"""Points of the line are as far apart, at least."""


class ScissorsTool(DrawingTool):
    """The chosen annotations are cut where the line crosses them; with none chosen, all are.

    Where it cuts no annotation, detections are cut, whose pieces are annotations. Shift makes a
    straight cut. The largest piece stays the annotation it was.
    """

    def __init__(self, kit: ToolKit) -> None:
        super().__init__(kit)
        self._path: list[Pointer] = []

    @property
    def prompt(self) -> str:
        return _("Drag a line across an annotation or a nucleus to cut it; Shift cuts straight.")

    @property
    def is_busy(self) -> bool:
        return bool(self._path)

    def press(self, at: Pointer) -> bool:
        self._path = [at]
        return True

    def drag(self, at: Pointer) -> None:
        if not self._path:
            return
        if at.is_shift:
            del self._path[1:]
        if at.is_shift or self._path[-1].way_view(at) >= _STEP_VIEW:
            self._path.append(at)
        places = np.array([one.place_l0 for one in self._path])
        self.show(Preview((Outline(places, is_dashed=True),)))

    def release(self, at: Pointer) -> None:
        places = [one.place_l0 for one in self._path]
        self.cancel()
        if len(places) < 2:
            self.annotations.click(at.x_l0, at.y_l0, at.reach_l0)
            return
        line = shapely.simplify(shapely.LineString(places), 0.5 / at.scale)
        self._cut(self._crossed(line), line)

    def cancel(self) -> None:
        self._path = []
        self.show(NOTHING)

    def _crossed(self, line: shapely.Geometry) -> list[Feature]:
        source = self.annotations.source
        found = [] if source is None else source.within(line)
        free = [one for one in found if not one.is_locked]
        chosen = [one for one in free if one.id in self.annotations.selected_ids]
        return chosen or free

    def _cut(self, features: Sequence[Feature], line: shapely.Geometry) -> None:
        before: list[Feature] = []
        after: list[Feature] = []
        time = now()
        for feature in features:
            shapes = split_by_line(feature.geometry, line)
            if len(shapes) > 1:
                before.append(feature)
                after += _pieces(feature, shapes, time)
        if not before:
            self.kit.split_detections(line)
        elif self.annotations.apply(_("Cut"), Change(tuple(before), tuple(after))):
            self.annotations.select(one.id for one in after)


def _pieces(feature: Feature, shapes: Sequence[shapely.Geometry], time: str) -> list[Feature]:
    largest_first = sorted(shapes, key=lambda one: (one.area, one.length), reverse=True)
    ids = [feature.id, *(uuid.uuid4() for _piece in shapes[1:])]
    return [
        replace(feature, geometry=shape, id=key, is_ellipse=False, changed=time)
        for shape, key in zip(largest_first, ids, strict=True)
    ]
