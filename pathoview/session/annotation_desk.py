"""What a person does with annotations: draw, choose, alter, classify and take away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import shapely
from psygnal import Signal

from pathoview.annotations.change import Change
from pathoview.annotations.document import AnnotationDocument
from pathoview.annotations.feature import Feature, Role
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.layers.document_source import DocumentSource
from pathoview.layers.layer import Layer, LayerList
from pathoview.layers.scheduler import TileScheduler
from pathoview.session.overlay import Overlay
from pathoview.session.study_desk import StudyDesk
from pathoview.slides.slide import Slide
from pathoview.study.model import LabelClass
from pathoview.study.records import now

_MANY = 2000
"""A change of more features is drawn by another thread."""


class AnnotationDesk:
    """The annotations of the open slide. All methods are called on the session's thread."""

    changed = Signal(object)
    """(Change): annotations came, went or were edited; (None): other annotations altogether."""
    selection_changed = Signal()
    class_changed = Signal()
    """`drawing_class`"""
    area_chosen = Signal(object, bool)
    """(area, whether more is chosen): what lies in it is to be chosen, whatever it is."""
    added_at = Signal(float, float)
    """(x, y): one more was to be chosen where there is no annotation."""

    def __init__(
        self, studies: StudyDesk, layers: LayerList, scheduler: TileScheduler, overlay: Overlay
    ) -> None:
        self._studies = studies
        self._layers = layers
        self._scheduler = scheduler
        self._overlay = overlay
        self._slide: Slide | None = None
        self._document: AnnotationDocument | None = None
        self._layer: Layer | None = None
        self._selected: dict[UUID, None] = {}
        self._chosen: tuple[Feature, ...] | None = ()
        """The selected features; None: to be looked up."""
        self._class_number = 0
        self._waiting: list[Change] = []
        """Changes that are not drawn yet; the first is being drawn, if it is a large one."""
        studies.changed.connect(self._on_study_changed)
        studies.records_changed.connect(self._on_records_changed)

    # -- the slide -------------------------------------------------------------------------------

    def set_slide(self, slide: Slide | None) -> None:
        """Forget the annotations of the slide before."""
        self._slide = slide
        self._take(None)

    @property
    def document(self) -> AnnotationDocument | None:
        """All annotations of the open slide; None: no slide, or they are still being read."""
        return self._document

    @property
    def source(self) -> DocumentSource | None:
        """What draws the annotations and finds them at a place."""
        return None if self._layer is None else self._layer.source  # type: ignore[return-value]

    @property
    def layer(self) -> Layer | None:
        """The layer of the annotations; it is in the list when there are some."""
        return self._layer

    @property
    def is_drawn(self) -> bool:
        """Whether the layer shows what the document says, as far as tiles are read."""
        return not self._waiting

    def _on_study_changed(self) -> None:
        book = self._studies.book
        self._take(None if book is None else book.document)

    def _take(self, document: AnnotationDocument | None) -> None:
        if document is self._document:
            return
        if self._document is not None:
            self._document.changed.disconnect(self._on_document_changed)
        if self._layer is not None and self._layer in self._layers:
            self._layers.remove(self._layer)
            self._scheduler.remove(self._layer.source)
        self._document, self._layer = document, None
        self._waiting.clear()
        self.select(())
        if document is not None and self._slide is not None:
            document.changed.connect(self._on_document_changed)
            info = self._slide.info
            self._layer = Layer(_("Annotations"), DocumentSource(info.width, info.height))
            self._draw(Change.adding(document))
        self.changed.emit(None)

    # -- what is drawn ---------------------------------------------------------------------------

    def _on_document_changed(self, change: Change) -> None:
        self._chosen = None
        gone = {feature.id for feature in change.before} - {one.id for one in change.after}
        if gone & self._selected.keys():
            self.select(key for key in self._selected if key not in gone)
        self._draw(change)
        self.changed.emit(change)

    def _draw(self, change: Change) -> None:
        if change:
            self._waiting.append(change)
            if len(self._waiting) == 1:
                self._draw_next()

    def _draw_next(self) -> None:
        source = self.source
        while self._waiting and source is not None:
            change = self._waiting[0]
            if len(change.before) + len(change.after) > _MANY:
                self._scheduler.submit(
                    partial(source.change, change), partial(self._on_drawn, source)
                )
                return
            self._show(source, source.change(change))

    def _on_drawn(
        self, source: DocumentSource, rect_l0: Rect | None, error: BaseException | None
    ) -> None:
        if source is self.source and self._waiting:
            self._show(source, rect_l0)
            self._draw_next()

    def _show(self, source: DocumentSource, rect_l0: Rect | None) -> None:
        self._waiting.pop(0)
        layer = self._layer
        if layer is not None and layer not in self._layers and len(source):
            self._overlay.adopt(layer)
            self._layers.add(layer)
            self._scheduler.add(source)
        if rect_l0 is not None:
            source.changed.emit(rect_l0)

    def _on_records_changed(self, kind: str) -> None:
        if kind != LabelClass.kind:
            return
        if self.drawing_class is None:
            self._class_number = 0
        self._take_classes()
        self.class_changed.emit()

    def _take_classes(self) -> None:
        """Have annotations follow when their class is renamed or gets another colour."""
        book = self._studies.book
        if book is None:
            return
        others = book.follow_classes(self._studies.records.drawn_classes)
        if others and self.source is not None and book.document is self._document:
            self.source.recolor(tuple(others))

    # -- classes ---------------------------------------------------------------------------------

    @property
    def classes(self) -> Sequence[LabelClass]:
        """The classes of the palette, in order."""
        return [one for one in self._studies.records.classes if one.is_listed]

    @property
    def drawing_class(self) -> LabelClass | None:
        """The class that new annotations get; None: none."""
        found = (one for one in self.classes if one.number == self._class_number)
        return next(found, None)

    def choose_class(self, number: int) -> None:
        """Draw in another class from now on; 0: in none."""
        if number != self._class_number:
            self._class_number = number
            self.class_changed.emit()

    # -- the selection ---------------------------------------------------------------------------

    @property
    def selected(self) -> tuple[Feature, ...]:
        """The annotations that are chosen, in the order in which they were."""
        if self._chosen is None:
            get = self._document.get if self._document is not None else lambda _key: None
            found = map(get, self._selected)
            self._chosen = tuple(feature for feature in found if feature is not None)
        return self._chosen

    @property
    def n_selected(self) -> int:
        """How many annotations are chosen."""
        return len(self._selected)

    @property
    def selected_ids(self) -> frozenset[UUID]:
        return frozenset(self._selected)

    def select(self, ids: Iterable[UUID], *, add: bool = False) -> None:
        """Choose annotations, or some more."""
        chosen = {**self._selected, **dict.fromkeys(ids)} if add else dict.fromkeys(ids)
        if chosen.keys() != self._selected.keys():
            self._selected, self._chosen = chosen, None
            self.selection_changed.emit()

    def toggle(self, feature_id: UUID) -> None:
        """Choose an annotation too, or no longer."""
        chosen = dict(self._selected)
        if chosen.pop(feature_id, self) is self:
            chosen[feature_id] = None
        self._selected, self._chosen = chosen, None
        self.selection_changed.emit()

    def find(self, x_l0: float, y_l0: float, reach_l0: float = 0.0) -> list[Feature]:
        """Return the annotations seen at a place, the smallest first."""
        source, layer = self.source, self._layer
        if source is None or layer is None or not layer.visible:
            return []
        found = source.find(x_l0, y_l0, reach_l0)
        return [feature for feature in found if self._document and feature.id in self._document]

    def click(self, x_l0: float, y_l0: float, reach_l0: float, *, add: bool = False) -> bool:
        """Choose what is at a place: of several the smallest, and with each click the next.

        Return whether there is something.
        """
        here = self.find(x_l0, y_l0, reach_l0)
        if not here:
            if add:
                self.added_at.emit(x_l0, y_l0)
            else:
                self.select(())
            return False
        chosen = [place for place, one in enumerate(here) if one.id in self._selected]
        if add:
            self.toggle(here[0].id)
        else:
            following = (chosen[0] + 1) % len(here) if len(chosen) == 1 else 0
            self.select([here[following].id])
        return True

    def select_in(self, area: shapely.Geometry, *, add: bool = False) -> None:
        """Choose the annotations whose middle lies in an area (of lines: that cross a line)."""
        self.area_chosen.emit(area, add)
        source, layer = self.source, self._layer
        if source is None or layer is None or not layer.visible:
            return
        found = source.within(area)
        if shapely.get_dimensions(area) == 2 and found:
            middles = shapely.centroid([feature.geometry for feature in found])
            is_in = shapely.intersects(area, middles)
            found = [one for one, is_one in zip(found, is_in.tolist(), strict=True) if is_one]
        self.select((feature.id for feature in found), add=add)

    # -- gestures --------------------------------------------------------------------------------

    @property
    def can_edit(self) -> bool:
        """Whether there is a document that can be written."""
        book = self._studies.book
        return book is not None and not book.study.is_read_only

    def new(self, geometry: shapely.Geometry, role: Role = "", **members: Any) -> Feature:
        """Return a feature of the drawing class, not in the document yet."""
        chosen = self.drawing_class
        return Feature(
            geometry,
            id=uuid.uuid4(),
            classification=None if chosen is None else chosen.drawn,
            role=role,
            author=self._studies.author,
            created=now(),
            **members,
        )

    def draw(
        self, geometry: shapely.Geometry, name: str, role: Role = "", **members: Any
    ) -> Feature | None:
        """Add an annotation of the drawing class and choose it; None: it could not be kept."""
        feature = self.new(geometry, role, **members)
        if not self.apply(name, Change.adding([feature])):
            return None
        self.select([feature.id])
        return feature

    def reshape(self, feature: Feature, geometry: shapely.Geometry | None, name: str) -> bool:
        """Give an annotation another shape; None: take it away."""
        if geometry is None:
            return self.apply(name, Change.removing([feature]))
        return self.edit(name, [feature], lambda one: replace(one, geometry=geometry))

    def edit(
        self, name: str, features: Iterable[Feature], to: Callable[[Feature], Feature]
    ) -> bool:
        """Alter annotations as one step; those that stay as they are are left alone."""
        time = now()
        pairs = ((one, to(one)) for one in features)
        edited = [(one, replace(new, changed=time)) for one, new in pairs if new != one]
        return bool(edited) and self.apply(name, Change.replacing(edited))

    def apply(self, name: str, change: Change, command: Mapping[str, Any] | None = None) -> bool:
        """Do a change as one step of the history; False: it could not be done."""
        return bool(change) and self._studies.do(name, change, command=command)

    def select_all(self) -> None:
        """Choose every annotation that is seen."""
        hidden = frozenset[str]() if self.source is None else self.source.hidden_classes
        self.select(
            feature.id
            for feature in self._document or ()
            if not feature.is_hidden and class_name(feature) not in hidden
        )


def class_name(feature: Feature) -> str:
    """Return the name of an annotation's class; empty: it has none."""
    return "" if feature.classification is None else feature.classification.name
