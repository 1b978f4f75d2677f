"""The annotations and the history of one slide: altered in memory at once, on disk soon."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pathoview.annotations.change import NO_CHANGE, Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.document import AnnotationDocument
from pathoview.annotations.feature import Feature
from pathoview.study.records import now
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.study import Study
from pathoview.study.study_file import DrawnClasses

_STEPS_IN_MEMORY = 200
_FEATURES_IN_MEMORY = 300_000
"""Of all steps in memory together: older steps are read again when they are wanted."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a study has kept of a slide."""

    features: Sequence[Feature] = ()
    steps: Sequence[StudyStep] = ()
    """Without their changes, oldest first."""
    recent: Mapping[int, StudyStep] = field(default_factory=dict)
    """The last few with their changes, by number."""
    classes: DrawnClasses = field(default_factory=dict)
    """As they were called when this was read."""


def read_kept(study: Study, slide_hash: str, n_recent: int = 8) -> Kept:
    """Read what a study has kept of a slide; raises `StorageError`."""
    file = study.file
    if file is None:
        return Kept()
    steps = file.steps(slide_hash)
    numbers = [step.number for step in steps if not step.is_undone][-n_recent:]
    classes = file.drawn_classes()
    recent = {number: file.step(number, classes) for number in numbers}
    return Kept(file.features(slide_hash, classes), steps, recent, classes)


class SlideBook:
    """One slide of a study. All methods are called on the session's thread."""

    def __init__(
        self,
        study: Study,
        slide_hash: str,
        kept: Kept,
        apply_records: Callable[[Sequence[RecordChange]], None],
    ) -> None:
        """``apply_records`` alters in memory what the study says beside annotations."""
        self.study = study
        self.slide_hash = slide_hash
        self.document = AnnotationDocument(kept.features)
        self.steps: list[StudyStep] = list(kept.steps)
        """All steps, without their changes, oldest first."""
        self._apply_records = apply_records
        self._in_memory: OrderedDict[int, StudyStep] = OrderedDict(kept.recent)
        self._classes = kept.classes

    def do(
        self,
        name: str,
        author: str,
        change: Change = NO_CHANGE,
        records: Sequence[RecordChange] = (),
        command: Mapping[str, Any] | None = None,
    ) -> StudyStep:
        """Do something and have it kept; raises `StorageError` when the study is only read."""
        step = StudyStep(
            self.study.next_number(),
            self.slide_hash,
            *(name, now(), author),
            change=change,
            records=tuple(records),
            command=command or {},
        )
        self.study.check_writable()
        self.document.apply(change)
        self._apply_records(step.records)
        self.study.do(step)
        self.steps = [one for one in self.steps if not one.is_undone]
        self.steps.append(_without_change(step))
        self._remember(step)
        return step

    def undo(self, number: int, author: str) -> None:
        """Take a step back; raises `StorageError`."""
        step = self.step(number)
        self.study.check_writable()
        self.document.apply(step.change.inverse)
        self._apply_records([one.inverse for one in reversed(step.records)])
        self.study.undo(number, author)
        self._mark(number, is_undone=True)

    def redo(self, number: int, author: str) -> None:
        """Take a step again; raises `StorageError`."""
        step = self.step(number)
        self.study.check_writable()
        self.document.apply(step.change)
        self._apply_records(step.records)
        self.study.redo(number, author)
        self._mark(number, is_undone=False)

    def step(self, number: int) -> StudyStep:
        """Return a step with its change; raises `StorageError`."""
        if number not in self._in_memory:
            file = self.study.file
            assert file is not None, "what is not in memory is on disk"
            self._in_memory[number] = file.step(number, self._classes)
        self._in_memory.move_to_end(number)
        return self._in_memory[number]

    def follow_classes(self, classes: DrawnClasses) -> Collection[DetectionClass]:
        """Have all features, those of steps too, carry their classes as they are called now.

        A study keeps classes by their numbers, so nothing is written. Return those that are others.
        """
        before, self._classes = self._classes, classes
        others = {
            old: classes[number]
            for number, old in before.items()
            if classes.get(number, old) != old
        }
        if others:
            to = partial(_reclassified, others)
            self._in_memory = OrderedDict(
                (number, step.mapped(to)) for number, step in self._in_memory.items()
            )
            self.document.apply(Change.replacing((one, to(one)) for one in self.document))
        return others.values()

    def _mark(self, number: int, *, is_undone: bool) -> None:
        self.steps = [
            replace(one, is_undone=is_undone) if one.number == number else one for one in self.steps
        ]

    def _remember(self, step: StudyStep) -> None:
        self._in_memory[step.number] = step
        if self.study.writer.n_waiting > _STEPS_IN_MEMORY:  # they are nowhere else
            return
        while len(self._in_memory) > _STEPS_IN_MEMORY or (
            len(self._in_memory) > 1 and self._n_features() > _FEATURES_IN_MEMORY
        ):
            self._in_memory.popitem(last=False)

    def _n_features(self) -> int:
        changes = (step.change for step in self._in_memory.values())
        return sum(len(change.before) + len(change.after) for change in changes)


def _reclassified(others: Mapping[DetectionClass, DetectionClass], feature: Feature) -> Feature:
    said = feature.classification
    if said is None or said not in others:
        return feature
    return replace(feature, classification=others[said])


def _without_change(step: StudyStep) -> StudyStep:
    return replace(step, change=NO_CHANGE, records=())
