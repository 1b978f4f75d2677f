"""What an annotation says to a method that learns, and why some say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.feature import Feature
from pathoview.core.translation import _

MOST_NUCLEUS_UM2 = 2_000.0
"""An area larger than this is a region, not a nucleus: nuclei of tumour giant cells, about 50 µm
wide, are just below it."""

Target = Literal["classes", "instances", "points", "objects"]
"""What is learned: the class of each pixel, outlined objects, places of nuclei, or the class of
objects that are found already."""

Kind = Literal[
    "point", "line", "stroke", "nucleus", "area", "full", "region", "ignore", "measurement"
]
"""What an annotation is: ``stroke`` is a coarse stroke with a width, ``nucleus`` an area small
enough to be one; ``full``, ``region`` and ``ignore`` say what else is known where."""
LABELS: tuple[Kind, ...] = ("point", "line", "stroke", "nucleus", "area")


class ClassRecord(Protocol):
    """A class as a study keeps it."""

    @property
    def number(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def color(self) -> tuple[int, int, int]: ...
    @property
    def meaning(self) -> str:
        """``positive``, ``negative``, ``ignore`` or ``region``."""


@dataclass(frozen=True, slots=True)
class LabelUse:
    """How many labels of a class and kind are learned from, and why the others are not."""

    class_name: str
    kind: Kind
    n_used: int
    n_left_out: int
    reason: str
    """One sentence; empty where there is nothing to explain."""


@dataclass(frozen=True, slots=True)
class Said:
    """One annotation, understood."""

    feature: Feature
    kind: Kind
    meaning: str
    """Of its class; empty: it has none that is known."""
    where: str = ""
    """Why it lies where nothing counts, as a sentence; empty: it lies well."""

    @property
    def class_name(self) -> str:
        said = self.feature.classification
        return "" if said is None else said.name

    @property
    def outline(self) -> BaseGeometry:
        """The nucleus of a cell, or all there is."""
        return self.feature.nucleus or self.feature.geometry

    @property
    def n_labels(self) -> int:
        """How many labels it is: points that were clicked together are as many as they are."""
        is_point = self.kind == "point"
        return int(shapely.get_num_geometries(self.feature.geometry)) if is_point else 1

    @property
    def is_doubtful(self) -> bool:
        return self.feature.is_uncertain or self.feature.is_disputed

    @property
    def is_label(self) -> bool:
        """Whether it points at something, rather than saying what is known where."""
        return self.kind in LABELS and not self.where


def understood(
    features: Iterable[Feature],
    classes: Sequence[ClassRecord],
    mpp: float,
    size_l0: tuple[int, int] | None = None,
) -> list[Said]:
    """Return what annotations say. ``size_l0``: width and height of the slide; None: any."""
    by_name = {one.name: one.meaning for one in classes}
    said = []
    for feature in features:
        name = None if feature.classification is None else feature.classification.name
        meaning = by_name.get(name or "", "")
        said.append(Said(feature, _kind(feature, meaning, mpp), meaning))
    slide = None if size_l0 is None else shapely.box(0, 0, *size_l0)
    regions = [one.feature.geometry for one in said if one.kind == "region"]
    area = shapely.union_all(regions) if regions else None
    return [_placed(one, slide, area) for one in said]


def _kind(feature: Feature, meaning: str, mpp: float) -> Kind:
    if feature.role in ("ruler", "arrow"):
        return "measurement"
    if feature.role == "full":
        return "full"
    if meaning in ("region", "ignore"):
        return "region" if meaning == "region" else "ignore"
    dimension = int(shapely.get_dimensions(feature.geometry))
    if dimension < 2:
        return "line" if dimension == 1 else "point"
    if feature.role == "scribble":
        return "stroke"
    area_um2 = (feature.nucleus or feature.geometry).area * mpp**2
    return "nucleus" if area_um2 <= MOST_NUCLEUS_UM2 else "area"


def _placed(said: Said, slide: BaseGeometry | None, regions: BaseGeometry | None) -> Said:
    shape = said.feature.geometry
    if slide is not None and not shapely.intersects(slide, shape):
        return Said(said.feature, said.kind, said.meaning, _("It lies outside of the slide."))
    if regions is not None and not shapely.intersects(regions, shape):
        sentence = _("It lies outside of the regions of interest.")
        return Said(said.feature, said.kind, said.meaning, sentence)
    return said


def uses(said: Iterable[Said], target: Target, wanted: Collection[str]) -> list[LabelUse]:
    """Return what is learned from for a target and what is not, by class and kind.

    ``wanted``: names of the classes that are learned.
    """
    counts: Counter[tuple[str, Kind, str, bool]] = Counter()
    for one in said:
        is_used, reason = verdict(one, target, wanted)
        counts[one.class_name, one.kind, reason, is_used] += one.n_labels
    return [
        LabelUse(name, kind, n if is_used else 0, 0 if is_used else n, reason)
        for (name, kind, reason, is_used), n in sorted(counts.items())
    ]


def verdict(said: Said, target: Target, wanted: Collection[str]) -> tuple[bool, str]:
    """Say whether an annotation is learned from, and why or how, as a sentence."""
    if said.where:
        return False, said.where
    fixed = {
        "measurement": (False, _("Rulers and arrows label nothing.")),
        "ignore": (False, _("Its class means that it is left out.")),
        "full": (True, _("What is not drawn inside of it is background.")),
        "region": (True, _("Outside of it nothing is known.")),
    }
    if said.kind in fixed:
        return fixed[said.kind]
    if said.is_doubtful:
        return False, _("It is marked as uncertain or disputed.")
    if target == "classes":
        return _verdict_on_class(said, wanted)
    return _verdict_on_nucleus(said, target)


def _verdict_on_class(said: Said, wanted: Collection[str]) -> tuple[bool, str]:
    if not said.meaning:
        return False, _("It has no class of the study.")
    if said.class_name in wanted:
        return True, ""
    return True, _("Its class is none of those that are learned: it counts as background.")


def _verdict_on_nucleus(said: Said, target: Target) -> tuple[bool, str]:
    none = _("Its class means that this is no nucleus: it counts as background.")
    if said.meaning == "negative" and target == "points":
        return True, none
    if said.kind == "area":
        limit = f"{MOST_NUCLEUS_UM2:,.0f}"
        return False, _("It is larger than {limit} µm²: a region, not a nucleus.").format(
            limit=limit
        )
    if said.kind in ("line", "stroke"):
        return False, _("A stroke tells neither place nor outline of a nucleus.")
    if target == "instances" and said.kind == "point" and said.meaning != "negative":
        return False, _("A point tells no outline.")
    if target == "objects":
        return bool(said.meaning), "" if said.meaning else _("It has no class of the study.")
    return True, none if said.meaning == "negative" else ""
