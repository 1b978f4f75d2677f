"""Annotations of a slide in a study worked on without a window: one step of its history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.annotations.operations import Distance, Given, Outcome, operate, step_name
from pathoview.annotations.whole_slide import MADE, full_image, tissue
from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import tissue_mask
from pathoview.study.lock import user_name
from pathoview.study.records import now
from pathoview.study.step import StudyStep
from pathoview.study.study import Study
from pathoview.tasks.import_into_study import flush, note_slide, open_to_write
from pathoview.tasks.opening import open_scaled


@dataclass(frozen=True, slots=True)
class AnnotateOrder:
    """What is to be done with which annotations."""

    what: str
    """One of `OPERATIONS` or of `MADE`."""
    classes: Sequence[str] = ()
    """Names; an empty one: those of no class. None at all, and no ids: all annotations."""
    ids: Sequence[str] = ()
    distance: Distance | None = None
    to: str = ""
    """The class that they get; empty: none."""
    author: str = ""
    """Whose step it is; empty: whoever is logged in."""


def annotate(
    path: Path, order: AnnotateOrder, study: Path | None = None, mpp: float | None = None
) -> Outcome:
    """Do an operation with annotations of a slide, as the window does it; return what came of it.

    ``study`` None: the private study of the slide; ``mpp``: µm per level-0 px, where the file
    states none. Raises `UsageError`, `SlideError` or `StorageError`, and then nothing is changed.
    """
    with (
        open_scaled(path, mpp) as slide,
        closing(open_to_write(study, slide.content_hash)) as opened,
    ):
        there = [] if opened.file is None else opened.file.features(slide.content_hash)
        given = Given(
            slide.info.mpp,
            order.distance,
            _class(opened, order.to),
            now(),
            order.author or user_name(),
        )
        _check_classes(opened, order, there)
        outcome = _outcome(slide, order, given, there)
        if outcome.change:
            _keep(opened, slide, order, given, outcome)
        return outcome


def _class(study: Study, name: str) -> DetectionClass | None:
    if not name:
        return None
    for one in study.classes():
        if one.name == name:
            return one.drawn
    raise _no_class(study, name)


def _check_classes(study: Study, order: AnnotateOrder, there: Iterable[Feature]) -> None:
    known = {one.name for one in study.classes()} | {"", *map(_class_name, there)}
    for name in order.classes:
        if name not in known:
            raise _no_class(study, name)


def _class_name(feature: Feature) -> str:
    return "" if feature.classification is None else feature.classification.name


def _no_class(study: Study, name: str) -> UsageError:
    names = ", ".join(one.name for one in study.classes())
    return UsageError(
        _("The study has no class “{name}”.").format(name=name),
        _("There are: {names}.").format(names=names),
    )


def _outcome(slide: Slide, order: AnnotateOrder, given: Given, there: Sequence[Feature]) -> Outcome:
    size_l0 = slide.info.width, slide.info.height
    if order.what == "full-image":
        return Outcome(Change.adding([full_image(*size_l0, given)]))
    if order.what == "tissue":
        found = tissue_mask(slide)
        made = tissue(found.mask, found.downsample, *size_l0, given)
        return Outcome(Change.adding([] if made is None else [made]))
    return operate(order.what, _chosen(order, there), given)


def _chosen(order: AnnotateOrder, there: Iterable[Feature]) -> list[Feature]:
    if order.ids:
        by_id = {one.id: one for one in there}
        try:
            return [by_id[uuid.UUID(text)] for text in order.ids]
        except (ValueError, KeyError) as error:
            raise UsageError(
                _("There is no annotation {id} on this slide.").format(id=error.args[0])
            ) from error
    if not order.classes:
        return list(there)
    names = set(order.classes)
    return [one for one in there if _class_name(one) in names]


def _keep(study: Study, slide: Slide, order: AnnotateOrder, given: Given, outcome: Outcome) -> None:
    on: dict[str, Any] = {"class": list(order.classes)} if order.classes else {}
    if order.ids:
        on["id"] = list(order.ids)
    if not study.info.is_private:
        note_slide(study, slide)
    study.do(
        StudyStep(
            study.next_number(),
            slide.content_hash,
            _(MADE[order.what]) if order.what in MADE else step_name(order.what, given),
            *(given.time, given.author),
            change=outcome.change,
            command={"verb": "annotate", "what": order.what, **on, **given.said},
        )
    )
    flush(study)
