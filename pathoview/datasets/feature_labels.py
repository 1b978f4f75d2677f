"""What annotations tell of every pixel: a class, an object, nothing but background, or not known.

The rules stand in `RULES`, which is written beside exported tiles.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.feature import Feature
from pathoview.core.geometry import Rect
from pathoview.datasets.canvas import Drawing
from pathoview.datasets.labels import (
    BACKGROUND,
    UNKNOWN,
    Flags,
    InstancePatch,
    LabelledPoints,
    Mask,
)
from pathoview.datasets.meanings import (
    ClassRecord,
    LabelUse,
    Said,
    Target,
    understood,
    uses,
    verdict,
)
from pathoview.datasets.shape_places import places_on

STROKE_UM, POINT_UM = 10.0, 3.0
"""Width of strokes and radius of points, where nobody says otherwise."""
_APART_UM = 25.0
"""How far apart places are on large labels that say that there is no nucleus."""
_NO_OBJECT = -1

RULES = """\
A mask has one byte a pixel, of the same size as its picture:
  0      background: inside of a region marked as fully labelled, and nothing is drawn there;
         or something is drawn there of a class that was not asked for
  1-254  the class of that number; see classes.json
  255    not known: to be ignored in training. Everything outside of fully labelled regions where
         nothing is drawn is not known; it is never background.
Where shapes lie over each other, the smaller one counts. Strokes are drawn over areas, and points
over strokes. Not known are also: areas of classes that mean “ignore”, labels marked as uncertain or
disputed, and areas without a class. Where a slide has areas of a class that means “region of
interest”, everything outside of them is not known, and there are no tiles without any of them.
Rulers and arrows label nothing. A pixel belongs to an area when its centre lies in it.
"""

_Drawn = tuple[BaseGeometry, int]


class FeatureLabels:
    """The annotations of one slide as `labels.Labels`. Thread-safe."""

    def __init__(
        self,
        features: Iterable[Feature],
        classes: Sequence[ClassRecord],
        values: Mapping[str, int],
        *,
        mpp: float,
        stroke_um: float = STROKE_UM,
        point_um: float = POINT_UM,
        size_l0: tuple[int, int] | None = None,
    ) -> None:
        """``values``: what masks say of each class that is learned, 1–254, by its name.

        ``mpp``: µm per level-0 px. ``size_l0``: width and height of the slide: what lies outside
        of it is left out; None: nothing does.
        """
        self._values = values
        self._said = understood(features, classes, mpp, size_l0)
        self._stroke_l0, self._point_l0 = stroke_um / mpp, point_um / mpp
        regions = [one.feature.geometry for one in self._said if one.kind == "region"]
        kept = shapely.union_all(regions) if regions else None
        there = [one for one in self._said if not one.where]
        self._painted = self._in_order_of_classes(there)
        self._classes = self._drawing(self._painted, kept)
        self._objects = self._drawing(_in_order_of_objects(there), kept)
        self._none = [one.outline for one in there if _means_none(one)]
        self._no_nuclei = self._drawing(_in_order_of_none(there), kept)
        self._apart_l0 = _APART_UM / mpp

    @property
    def n_labels(self) -> int:
        return sum(self.counts().values())

    def counts(self) -> Mapping[int, int]:
        """Return how many labels there are by the value of their class."""
        counts: Counter[int] = Counter()
        for one in self._said:
            targets: tuple[Target, ...] = ("classes", "points")
            if one.is_label and any(verdict(one, each, self._values)[0] for each in targets):
                counts[self._values.get(one.class_name, 0)] += one.n_labels
        return counts

    def fingerprint(self) -> str:
        """Return a hexadecimal hash of all that is said."""
        digest = hashlib.sha256(f"{self._stroke_l0} {self._point_l0}".encode())
        for one in self._said:
            value = self._values.get(one.class_name, 0)
            text = f"{one.kind} {one.meaning} {value} {one.is_doubtful} {one.where}"
            digest.update(text.encode() + shapely.to_wkb(one.feature.geometry))
            digest.update(shapely.to_wkb(one.outline))
        return digest.hexdigest()[:32]

    def uses(self, target: Target) -> list[LabelUse]:
        """Return which annotations are learned from and which are not, and why."""
        return uses(self._said, target, self._values.keys())

    def mask(self, rect_l0: Rect, width: int, height: int) -> Mask:
        """Return the class of each pixel, (height, width); see `RULES`."""
        return self._classes.paint(rect_l0, np.full((height, width), UNKNOWN, np.uint8))

    def instances(self, rect_l0: Rect, width: int, height: int) -> InstancePatch:
        """Return outlined nuclei; an object has the same number in every patch.

        Known are what is outlined, where a point means “no nucleus”, and what else is in fully
        labelled regions. There, what is only pointed at, stroked, or part of a larger area, is not
        known: nobody outlined nuclei in it.
        """
        blank = np.full((height, width), _NO_OBJECT, np.int32)
        numbers = self._objects.paint(rect_l0, blank)
        return InstancePatch(np.maximum(numbers, 0), numbers != _NO_OBJECT)

    def points(self) -> LabelledPoints:
        """Return points and middles of outlined nuclei, but none that mean “no nucleus”."""
        return self._places("points")

    def examples(self) -> LabelledPoints:
        """Return points and middles of outlined nuclei that have a class, whatever it means."""
        return self._places("objects")

    def _places(self, target: Target) -> LabelledPoints:
        places: list[npt.NDArray[np.float64]] = []
        values: list[int] = []
        for one in self._said:
            is_none = target == "points" and one.meaning == "negative"
            if one.is_label and not is_none and verdict(one, target, self._values)[0]:
                is_point = one.kind == "point"
                shape = one.feature.geometry if is_point else shapely.centroid(one.outline)
                places.append(shapely.get_coordinates(shape))
                values += [self._values.get(one.class_name, 0)] * len(places[-1])
        xy = np.concatenate(places) if places else np.empty((0, 2))
        return LabelledPoints(xy, np.array(values, np.int16))

    def no_nuclei(self, rect_l0: Rect, width: int, height: int) -> Flags:
        """Return where a label of a negative class lies, but no outlined nucleus in it."""
        return self._no_nuclei.paint(rect_l0, np.zeros((height, width), np.uint8)) > 0

    def no_nuclei_at(self) -> npt.NDArray[np.float64]:
        """Return points of negative classes, and places 25 µm apart on their other labels."""
        places = [places_on(shape, self._apart_l0) for shape in self._none]
        return np.concatenate(places) if places else np.empty((0, 2))

    def full_l0(self) -> npt.NDArray[np.float64]:
        """Return the boxes around fully labelled regions, (n, 4)."""
        return _bounds([one.feature.geometry for one in self._said if one.kind == "full"])

    def extents_l0(self) -> npt.NDArray[np.float64]:
        """Return the boxes around all that says something, (n, 4): left, top, right, bottom."""
        shapes = [shape for shape, value in self._painted if value != UNKNOWN]
        shapes += [
            one.feature.geometry
            for one in self._said
            if one.is_label and not one.meaning and verdict(one, "points", self._values)[0]
        ]
        reach = max(self._stroke_l0 / 2, self._point_l0)
        grown: npt.NDArray[np.float64] = _bounds(shapes) + np.array([-1, -1, 1, 1]) * reach
        return grown

    def _in_order_of_classes(self, said: Sequence[Said]) -> list[_Drawn]:
        areas: list[_Drawn] = []
        under: list[_Drawn] = []
        strokes: list[_Drawn] = []
        points: list[_Drawn] = []
        over: list[_Drawn] = []
        for one in said:
            shape = one.feature.geometry
            if one.kind == "full":
                under.append((shape, BACKGROUND))
            elif one.kind == "ignore":
                over.append((shape, UNKNOWN))
            elif one.is_label:
                layers = points, strokes, areas if one.meaning else under
                layers[shapely.get_dimensions(shape)].append((shape, self._value(one)))
        return [*_largest_first(under), *_largest_first(areas), *strokes, *points, *over]

    def _value(self, said: Said) -> int:
        if not said.meaning or said.is_doubtful:
            return UNKNOWN
        return self._values.get(said.class_name, BACKGROUND)

    def _drawing(self, drawn: Sequence[_Drawn], kept: BaseGeometry | None) -> Drawing:
        return Drawing(
            [shape for shape, _value in drawn],
            [value for _shape, value in drawn],
            stroke_l0=self._stroke_l0,
            point_l0=self._point_l0,
            kept=kept,
        )


def _in_order_of_objects(said: Sequence[Said]) -> list[_Drawn]:
    full: list[_Drawn] = []
    vague: list[_Drawn] = []
    none: list[_Drawn] = []
    objects: list[_Drawn] = []
    over: list[_Drawn] = []
    for number, one in enumerate(said, 1):
        if one.kind == "full":
            full.append((one.feature.geometry, BACKGROUND))
        elif one.kind == "ignore" or (one.kind == "nucleus" and one.is_doubtful):
            over.append((one.outline, _NO_OBJECT))
        elif one.kind == "nucleus":
            objects.append((one.outline, BACKGROUND if one.meaning == "negative" else number))
        elif one.kind == "point" and one.meaning == "negative":
            none += [] if one.is_doubtful else [(one.feature.geometry, BACKGROUND)]
        elif one.is_label:
            vague.append((one.feature.geometry, _NO_OBJECT))
    return [*full, *vague, *none, *_largest_first(objects), *over]


def _means_none(said: Said) -> bool:
    """Say whether a label means that there is no nucleus that is looked for."""
    return said.is_label and said.meaning == "negative" and not said.is_doubtful


def _in_order_of_none(said: Sequence[Said]) -> list[_Drawn]:
    """Return labels that mean “no nucleus” as 1, and nuclei that may lie in larger ones as 0."""
    drawn = [(one, 1 if _means_none(one) else 0) for one in said]
    areas = [
        (one.outline, value)
        for one, value in drawn
        if one.kind == "nucleus" or (one.kind == "area" and value)
    ]
    strokes = [(one.outline, 1) for one, value in drawn if one.kind in ("line", "stroke") and value]
    points = [(one.outline, 1) for one, value in drawn if one.kind == "point" and value]
    return [*_largest_first(areas), *strokes, *points] if any(n for _one, n in drawn) else []


def _largest_first(drawn: list[_Drawn]) -> list[_Drawn]:
    return sorted(drawn, key=lambda one: -one[0].area)


def _bounds(shapes: Sequence[BaseGeometry]) -> npt.NDArray[np.float64]:
    return np.reshape(shapely.bounds(list(shapes)), (-1, 4)).astype(np.float64)
