"""Rings round the places that wait for an answer, as a layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import shapely

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.core.translation import _
from pathoview.layers.document_source import DocumentSource
from pathoview.layers.layer import Layer
from pathoview.study.review_queue import ReviewPlace

if TYPE_CHECKING:
    from pathoview.session.session import Session

_COLOR = (0, 190, 230)
_LINE_PX = 1.5


class ReviewMarks:
    """Shown while places are walked over. All methods are called on the session's thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._layer: Layer | None = None
        self._shown: dict[str, Feature] = {}

    def show(self, places: Iterable[ReviewPlace], radius_l0: float) -> None:
        """Mark these places and no others."""
        wanted = {one.object_id: one for one in places}
        if self._layer is None and not wanted:
            return
        source = self._source()
        gone = [self._shown.pop(key) for key in tuple(self._shown) if key not in wanted]
        come = {
            key: Feature(shapely.Point(one.x_l0, one.y_l0).buffer(radius_l0), id=UUID(key))
            for key, one in wanted.items()
            if key not in self._shown
        }
        self._shown |= come
        rect_l0 = source.change(Change(tuple(gone), tuple(come.values())))
        if rect_l0 is not None:
            source.changed.emit(rect_l0)

    def remove(self) -> None:
        """Take all marks away."""
        layers, layer = self._session.layers, self._layer
        if layer is not None and layer in layers:
            layers.remove(layer)
            self._session.scheduler.remove(layer.source)
        self._layer = None
        self._shown.clear()

    def _source(self) -> DocumentSource:
        if self._layer is not None:
            assert isinstance(self._layer.source, DocumentSource)
            return self._layer.source
        viewed = self._session.viewport.slide_l0
        source = DocumentSource(viewed.width, viewed.height)
        source.style = replace(source.style, color=_COLOR, line_width_px=_LINE_PX)
        self._layer = Layer(_("Places to label"), source)
        chosen = self._session.layer_desk.active
        self._session.layers.add(self._layer)
        self._session.scheduler.add(source)
        self._session.layer_desk.active = chosen
        return source
