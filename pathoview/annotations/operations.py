"""What is done to chosen annotations: features go in, a change comes out.

`OPERATIONS` has them all by name, for the window and the command line alike. Locked annotations
stay as they are, but for what does not touch them (`Operation.spares_locked`). Rulers and arrows
keep their shape. A shape of which nothing would be left stays too: no operation loses anything
that one did not ask to delete. Both are counted in the `Outcome`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations import shapes
from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.annotations.origin import joined_origin
from pathoview.core.errors import UsageError
from pathoview.core.translation import _

_MEASURING = ("ruler", "arrow")


@dataclass(frozen=True, slots=True)
class Distance:
    """How far, as a person says it."""

    value: float
    unit: Literal["um", "px"]
    """Level-0 px, for slides without a scale."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an operation is told beside the annotations."""

    mpp: shapes.Mpp | None = None
    """µm per level-0 px (x, y) of the slide."""
    distance: Distance | None = None
    classification: DetectionClass | None = None
    """Of ``set-class``; None: none."""
    time: str = ""
    author: str = ""

    @property
    def said(self) -> Mapping[str, Any]:
        """What of it belongs into a command: the distance by its unit, the class as ``to``."""
        said: dict[str, Any] = {}
        if self.distance is not None:
            said[self.distance.unit] = self.distance.value
        if self.classification is not None:
            said["to"] = self.classification.name
        return said

    @property
    def px(self) -> float:
        """The distance in level-0 px; raises `UsageError` when it cannot be said."""
        distance = self._distance()
        if distance.unit == "px":
            return distance.value
        return distance.value / float(np.mean(self._scale()))

    def grown(self, shape: BaseGeometry, sign: int) -> BaseGeometry | None:
        """Return a shape with its edge moved by the distance, outwards or (-1) inwards."""
        distance = self._distance()
        mpp = self._scale() if distance.unit == "um" else (1.0, 1.0)
        return shapes.expand(shape, sign * distance.value, mpp)

    def _distance(self) -> Distance:
        if self.distance is None or not self.distance.value > 0:
            raise UsageError(_("This needs a distance above 0."), _("Give it in µm, or in px."))
        return self.distance

    def _scale(self) -> shapes.Mpp:
        if self.mpp is None:
            raise UsageError(
                _("The slide has no scale, so µm mean nothing on it."),
                _("State the scale of the slide, or give the distance in px."),
            )
        return self.mpp


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation comes to."""

    change: Change
    n_locked: int = 0
    """Annotations left alone because they are locked."""
    n_refused: int = 0
    """Annotations of which nothing would have been left."""
    chosen: tuple[uuid.UUID, ...] = ()
    """What is chosen afterwards; empty: what was chosen before."""


_Run = Callable[[Sequence[Feature], Given], Outcome]


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that can be done to annotations."""

    title: str
    """Of the step in the history; shown through ``_(title)``."""
    run: _Run
    needs_distance: bool = False
    n_least: int = 1
    """So many annotations it takes."""
    is_quick: bool = False
    """It looks at no shape."""
    spares_locked: bool = True


def operate(what: str, features: Sequence[Feature], given: Given) -> Outcome:
    """Return what an operation of `OPERATIONS` comes to; raises `UsageError`."""
    operation = OPERATIONS.get(what)
    if operation is None:
        raise UsageError(
            _("There is no operation “{name}”.").format(name=what),
            _("There are: {names}.").format(names=", ".join(OPERATIONS)),
        )
    free = [one for one in features if not (operation.spares_locked and one.is_locked)]
    n_locked = len(features) - len(free)
    if len(free) < operation.n_least:
        return Outcome(Change(), n_locked)
    return replace(operation.run(free, given), n_locked=n_locked)


def step_name(what: str, given: Given) -> str:
    """Return what an operation is called in the history."""
    if what == "set-class":
        if given.classification is None:
            return _("Take class away")
        return _("Set class {name}").format(name=given.classification.name)
    title = _(OPERATIONS[what].title)
    if given.distance is None:
        return title
    unit = "µm" if given.distance.unit == "um" else "px"
    return f"{title} ({given.distance.value:g} {unit})"


# -- one shape becomes another --------------------------------------------------------------------


def _each(
    reshaped: Callable[[BaseGeometry, Given], BaseGeometry | None],
) -> _Run:
    """Return what gives every annotation another shape."""

    def run(features: Sequence[Feature], given: Given) -> Outcome:
        pairs: list[tuple[Feature, Feature]] = []
        n_refused = 0
        for feature in features:
            if feature.role in _MEASURING:
                continue
            shape = reshaped(feature.geometry, given)
            if shape is None:
                n_refused += 1
            elif not shapely.equals_identical(shape, feature.geometry):
                pairs.append((feature, _with_shape(feature, shape, given)))
        return Outcome(Change.replacing(pairs), n_refused=n_refused)

    return run


def _with_shape(feature: Feature, shape: BaseGeometry, given: Given, **others: Any) -> Feature:
    """Return an annotation of another shape, less what was true of the old one only."""
    is_other = shapely.get_dimensions(shape) != shapely.get_dimensions(feature.geometry)
    members: dict[str, Any] = {
        "geometry": shape,
        "is_ellipse": False,
        "measurements": {},
        "role": "" if is_other else feature.role,
        "changed": given.time,
    }
    return replace(feature, **{**members, **others})


# -- several become one ---------------------------------------------------------------------------


def _combined(
    joined: Callable[[Sequence[BaseGeometry]], BaseGeometry | None],
) -> _Run:
    """Return what makes one annotation, the one chosen first, out of all.

    It stands for all detections that they stood for: no run shows one again that was corrected.
    """

    def run(features: Sequence[Feature], given: Given) -> Outcome:
        first, dimension = features[0], shapely.get_dimensions(features[0].geometry)
        fitting = [one for one in features if shapely.get_dimensions(one.geometry) == dimension]
        if len(fitting) < 2:
            return Outcome(Change(), n_refused=len(features))
        shape = joined([one.geometry for one in fitting])
        if shape is None:
            return Outcome(Change(), n_refused=len(fitting))
        origin = joined_origin([one.origin for one in fitting])
        one = _with_shape(first, shape, given, origin=origin)
        return Outcome(
            Change(tuple(fitting), (one,)),
            n_refused=len(features) - len(fitting),
            chosen=(one.id,),
        )

    return run


def _subtracted(geometries: Sequence[BaseGeometry]) -> BaseGeometry | None:
    others = shapes.merge(geometries[1:])
    return geometries[0] if others is None else shapes.subtract(geometries[0], others)


def _folded(
    overlay: Callable[[BaseGeometry, BaseGeometry], BaseGeometry | None],
    geometries: Sequence[BaseGeometry],
) -> BaseGeometry | None:
    def fold(one: BaseGeometry | None, other: BaseGeometry) -> BaseGeometry | None:
        return None if one is None else overlay(one, other)

    return reduce(fold, geometries[1:], geometries[0])


def _exclusive(one: BaseGeometry, other: BaseGeometry) -> BaseGeometry | None:
    """Return what lies in one of two shapes only; equal ones leave an empty shape to go on with."""
    return shapes.exclusive(one, other) or type(one)()


def _only_once(geometries: Sequence[BaseGeometry]) -> BaseGeometry | None:
    left = _folded(_exclusive, geometries)
    return None if left is None or left.is_empty else left


# -- one becomes several --------------------------------------------------------------------------


def _split(features: Sequence[Feature], given: Given) -> Outcome:
    before: list[Feature] = []
    after: list[Feature] = []
    for feature in features:
        if shapely.get_num_geometries(feature.geometry) < 2:
            continue
        first, *others = shapes.split_parts(feature.geometry) or [feature.geometry]
        if not others:
            continue
        before.append(feature)
        after.append(_with_shape(feature, first, given))
        after += [_with_shape(feature, part, given, id=uuid.uuid4()) for part in others]
    kept = {one.id for one in features} - {one.id for one in before}
    chosen = (*(one.id for one in features if one.id in kept), *(one.id for one in after))
    return Outcome(Change(tuple(before), tuple(after)), chosen=chosen if before else ())


def _duplicated(features: Sequence[Feature], given: Given) -> Outcome:
    copies = tuple(copied(feature, given.time, given.author) for feature in features)
    return Outcome(Change.adding(copies), chosen=tuple(copy.id for copy in copies))


def copied(feature: Feature, time: str, author: str) -> Feature:
    """Return a copy of an annotation as one of its own, not locked."""
    return replace(
        feature,
        id=uuid.uuid4(),
        is_locked=False,
        is_hidden=False,
        parent_id=None,
        created=time,
        changed="",
        author=author,
    )


# -- shapes stay ----------------------------------------------------------------------------------


def _deleted(features: Sequence[Feature], given: Given) -> Outcome:
    return Outcome(Change.removing(features))


def _marked(**members: Any) -> _Run:
    """Return what gives members of all annotations these values."""

    def run(features: Sequence[Feature], given: Given) -> Outcome:
        differing = [
            one
            for one in features
            if any(getattr(one, name) != value for name, value in members.items())
        ]
        after = tuple(replace(one, **members, changed=given.time) for one in differing)
        return Outcome(Change(tuple(differing), after))

    return run


def _classified(features: Sequence[Feature], given: Given) -> Outcome:
    return _marked(classification=given.classification)(features, given)


def _fully_labelled(features: Sequence[Feature], given: Given) -> Outcome:
    areas = [one for one in features if shapely.get_dimensions(one.geometry) == 2]
    outcome = _marked(role="full")(areas, given)
    return replace(outcome, n_refused=len(features) - len(areas))


def _not_fully_labelled(features: Sequence[Feature], given: Given) -> Outcome:
    return _marked(role="")([one for one in features if one.role == "full"], given)


_mark = partial(Operation, is_quick=True, spares_locked=False)

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "delete": Operation(_("Delete annotations"), _deleted, is_quick=True),
        "duplicate": Operation(
            _("Duplicate annotations"), _duplicated, is_quick=True, spares_locked=False
        ),
        "set-class": Operation(_("Set class"), _classified, is_quick=True),
        "merge": Operation(_("Merge annotations"), _combined(shapes.merge), n_least=2),
        "subtract": Operation(_("Subtract annotations"), _combined(_subtracted), n_least=2),
        "intersect": Operation(
            _("Intersect annotations"),
            _combined(partial(_folded, shapes.intersect)),
            n_least=2,
        ),
        "exclusive": Operation(
            _("Exclude the overlap of annotations"), _combined(_only_once), n_least=2
        ),
        "split": Operation(_("Split annotations"), _split),
        "fill-holes": Operation(_("Fill holes"), _each(lambda one, _given: shapes.fill_holes(one))),
        "convex-hull": Operation(
            _("Convex hull"), _each(lambda one, _given: shapes.convex_hull(one))
        ),
        "simplify": Operation(
            _("Simplify shapes"),
            _each(lambda one, given: shapes.simplify(one, given.px)),
            needs_distance=True,
        ),
        "smooth": Operation(
            _("Smooth shapes"),
            _each(lambda one, given: shapes.smooth(one, given.px)),
            needs_distance=True,
        ),
        "expand": Operation(
            _("Expand annotations"),
            _each(lambda one, given: given.grown(one, 1)),
            needs_distance=True,
        ),
        "shrink": Operation(
            _("Shrink annotations"),
            _each(lambda one, given: given.grown(one, -1)),
            needs_distance=True,
        ),
        "lock": _mark(_("Lock annotations"), _marked(is_locked=True)),
        "unlock": _mark(_("Unlock annotations"), _marked(is_locked=False)),
        "hide": _mark(_("Hide annotations"), _marked(is_hidden=True)),
        "show": _mark(_("Show annotations"), _marked(is_hidden=False)),
        "uncertain": _mark(_("Mark as uncertain"), _marked(is_uncertain=True)),
        "certain": _mark(_("Mark as certain"), _marked(is_uncertain=False)),
        "disputed": _mark(_("Mark as disputed"), _marked(is_disputed=True)),
        "agreed": _mark(_("Mark as agreed"), _marked(is_disputed=False)),
        "fully-labelled": Operation(_("Mark as fully labelled"), _fully_labelled),
        "not-fully-labelled": Operation(_("Mark as not fully labelled"), _not_fully_labelled),
    }
)
