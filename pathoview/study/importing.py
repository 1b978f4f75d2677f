"""Annotations of a file on their way into a study: what is new, and which classes come with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import shapely

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.study.class_sets import meaning_of_name
from pathoview.study.model import LabelClass
from pathoview.study.step import RecordChange

_SAME_L0 = 0.02
"""Shapes that went through GeoJSON and back differ by its grid of 0.01 px."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What a step is to do."""

    change: Change
    records: tuple[RecordChange, ...]
    n_known: int
    """Annotations that are there already, just as they are in the file."""


def intake(
    features: Iterable[Feature],
    known: Callable[[uuid.UUID], Feature | None],
    classes: Sequence[LabelClass],
) -> Intake:
    """Return what takes annotations in; ``known`` finds those of the slide by their ids.

    A class that the study has under the same name is taken as the study has it. An annotation that
    has the id of another one, and is different, gets a new id: both stay.
    """
    by_name = {one.name: one.drawn for one in classes}
    taken: dict[uuid.UUID, Feature] = {}
    n_known = 0
    for feature in features:
        said = feature.classification
        if said is not None and by_name.setdefault(said.name, said) != said:
            feature = replace(feature, classification=by_name[said.name])
        there = taken.get(feature.id) or known(feature.id)
        if there is not None and _is_same(there, feature):
            n_known += 1
            continue
        if there is not None:
            feature = replace(feature, id=uuid.uuid4())
        taken[feature.id] = feature
    records = missing_classes(classes, (one.classification for one in taken.values()))
    return Intake(Change.adding(taken.values()), tuple(records), n_known)


def missing_classes(
    classes: Sequence[LabelClass], said: Iterable[DetectionClass | None]
) -> list[RecordChange]:
    """Return what adds those classes that the study does not know, and lists those it does not."""
    known = {one.name: one for one in classes}
    wanted = {one.name: one for one in said if one is not None}
    first = max((one.number for one in classes), default=0) + 1
    new = sorted(name for name in wanted if name not in known)
    added = [
        LabelClass(
            number=number, name=name, color=wanted[name].color, meaning=meaning_of_name(name)
        )
        for number, name in enumerate(new, first)
    ]
    back = [known[name] for name in wanted if name in known and not known[name].is_listed]
    return [
        *(RecordChange.of(one, one.model_copy(update={"is_listed": True})) for one in back),
        *(RecordChange.of(None, one) for one in added),
    ]


def import_command(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how an import is repeated: the verb, the file, and what was said of it."""
    command = {"verb": "import", "file": request["file"]}
    if request.get("format"):
        command["format"] = request["format"]
    if request.get("options"):
        command["option"] = [f"{key}={value}" for key, value in request["options"].items()]
    return command


def _is_same(one: Feature, other: Feature) -> bool:
    names = [part.classification and part.classification.name for part in (one, other)]
    shapes = shapely.normalize([one.geometry, other.geometry])
    return names[0] == names[1] and bool(shapely.equals_exact(*shapes, _SAME_L0))
