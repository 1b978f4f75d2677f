"""The slides of a study worked on without a window: each time one step of its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext
from pathoview.slides import finding
from pathoview.slides.finding import FoundSlide
from pathoview.study.case_book import CaseBook
from pathoview.study.lock import user_name
from pathoview.study.metadata_csv import Meaning, MetadataPlan, plan_import, read_table
from pathoview.study.model import Block, Case, Record, SlideRecord
from pathoview.study.records import now
from pathoview.study.slide_list import SlideFinder, seen_slide
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.study import Study
from pathoview.study.study_file import StudyFile
from pathoview.tasks.import_into_study import flush, open_to_write

R = TypeVar("R", bound=Record)
T = TypeVar("T")
To = Callable[[SlideRecord], SlideRecord]


@dataclass(frozen=True, slots=True)
class Added:
    """What came of looking for slides."""

    n_added: int
    n_known: int
    problems: tuple[str, ...]


def add_slides(
    path: Path,
    paths: Sequence[Path],
    author: str,
    progress: Progress,
    clips: Sequence[Path] = (),
) -> Added:
    """Add slides, and all in folders, to a study, made where there is none.

    ``clips``: videos and folders of pictures, each one slide. Raises `StorageError` and
    `Cancelled`; nothing is added then.
    """
    with closing(open_to_write(path)) as study:
        known = {one.slide_hash: one for one in _kept(study, SlideRecord)}
        there = [key for key, one in known.items() if Path(one.path).exists()]
        found: list[FoundSlide] = []
        problems: list[str] = []
        n_known = 0
        for piece in _told(finding.find_slides(paths, there, clips), progress):
            if isinstance(piece, FoundSlide):
                found.append(piece)
            elif piece is None:
                n_known += 1
            else:
                problems.append(piece)
        changes = []
        for one in found:
            before = known.get(one.content_hash)
            after = seen_slide(
                before, one.content_hash, one.pseudonym, one.path, one.size_l0, one.mpp
            )
            changes.append(RecordChange.of(before, after))
        name = ngettext("Add slide", "Add {n} slides", len(changes)).format(n=len(changes))
        _do(study, name, changes, author)
    return Added(len(found), n_known, tuple(problems))


def describe_slides(
    path: Path,
    names: Sequence[str],
    name: str,
    to: To,
    author: str,
    place: tuple[str | None, str | None] = (None, None),
) -> int:
    """Say something of slides, by what a person calls them; return how many have changed.

    ``place``: names of their case and block, which are made where there are none; None: as is.
    Raises `InputError` when a slide is not found, and `StorageError`; nothing is changed then.
    """
    with closing(_opened(path)) as study:
        finder = SlideFinder(_kept(study, SlideRecord))
        book = CaseBook(_kept(study, Case), _kept(study, Block))
        changes = []
        for before in {one.slide_hash: one for one in map(finder.one, names)}.values():
            names_now = zip(place, book.names(before.block_id), strict=True)
            case, block = (old if new is None else new for new, old in names_now)
            after = to(before).model_copy(update={"block_id": book.block_id(case, block)})
            if after != before:
                changes.append(RecordChange.of(before, after))
        _do(study, name, [*book.made, *changes], author)
        return len(changes)


def remove_slides(path: Path, names: Sequence[str], author: str) -> int:
    """Take slides out of a study; their annotations stay in its history. Return how many."""
    with closing(_opened(path)) as study:
        finder = SlideFinder(_kept(study, SlideRecord))
        gone = {one.slide_hash: one for one in map(finder.one, names)}.values()
        name = ngettext("Remove slide", "Remove {n} slides", len(gone)).format(n=len(gone))
        _do(study, name, [RecordChange.of(one, None) for one in gone], author)
        return len(gone)


def import_metadata(
    path: Path,
    table: Path,
    meanings: Mapping[str, Meaning],
    author: str,
    *,
    is_dry: bool = False,
) -> MetadataPlan:
    """Read a table with one row a slide into a study, or only say what that would do.

    Raises `InputError` and `StorageError`.
    """
    read = read_table(table)
    if is_dry:
        with StudyFile.open(path) as file:
            records = file.records(SlideRecord), file.records(Case), file.records(Block)
            return plan_import(read, *records, meanings)
    with closing(_opened(path)) as study:
        plan = plan_import(
            read,
            *(_kept(study, SlideRecord), _kept(study, Case), _kept(study, Block), meanings),
            author=author or user_name(),
            time=now(),
        )
        _do(study, _("Import metadata"), plan.changes, author)
        return plan


def find_moved(path: Path, folders: Sequence[Path], progress: Progress) -> tuple[int, int]:
    """Look in folders for slides that are not where they lay, by their content.

    Return how many were found, and how many are missing still. Raises `StorageError`.
    """
    with closing(_opened(path)) as study:
        records = {one.slide_hash: one for one in _kept(study, SlideRecord)}
        missing = [key for key, one in records.items() if not one.is_there]
        found = []
        for place in _told(finding.find_moved(folders, missing), progress):
            if place is not None:
                update = {"path": str(place[1].absolute())}
                found.append(records[place[0]].model_copy(update=update))
        study.put(*found)
        flush(study)
        return len(found), len(missing) - len(found)


def _told(pieces: Iterable[T], progress: Progress) -> Iterator[T]:
    """Say how many files were looked at; raises `Cancelled`."""
    for n_done, piece in enumerate(pieces, start=1):
        progress.check()
        progress.report(0.0, ngettext("{n} file", "{n} files", n_done).format(n=n_done))
        yield piece


def _opened(path: Path) -> Study:
    """Open a study that must be there."""
    StudyFile.open(path).close()
    return open_to_write(path)


def _kept(study: Study, kind: type[R]) -> list[R]:
    return [] if study.file is None else study.file.records(kind)


def _do(study: Study, name: str, changes: Sequence[RecordChange], author: str) -> None:
    """Do it as a step of the study's own history, if there is anything to do."""
    if changes:
        number = study.next_number()
        study.do(StudyStep(number, "", name, now(), author or user_name(), records=tuple(changes)))
    flush(study)
