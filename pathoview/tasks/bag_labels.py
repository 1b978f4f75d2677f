"""The labels of whole slides, from a study or from a table beside a folder: one class a slide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pathoview.annotations.classes import default_color
from pathoview.core.errors import InputError, UsageError
from pathoview.core.translation import _
from pathoview.datasets.bags import Ordering
from pathoview.datasets.labels import Split, TargetClass
from pathoview.slides.finding import series_in, slide_files
from pathoview.study.labelled_slides import names_of, ordered_names
from pathoview.study.model import LabelClass, SlideRecord
from pathoview.study.slide_list import SlideFinder
from pathoview.study.study_file import StudyFile
from pathoview.study.tile_verdicts import SlideVerdicts, TileVerdict
from pathoview.tasks.export_tiles import slide_group
from pathoview.tasks.label_table import LabelRow, read_labels
from pathoview.tasks.training_data import LeftOut

BagItems = Literal["slides", "clips", "bags"]
"""What lies in a folder: slides or pictures; clips (videos, folders of frames); folders of pictures
that are one bag each."""


@dataclass(frozen=True, slots=True)
class BagSource:
    """Where labels of whole slides are: a study, or a folder of slides and a table."""

    study: str = ""
    slides: tuple[str, ...] = ()
    """Of the study: paths, or what a person calls them; empty: all that have a label."""
    images: str = ""
    """A folder of slides or pictures, of clips or of bags, also in folders of it."""
    labels: str = ""
    """A CSV file: ``slide``, ``label``, and where known ``patient``, ``split``, ``site``; see
    `label_table.read_labels`."""
    classes: tuple[str, ...] | None = None
    """Names of the classes to tell apart, of two the one looked for last; None: all there are."""
    grade: str = ""
    """What is graded, to learn grades in their order; empty: classes."""
    mpp: float | None = None
    """µm per px of pictures; or per level-0 px of slides that state none."""
    licence: str = ""
    items: BagItems = "slides"
    """What lies in the folder."""
    several: bool = False
    """Each slide may have any number of the classes at once (`datasets.bags.Bag.labels`)."""

    @property
    def ordering(self) -> Ordering:
        if self.several:
            return "labels"
        return "grades" if self.grade else "classes"


@dataclass(frozen=True, slots=True)
class SaidOfSlide:
    """What is known of a slide before it is opened."""

    name: str
    """As it is told of; a pseudonym, or the name of a picture."""
    path: Path
    labels: tuple[str, ...]
    """Names of classes; more than one contradict each other, unless a slide may have several."""
    group: str = ""
    """Of its patient; empty: nobody says."""
    site: str = ""
    split: Split = "train"
    record: SlideRecord | None = None
    """Of the study; None: a file of a folder."""
    verdicts: tuple[TileVerdict, ...] = ()


@dataclass(frozen=True, slots=True)
class SaidOfSlides:
    """All slides with exactly one of the classes; with any number where they may have several."""

    slides: list[SaidOfSlide]
    classes: tuple[TargetClass, ...]
    left_out: list[LeftOut] = field(default_factory=list)
    study_id: str = ""


def said_of_slides(source: BagSource) -> SaidOfSlides:
    """Read who says what of which slide.

    Slides without a label are not spoken of; those with several of the classes are left out, unless
    ``source.several``. Raises `UsageError` when it is not said where labels are, `InputError` when
    there are none, for a table that cannot be understood, and for a patient in two splits.
    """
    if bool(source.study) == bool(source.images):
        raise UsageError(
            _("It is not said which slides have labels."),
            _("Name a study, or a folder of images and a table of labels, not both."),
        )
    said = _of_study(source) if source.study else _of_table(source)
    names = {one.name for one in said.classes}
    kept, left_out = [], list(said.left_out)
    for one in said.slides:
        labels = tuple(label for label in one.labels if label in names)
        if len(labels) > 1 and not source.several:
            reason = _("It has several of the classes: {names}.").format(names=", ".join(labels))
            left_out.append(LeftOut(one.name, reason))
        elif labels or source.several:
            kept.append(replace(one, labels=labels))
    if not kept:
        raise _no_labels(source, left_out)
    _refuse_shared_patients(kept)
    return SaidOfSlides(kept, said.classes, left_out, said.study_id)


def _no_labels(source: BagSource, left_out: Sequence[LeftOut]) -> InputError:
    hint = (
        _("Give slides labels in the list of slides, or with “pathoview slides label”.")
        if source.study
        else _("The column “label” names the class of each slide.")
    )
    reasons = list(dict.fromkeys(one.reason for one in left_out))
    if reasons:
        hint = _("What there is was left out: {reasons}").format(reasons=" ".join(reasons[:3]))
    return InputError(_("No slide has a label to learn from."), hint)


def _classes(
    slides: Iterable[SaidOfSlide], source: BagSource, known: Sequence[LabelClass] = ()
) -> tuple[TargetClass, ...]:
    """Return the classes: as they were named, else in their order; grades ascend."""
    there = {label for one in slides for label in one.labels}
    by_name = {one.name: TargetClass(one.name, one.color, one.number) for one in known}
    names = source.classes or ordered_names(there, known)
    return tuple(by_name.get(name, TargetClass(name, default_color(name))) for name in names)


def _refuse_shared_patients(slides: Sequence[SaidOfSlide]) -> None:
    splits: dict[str, Split] = {}
    for one in slides:
        if one.group and splits.setdefault(one.group, one.split) != one.split:
            raise InputError(
                _("“{group}” is in two splits: {first} and {second}.").format(
                    group=one.group, first=splits[one.group], second=one.split
                ),
                _("All slides of a patient belong into one."),
            )


# -- studies ---------------------------------------------------------------------------------------


def _of_study(source: BagSource) -> SaidOfSlides:
    slides, left_out = [], []
    with StudyFile.open(Path(source.study)) as study:
        records, paths = _chosen(study.records(SlideRecord), source.slides)
        for record in records:
            name = record.pseudonym or record.slide_hash[:8]
            labels, is_disputed = names_of(record, source.grade)
            if is_disputed:
                left_out.append(LeftOut(name, _("Its label is disputed.")))
            elif labels:
                slides.append(_recorded(study, record, name, labels, paths))
            elif source.slides:
                left_out.append(LeftOut(name, _("It has no label.")))
        classes = _classes(slides, source, () if source.grade else study.classes())
        return SaidOfSlides(slides, classes, left_out, study.info.id)


def _chosen(
    records: list[SlideRecord], wanted: Sequence[str]
) -> tuple[list[SlideRecord], Mapping[str, Path]]:
    """Return the slides that were named, all without a name, and paths that a person gave."""
    if not wanted:
        return records, {}
    finder = SlideFinder(records)
    named = {finder.one(said).slide_hash: said for said in wanted}
    paths = {key: Path(said) for key, said in named.items() if Path(said).is_file()}
    return [one for one in records if one.slide_hash in named], paths


def _recorded(
    study: StudyFile,
    record: SlideRecord,
    name: str,
    labels: tuple[str, ...],
    paths: Mapping[str, Path],
) -> SaidOfSlide:
    key = record.slide_hash
    verdicts = study.record(SlideVerdicts, key)
    return SaidOfSlide(
        name,
        paths.get(key, Path(record.path)),
        labels,
        group=slide_group(study, key),
        site=record.site_id,
        record=record,
        verdicts=() if verdicts is None else verdicts.verdicts,
    )


# -- a folder with a table -------------------------------------------------------------------------


def _of_table(source: BagSource) -> SaidOfSlides:
    if not source.labels:
        raise UsageError(
            _("A folder of slides needs a table of labels."),
            _("Give a CSV file with the columns “slide” and “label”."),
        )
    files = NamedFiles(Path(source.images), source.items)
    slides: dict[Path, SaidOfSlide] = {}
    left_out = []
    for row in read_labels(
        Path(source.labels), grade=source.grade, several=source.several, classes=source.classes
    ):
        file = files.find(row.name)
        if file is None:
            reason = _("There is no slide of this name in the folder.")
            left_out.append(LeftOut(Path(row.name).stem, reason))
            continue
        one = _tabled(file, row)
        before = slides.setdefault(file, one)
        labels = tuple(dict.fromkeys((*before.labels, *one.labels)))
        slides[file] = replace(before, labels=labels)
    return SaidOfSlides(list(slides.values()), _classes(slides.values(), source), left_out)


def _tabled(file: Path, row: LabelRow) -> SaidOfSlide:
    return SaidOfSlide(
        name=file.name if file.is_dir() else file.stem,
        path=file,
        labels=row.labels,
        group=f"patient {row.patient}" if row.patient else "",
        site=row.site,
        split=row.split,
    )


class NamedFiles:
    """The slides, clips or bags of a folder, found by their names with or without ending."""

    def __init__(self, folder: Path, items: BagItems) -> None:
        if not folder.is_dir():
            raise InputError(
                _("There is no folder “{name}”.").format(name=folder.name),
                _("Name a folder that is there and that you may read."),
            )
        self._by_word: dict[str, list[Path]] = {}
        paths = (
            slide_files([folder])
            if items == "slides"
            else series_in(folder, videos=items == "clips")
        )
        for path in paths:
            for word in {path.name.casefold(), path.stem.casefold()}:
                self._by_word.setdefault(word, []).append(path)

    def find(self, said: str) -> Path | None:
        """Return the file that is meant; raise `InputError` when it may be several."""
        found = self._by_word.get(re.split(r"[/\\]", said)[-1].casefold(), [])
        if len(found) > 1:
            raise InputError(
                _("“{name}” may be {n} slides of the folder.").format(name=said, n=len(found)),
                _("Give the file's name with its ending, and no two files of one name."),
            )
        return found[0] if found else None
