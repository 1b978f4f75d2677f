"""Copies of a study come together again: slides by content, classes by name, labels by id.

What only one side has changed is as that side says. Where both have, both stay, are marked as
disputed, and are listed. What was deleted here comes back only if it was changed there; what was
deleted there stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from pathoview.annotations.change import NO_CHANGE, Change
from pathoview.annotations.feature import Feature
from pathoview.core.errors import InputError
from pathoview.core.translation import _, ngettext
from pathoview.study.backups import back_up
from pathoview.study.bookmarks import SlideBookmarks
from pathoview.study.merge_annotations import AnnotationMerge, merge_annotations
from pathoview.study.merge_side import Side
from pathoview.study.merge_slides import SlideMerge, SlideWords
from pathoview.study.merge_words import BlockMatch, ClassMatch
from pathoview.study.model import Block, Case, LabelClass, SlideRecord, StudyInfo
from pathoview.study.records import now
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.step_rows import put_records
from pathoview.study.study import Study, read_only_error
from pathoview.study.tile_verdicts import SlideVerdicts
from pathoview.study.upkeep import reading

_MERGED_OTHERWISE = {
    one.kind
    for one in (StudyInfo, LabelClass, Case, Block, SlideRecord, SlideBookmarks, SlideVerdicts)
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that both studies have changed; both are kept."""

    slide_hash: str
    what: str
    """Name of the annotation's class, or of what is said of the slide."""
    here: str
    there: str
    """The authors of an annotation; else what each study says."""
    ids: tuple[UUID, ...] = ()
    """Of the annotation here, if it was not deleted, and of the one that came."""


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What merging has done, or would do."""

    n_slides: int
    """Slides of which something was changed."""
    n_added: int
    n_replaced: int
    """Annotations that were changed there only."""
    n_still_deleted: int
    """Deleted here and unchanged there: they did not come back."""
    deleted_there: tuple[UUID, ...]
    """They stay."""
    new_records: tuple[str, ...]
    """Names of classes, cases and blocks, and kinds of other records, that came."""
    conflicts: tuple[Conflict, ...]

    def lines(self) -> Iterator[str]:
        """Yield what has happened, a sentence a line."""
        counted = (
            (self.n_added, ngettext("{n} annotation came.", "{n} annotations came.", self.n_added)),
            (
                self.n_replaced,
                ngettext(
                    "{n} annotation was changed there and is now as it is there.",
                    "{n} annotations were changed there and are now as they are there.",
                    self.n_replaced,
                ),
            ),
            (
                self.n_still_deleted,
                ngettext(
                    "{n} annotation that was deleted here stays deleted.",
                    "{n} annotations that were deleted here stay deleted.",
                    self.n_still_deleted,
                ),
            ),
            (
                len(self.deleted_there),
                ngettext(
                    "{n} annotation that was deleted there stays here.",
                    "{n} annotations that were deleted there stay here.",
                    len(self.deleted_there),
                ),
            ),
        )
        yield from (text.format(n=n) for n, text in counted if n)
        if self.new_records:
            yield _("New: {names}.").format(names=", ".join(self.new_records))
        for one in self.conflicts:
            yield _(
                "Both changed, both kept: {what} of slide {slide} (here {a}, there {b})."
            ).format(what=one.what, slide=one.slide_hash[:8], a=one.here or "–", b=one.there or "–")
        if not (any(n for n, _text in counted) or self.new_records or self.conflicts):
            yield (
                _("Nothing is new there.")
                if not self.n_slides
                else ngettext(
                    "What is said of {n} slide was completed.",
                    "What is said of {n} slides was completed.",
                    self.n_slides,
                ).format(n=self.n_slides)
            )


@dataclass(frozen=True, slots=True)
class SlidePart:
    """What merging does to one slide: a step of its history."""

    slide_hash: str
    change: Change
    records: tuple[RecordChange, ...]


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What merging does: first records that are no step, then a step for each slide."""

    name: str
    """Of the steps."""
    records: tuple[RecordChange, ...]
    slides: tuple[SlidePart, ...]
    report: MergeReport

    @property
    def is_empty(self) -> bool:
        return not (self.records or self.slides)


def plan_merge(target: Path, source: Path) -> MergePlan:
    """Return what merging would do; both studies may be open. Raises `StorageError`."""
    if target.exists() and source.exists() and target.samefile(source):
        raise InputError(_("A study cannot be merged with itself."), _("Choose a copy of it."))
    with reading(target) as own, reading(source) as other:
        other.execute("BEGIN")  # somebody may be writing it
        return _Merge(Side(own), Side(other)).plan(_("Merge {file}").format(file=source.name))


def merge(target: Study | Path, source: Path, author: str = "") -> MergeReport:
    """Bring what a copy says into a study, after a backup, and return what that was.

    An open study must have no unfinished writes of other threads; what was read of its slides
    before is outdated. Raises `StorageError`, also when somebody else has the target open.
    """
    if isinstance(target, Path):
        with contextlib.closing(Study(target, lambda *_told: None)) as study:
            return merge(study, source, author)
    if target.is_read_only:
        raise read_only_error(target)
    _finish(target)
    plan = plan_merge(target.path, source)
    if plan.is_empty:
        return plan.report
    back_up(target.path, "merge")
    target.submit(partial(put_records, changes=plan.records))
    for part in plan.slides:
        step = StudyStep(
            *(target.next_number(), part.slide_hash, plan.name, now(), author),
            change=part.change,
            records=part.records,
        )
        target.do(step)
    target.tell(author, "", " ".join([_("Merged a copy."), *_without_conflicts(plan.report)]))
    _finish(target)
    return plan.report


def _finish(study: Study) -> None:
    if not study.writer.flush(60.0) and study.writer.error is not None:
        raise study.writer.error


def _without_conflicts(report: MergeReport) -> list[str]:
    """Return what the audit may tell: no more than counts."""
    n = len(report.conflicts)
    added = ngettext("{n} annotation came.", "{n} annotations came.", report.n_added)
    disputed = ngettext("{n} conflict.", "{n} conflicts.", n)
    return [added.format(n=report.n_added), disputed.format(n=n)]


class _Merge:
    """One merge, before anything is written."""

    def __init__(self, here: Side, there: Side) -> None:
        self._here, self._there = here, there
        self._classes = ClassMatch(here, there)
        self._blocks = BlockMatch(here, there)
        self._words = SlideWords(
            self._classes.names, self._blocks.block_id, self._blocks.block_name
        )
        self._conflicts: list[Conflict] = []
        self._names: list[str] = []
        """Of new records that are of no slide."""

    def plan(self, name: str) -> MergePlan:
        there = {one.slide_hash: one for one in self._there.records(SlideRecord)}
        merged = {slide: self._annotations(slide) for slide in self._there.slides()}
        parts = []
        kinds: tuple[type[SlideBookmarks | SlideVerdicts], ...] = (SlideBookmarks, SlideVerdicts)
        marked = [one.slide_hash for kind in kinds for one in self._there.records(kind)]
        for slide in dict.fromkeys([*there, *merged, *marked]):
            change = merged[slide].change if slide in merged else NO_CHANGE
            records = (
                *self._slide_record(slide, there.get(slide), must_be=bool(change)),
                *self._bookmarks(slide),
                *self._verdicts(slide),
            )
            if change or records:
                parts.append(SlidePart(slide, change, records))
        records = self._other_records(parts)
        return MergePlan(name, records, tuple(parts), self._report(merged.values(), len(parts)))

    def _annotations(self, slide: str) -> AnnotationMerge:
        merge = merge_annotations(
            self._here.versions(slide, {}),
            self._there.versions(slide, self._classes.names),
            self._classes.drawn_here,
            self._classes.drawn,
        )
        for here, there in merge.disputed:
            self._conflicts.append(
                Conflict(
                    slide,
                    _class_name(there) or _("annotation"),
                    "" if here is None else here.author,
                    there.author,
                    (there.id,) if here is None else (here.id, there.id),
                )
            )
        return merge

    def _slide_record(
        self, slide: str, there: SlideRecord | None, *, must_be: bool
    ) -> tuple[RecordChange, ...]:
        ever_here = self._here.ever(SlideRecord, slide)
        here = self._here.record(SlideRecord, slide)
        if there is None or (here is None and ever_here and not must_be):
            return ()  # it has left the study
        merge = SlideMerge(
            here or SlideRecord(slide_hash=slide),
            there,
            ever_here if here else (),
            self._there.ever(SlideRecord, slide),
            self._words,
        )
        record = merge.merged()
        self._conflicts += [Conflict(slide, *said) for said in merge.conflicts]
        return () if record == here else (RecordChange.of(here, record),)

    def _bookmarks(self, slide: str) -> tuple[RecordChange, ...]:
        """Add the bookmarks that were never here."""
        here, there = (side.record(SlideBookmarks, slide) for side in (self._here, self._there))
        ever = {mark for one in self._here.ever(SlideBookmarks, slide) for mark in one.bookmarks}
        new = [] if there is None else [one for one in there.bookmarks if one not in ever]
        if not new:
            return ()
        old = () if here is None else here.bookmarks
        merged = SlideBookmarks(slide_hash=slide, bookmarks=(*old, *new))
        return (RecordChange.of(here, merged),)

    def _verdicts(self, slide: str) -> tuple[RecordChange, ...]:
        """Add what people said of tiles and was never said here."""
        here, there = (side.record(SlideVerdicts, slide) for side in (self._here, self._there))
        ever = {said for one in self._here.ever(SlideVerdicts, slide) for said in one.verdicts}
        new = [] if there is None else [one for one in there.verdicts if one not in ever]
        before = here or SlideVerdicts(slide_hash=slide)
        after = before.with_those_of(new)
        return () if after == before else (RecordChange.of(here, after),)

    def _other_records(self, parts: Iterable[SlidePart]) -> tuple[RecordChange, ...]:
        """Return the records that come without a step: they are of no single slide."""
        used = {_class_name(one) for part in parts for one in part.change.after}
        new = [*self._classes.new(used), *self._blocks.new]
        self._names = [one.name for one in new]
        raw = [
            RecordChange(kind, key, None, data)
            for (kind, key), data in self._there.current.items()
            if kind not in _MERGED_OTHERWISE and not self._here.has_known((kind, key))
        ]
        self._names += [one.kind for one in raw]
        return (*(RecordChange.of(None, one) for one in new), *raw)

    def _report(self, merges: Collection[AnnotationMerge], n_slides: int) -> MergeReport:
        return MergeReport(
            n_slides=n_slides,
            n_added=sum(len(one.added) for one in merges),
            n_replaced=sum(len(one.replaced) for one in merges),
            n_still_deleted=sum(one.n_still_deleted for one in merges),
            deleted_there=tuple(gone.id for one in merges for gone in one.deleted_there),
            new_records=tuple(self._names),
            conflicts=tuple(self._conflicts),
        )


def _class_name(feature: Feature) -> str:
    return "" if feature.classification is None else feature.classification.name
