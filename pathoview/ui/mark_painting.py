"""What rulers and arrows have beside their lines: a length, a head."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import shapely
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter

from pathoview.annotations.change import Change
from pathoview.annotations.document import AnnotationDocument
from pathoview.annotations.feature import Feature
from pathoview.core.affine import Affine
from pathoview.core.geometry import Rect
from pathoview.session.session import Session
from pathoview.session.tools.line import HEAD_VIEW, arrow_head
from pathoview.session.tools.measure import line_text
from pathoview.session.tools.tool import Points
from pathoview.session.view import View
from pathoview.ui import canvas_painting as furniture
from pathoview.ui.links import Links
from pathoview.ui.outline_path import outline_path, stroke

_WIDTH = 2.0
_SHORTEST_VIEW = 24.0
"""A shorter line would be hidden by what belongs to it."""
_MOST = 200


class MarkPainting:
    """Keeps the rulers and arrows of the document at hand."""

    def __init__(self, session: Session, view: View) -> None:
        self._session = session
        self._view = view
        self._lines: dict[UUID, Feature] = {}
        self.links = Links()
        self.links.add(session.annotations.changed, self._on_changed)
        self._take(session.annotations.document)

    def _on_changed(self, change: Change | None) -> None:
        if change is None:
            self._take(self._session.annotations.document)
            return
        for feature in change.before:
            self._lines.pop(feature.id, None)
        self._add(change.after)

    def _take(self, document: AnnotationDocument | None) -> None:
        self._lines.clear()
        self._add(() if document is None else tuple(document))

    def _add(self, features: tuple[Feature, ...]) -> None:
        for feature in features:
            if feature.role in ("ruler", "arrow") and feature.geometry.geom_type == "LineString":
                self._lines[feature.id] = feature

    def draw(self, painter: QPainter, to_view: Affine, visible_l0: Rect) -> None:
        """Draw what belongs to the lines in view; the painter works in px of the view."""
        layer = self._session.annotations.layer
        if layer is None or not layer.visible or not self._view.shows(layer):
            return
        painter.save()
        painter.setOpacity(layer.opacity)
        for feature in self._seen(to_view.scale, visible_l0)[:_MOST]:
            points = shapely.get_coordinates(feature.geometry)
            if feature.role == "ruler":
                self._write(painter, line_text(points, self._mpp), to_view.points(points))
            else:
                head = arrow_head(points, HEAD_VIEW / to_view.scale)
                stroke(painter, outline_path(head, to_view), self._color(feature), _WIDTH)
        painter.restore()

    @property
    def _mpp(self) -> tuple[float, float] | None:
        slide = self._session.slide
        return None if slide is None else slide.info.mpp

    def _seen(self, scale: float, visible_l0: Rect) -> list[Feature]:
        shown = [one for one in self._lines.values() if not one.is_hidden]
        if not shown:
            return []
        shapes = np.array([one.geometry for one in shown], object)
        left, top, right, bottom = shapely.bounds(shapes).T
        is_seen = (right >= visible_l0.x) & (left <= visible_l0.right)
        is_seen &= (bottom >= visible_l0.y) & (top <= visible_l0.bottom)
        is_seen &= shapely.length(shapes) * scale >= _SHORTEST_VIEW
        return [shown[row] for row in np.flatnonzero(is_seen).tolist()]

    @staticmethod
    def _write(painter: QPainter, text: str, points_view: Points) -> None:
        lower = max(points_view[[0, -1]].tolist(), key=lambda end: end[1])
        furniture.draw_chip(painter, text, QPointF(*lower) + QPointF(0, 8), anchor="middle")

    def _color(self, feature: Feature) -> QColor:
        said, source = feature.classification, self._session.annotations.source
        if feature.color is not None:
            return QColor(*feature.color)
        if said is not None:
            return QColor(*said.color)
        return QColor(*(source.style.color if source is not None else (255, 60, 60)))
