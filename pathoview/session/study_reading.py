"""Reading from studies what a session wants of them; in other threads, mostly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pathoview.session.record_book import KINDS
from pathoview.session.slide_book import Kept, SlideBook, read_kept
from pathoview.study.model import LabelClass, Record, StudyInfo
from pathoview.study.study import Study, private_path


@dataclass(frozen=True, slots=True)
class Opened:
    """What a study has kept of a slide, and the study."""

    study: Study
    records: Mapping[type[Record], Sequence[Record]]
    """Of a private study; those of a named one are in memory, newer than on disk."""
    kept: Kept


@dataclass(frozen=True, slots=True)
class Left:
    """A slide that was closed before all was on disk: what is in memory is newer."""

    book: SlideBook
    records: Mapping[type[Record], Sequence[Record]]
    """Of a private study; those of a named one stay with it."""

    @property
    def study(self) -> Study:
        return self.book.study


def read_slide(named: Study | None, slide_hash: str, told: Callable[..., None]) -> Opened:
    """Read all that a named study (None: the slide's private one) has kept of a slide.

    Raises `StorageError`.
    """
    study = named or Study(private_path(slide_hash), told, info=StudyInfo(is_private=True))
    try:
        records = {} if study is named else read_records(study)
        return Opened(study, records, read_kept(study, slide_hash))
    except BaseException:
        if study is not named:
            study.close()
        raise


def read_records(study: Study) -> dict[type[Record], Sequence[Record]]:
    """Read all records that a session knows of; raises `StorageError`."""
    file = study.file
    found: dict[type[Record], Sequence[Record]] = {
        kind: [] if file is None else file.records(kind) for kind in KINDS
    }
    found[LabelClass] = study.classes()
    return found
