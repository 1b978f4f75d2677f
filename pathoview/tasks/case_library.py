"""The cases that a slide is compared with: the slides of a study, or the pictures of a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathoview.core.errors import UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.slides.finding import slide_files
from pathoview.slides.identity import content_hash
from pathoview.slides.slide import Slide
from pathoview.study.labelled_slides import names_of
from pathoview.study.model import Block, Case, SlideRecord
from pathoview.study.study_file import StudyFile
from pathoview.tasks.bag_labels import NamedFiles
from pathoview.tasks.label_table import LabelRow, read_labels
from pathoview.tasks.opening import open_known


@dataclass(frozen=True, slots=True)
class CaseSource:
    """Where the cases are: a study, or a folder of pictures, with a table of labels or without."""

    study: str = ""
    images: str = ""
    labels: str = ""
    """A CSV file; see `label_table.read_labels`. Rows without a label still tell of a patient."""
    grade: str = ""
    """What is graded, if states are grades of a name; empty: classes."""


@dataclass(frozen=True, slots=True)
class LibraryCase:
    """A slide or picture of the library, before it is opened."""

    slide_hash: str
    pseudonym: str
    path: Path
    """Where its file lies, or lay."""
    states: tuple[str, ...] = ()
    """Names of classes, or grades; empty: nobody says, or it is disputed."""
    kin: frozenset[str] = frozenset()
    """What names its patient and its case; empty: nobody says."""
    record: SlideRecord | None = None
    """Of the study; None: a file of a folder."""

    def opened(self, mpp: float | None) -> Slide:
        """Open it, with ``mpp`` (µm per level-0 px) where it states none; raise `SlideError`."""
        return open_known(self.record, self.path, mpp)


@dataclass(frozen=True, slots=True)
class CaseLibrary:
    """All cases, and what could not be read."""

    cases: Sequence[LibraryCase]
    unread: Sequence[tuple[Path, str]] = ()
    """Files, and what the disk says of each."""
    n_unfound: int = 0
    """Rows of the table that name no picture of the folder."""


def kin_of(patient: str = "", case: str = "") -> frozenset[str]:
    """Return what two slides of the same patient or the same case have in common."""
    named = {"patient": patient, "case": case}
    return frozenset(f"{what} {name}" for what, name in named.items() if name)


def read_library(source: CaseSource, progress: Progress) -> CaseLibrary:
    """Return the cases of a library, in the order they are listed in.

    Raises `UsageError` when it is not said where they are, `InputError` for a table that cannot be
    understood, `StorageError` for a study that cannot be read, and `Cancelled`.
    """
    if bool(source.study) == bool(source.images):
        raise UsageError(
            _("It is not said among which cases to search."),
            _("Name a study, or a folder of pictures, not both."),
        )
    if source.labels and not source.images:
        raise UsageError(
            _("A table of labels belongs to a folder of pictures."),
            _("Name the folder, or leave the table out: a study has its own labels."),
        )
    return _of_study(source) if source.study else _of_folder(source, progress)


def _of_study(source: CaseSource) -> CaseLibrary:
    with StudyFile.open(Path(source.study)) as study:
        cases = {one.id: one.name for one in study.records(Case)}
        blocks = {one.id: cases.get(one.case_id, "") for one in study.records(Block)}
        records = sorted(study.records(SlideRecord), key=lambda one: one.pseudonym)
    return CaseLibrary([_recorded(one, blocks.get(one.block_id, ""), source) for one in records])


def _recorded(record: SlideRecord, case: str, source: CaseSource) -> LibraryCase:
    states, is_disputed = names_of(record, source.grade)
    return LibraryCase(
        record.slide_hash,
        record.pseudonym,
        Path(record.path),
        () if is_disputed else states,
        kin_of(record.patient_id, case),
        record,
    )


def _of_folder(source: CaseSource, progress: Progress) -> CaseLibrary:
    folder = Path(source.images)
    files = NamedFiles(folder, "slides")  # says so when there is no folder
    rows: Sequence[LabelRow] = ()
    if source.labels:
        rows = read_labels(Path(source.labels), grade=source.grade, with_unlabelled=True)
    said: dict[Path | None, list[LabelRow]] = {}
    for row in rows:
        said.setdefault(files.find(row.name), []).append(row)
    cases, unread = [], []
    paths = list(slide_files([folder]))
    for number, path in enumerate(paths):
        progress.check()
        progress.report(number / len(paths), _("Reading the library"))
        try:
            cases.append(_found(path, said.get(path, ())))
        except OSError as error:
            unread.append((path, error.strerror or type(error).__name__))
    return CaseLibrary(cases, unread, len(said.get(None, ())))


def _found(path: Path, rows: Iterable[LabelRow]) -> LibraryCase:
    """Return a picture of a folder with what its rows say; raise `OSError`."""
    key = content_hash(path)
    states = dict.fromkeys(name for row in rows for name in row.labels)
    kin = frozenset[str]().union(*(kin_of(row.patient) for row in rows))
    return LibraryCase(key, f"slide-{key[:8]}", path, tuple(states), kin)
