"""The study that labels are kept in, and the book of the open slide."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from psygnal import Signal

from pathoview.annotations.change import NO_CHANGE, Change
from pathoview.core.errors import PathoViewError, StorageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _
from pathoview.core.undo import History, Refused, Step
from pathoview.layers.scheduler import TileScheduler
from pathoview.session.notices import Notice, from_error
from pathoview.session.record_book import RecordBook
from pathoview.session.runs import RunView
from pathoview.session.settings import Settings
from pathoview.session.slide_book import SlideBook, read_kept
from pathoview.session.study_reading import Left, Opened, read_records, read_slide
from pathoview.slides.slide import Slide
from pathoview.study.lock import user_name
from pathoview.study.model import Record, RunEntry, SlideRecord, StudyInfo
from pathoview.study.slide_list import seen_slide
from pathoview.study.step import RecordChange
from pathoview.study.study import Study, private_path, read_only_error

_logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Record)


class StudyDesk:
    """A study that was opened or made, or else the private study of the open slide."""

    changed = Signal()
    """Another study is open, or none; or its book of the open slide is ready."""
    records_changed = Signal(str)
    """(kind): classes, cases, slides or other records are others."""
    saving_changed = Signal()
    """`n_unsaved` or `error`."""
    notice = Signal(object)
    """(Notice)"""

    def __init__(
        self,
        scheduler: TileScheduler,
        history: History,
        settings: Settings,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self.records = RecordBook()
        self.records.changed.connect(self.records_changed)
        self._scheduler = scheduler
        self._history = history
        self._settings = settings
        self._post = post
        self._named: Study | None = None
        self._private: Study | None = None
        self._slide: Slide | None = None
        self._n_set = 0
        """Counts `set_slide`, so that what is read too late is not taken."""
        self._book: SlideBook | None = None
        self._list_book: SlideBook | None = None
        """What is done to the named study while no slide is open."""
        self._retired: dict[tuple[Path, str], Left] = {}
        """Slides closed before all was on disk, by the file of their study and by hash."""
        self._closing: list[Study] = []
        """Studies closed before all was on disk."""

    # -- what is open ----------------------------------------------------------------------------

    @property
    def study(self) -> Study | None:
        """Where labels of the open slide go; None: no study and no slide is open."""
        return self._named or self._private

    @property
    def is_named(self) -> bool:
        """Whether a study of its own is open, not the private one of a slide."""
        return self._named is not None

    @property
    def book(self) -> SlideBook | None:
        """The annotations and steps of the open slide; None: none is open, or it is being read."""
        return self._book

    @property
    def author(self) -> str:
        """Whose labels those are that are drawn now."""
        return self._settings.author or user_name()

    @property
    def n_unsaved(self) -> int:
        """How many gestures are not on disk yet."""
        return sum(study.writer.n_waiting for study in self._studies())

    @property
    def error(self) -> StorageError | None:
        """What keeps gestures from the disk, if anything."""
        errors = (study.writer.error for study in self._studies())
        return next((error for error in errors if error is not None), None)

    def _studies(self) -> list[Study]:
        open_ones = (one for one in (self._named, self._private) if one is not None)
        retired = (left.study for left in self._retired.values())
        return list(dict.fromkeys((*open_ones, *retired, *self._closing)))

    # -- studies ---------------------------------------------------------------------------------

    def open(self, path: Path) -> bool:
        """Open a study; return whether it could be. Close the open slide first."""
        return self._open(path, None)

    def create(self, path: Path) -> bool:
        """Make a new study, which must not exist, and open it."""
        if path.exists():
            self.notice.emit(from_error(StorageError(_("This file exists already."))))
            return False
        return self._open(path, StudyInfo(name=path.stem))

    def _open(self, path: Path, info: StudyInfo | None) -> bool:
        hide(path)
        try:
            self._finish(path)
            study = Study(path, self._told, info=info)
            try:
                if info is not None:
                    self._make(study)
                records, kept = read_records(study), read_kept(study, "")
            except BaseException:
                study.close()
                raise
        except PathoViewError as error:
            self.notice.emit(from_error(error))
            return False
        self.close()
        self._named = study
        self._settings.add_recent_study(path)
        self.records.load(records)
        self._list_book = SlideBook(study, "", kept, self.records.apply)
        if self._slide is None:
            self._load_history(self._list_book)
        self._tell_opened(study)
        self.changed.emit()
        return True

    def _finish(self, path: Path) -> None:
        """Write what was left to be written when a study was closed; raises `StorageError`."""
        for study in self._studies():
            if study.path == path and not study.writer.flush(10.0) and study.writer.error:
                raise study.writer.error
        self._close_written()

    def _make(self, study: Study) -> None:
        """Have a new study on disk; raises `StorageError`."""
        study.tell(self.author, "", _("Study opened"))
        study.writer.flush(10.0)
        if study.writer.error is not None:
            raise study.writer.error

    def _tell_opened(self, study: Study) -> None:
        if study.is_read_only:
            way = (_("Open anyway…"), "study.open_anyway") if study.holder is not None else None
            told = from_error(read_only_error(study), way)
            self.notice.emit(replace(told, level="warning", is_lasting=True))
        if study.backup is not None:
            text = _("The study was brought to the format of today; a backup lies beside it.")
            self.notice.emit(Notice(text))

    def close(self) -> None:
        """Close the named study, if one is open; what is not on disk yet is still written."""
        if self._named is not None:
            study, self._named = self._named, None
            self._book = self._list_book = None
            if self._slide is None:
                self._history.clear()
            self._retire(study)
            self.records.clear()
            self.changed.emit()

    # -- the open slide --------------------------------------------------------------------------

    def set_slide(self, slide: Slide | None) -> None:
        """Read what is kept of a slide that was opened; `changed` follows when it is there."""
        self._leave_slide()
        self._n_set += 1
        self._slide = slide
        if slide is None:
            if self._list_book is not None:
                self._load_history(self._list_book)
            return
        if self._list_book is not None:
            self._history.clear()
        home = self._named.path if self._named else private_path(slide.content_hash)
        retired = self._retired.get((home, slide.content_hash))
        if retired is not None and self._named in (None, retired.study):
            del self._retired[home, slide.content_hash]
            if self._named is None:
                self._private = retired.study
                self.records.load(retired.records)
            self._take(retired.book)
        else:
            self._scheduler.submit(
                partial(read_slide, self._named, slide.content_hash, self._told),
                partial(self._on_read, slide, self._n_set, self._named),
            )

    def _leave_slide(self) -> None:
        book, self._book = self._book, None
        private, self._private = self._private, None
        if book is not None and book.study.writer.n_waiting:
            records = {} if private is None else self.records.everything()
            self._retired[book.study.path, book.slide_hash] = Left(book, records)
        if private is not None:
            self._retire(private)
        if self._named is None:
            self.records.clear()

    def _on_read(
        self,
        slide: Slide,
        number: int,
        named: Study | None,
        read: Opened | None,
        error: BaseException | None,
    ) -> None:
        is_late = number != self._n_set or named is not self._named
        if read is None:
            if not is_late and error is not None:
                self.notice.emit(from_error(error))
            return
        if is_late:
            if read.study is not self._named:
                read.study.close()
            return
        if read.study is not self._named:
            self._private = read.study
            self._tell_opened(read.study)
            self.records.load(read.records)
        book = SlideBook(read.study, slide.content_hash, read.kept, self.records.apply)
        self._take(book)

    def _take(self, book: SlideBook) -> None:
        self._book = book
        book.follow_classes(self.records.drawn_classes)
        self._note_slide(book)
        self._load_history(book)
        self.changed.emit()

    def _load_history(self, book: SlideBook) -> None:
        steps = [
            self._step(book, one.number, one.name, f"{one.time} {one.author}") for one in book.steps
        ]
        n_done = sum(not one.is_undone for one in book.steps)
        self._history.load(steps[:n_done], steps[n_done:])

    def _note_slide(self, book: SlideBook) -> None:
        """Have a named study know the slide, and where it lies now."""
        slide = self._slide
        if slide is None or book.study is not self._named or book.study.is_read_only:
            return
        known = self.records.get(SlideRecord, slide.content_hash)
        size_l0 = slide.info.width, slide.info.height
        record = seen_slide(
            known, slide.content_hash, slide.pseudonym, slide.path, size_l0, slide.info.mpp
        )
        if record != known:
            book.study.put(record)
            self.records.apply([RecordChange.of(known, record)])

    # -- what is done ----------------------------------------------------------------------------

    def do(
        self,
        name: str,
        change: Change = NO_CHANGE,
        records: Sequence[RecordChange] = (),
        command: Mapping[str, Any] | None = None,
    ) -> bool:
        """Do something to the open slide as a step of the history; False: a notice says why not."""
        if self._book is None:
            self.notice.emit(Notice(_("The labels of this slide are still being read."), "warning"))
            return False
        return self._do(self._book, name, change, records, command)

    def put(self, changes: Sequence[RecordChange], name: str) -> bool:
        """Change records: as a step of the open slide's history, or of that of the study."""
        book = self._book or self._list_book
        return book is not None and self._do(book, name, records=changes)

    def _do(
        self,
        book: SlideBook,
        name: str,
        change: Change = NO_CHANGE,
        records: Sequence[RecordChange] = (),
        command: Mapping[str, Any] | None = None,
    ) -> bool:
        try:
            step = book.do(name, self.author, change, records, command)
        except StorageError as error:
            self.notice.emit(from_error(error))
            return False
        self._history.remember(self._step(book, step.number, name))
        self.saving_changed.emit()
        return True

    def note(self, *records: Record) -> None:
        """Keep what is no gesture of a person, so that undo passes it by; in memory at least."""
        study = self._named
        if study is None:
            return
        changes = [RecordChange.of(None, record) for record in records]
        if not study.is_read_only:
            study.put(*records)
        self.records.apply(changes)

    def note_runs(self, runs: Iterable[RunView]) -> None:
        """Have a named study know the finished runs of its slides, and where their files lie."""
        new = [
            one
            for one in runs
            if one.record.state == "done"
            and one.record.kind != "preview"
            and self.records.get(RunEntry, one.record.id) is None
        ]
        if new and self._named is not None:
            self.note(*(RunEntry.of(one.record, one.path) for one in new))

    def _step(self, book: SlideBook, number: int, name: str, note: str = "") -> Step:
        turn = partial(self._turn, book, number)
        return Step(name, partial(turn, "redo"), partial(turn, "undo"), note)

    def _turn(self, book: SlideBook, number: int, way: str) -> None:
        try:
            (book.undo if way == "undo" else book.redo)(number, self.author)
        except StorageError as error:
            self.notice.emit(from_error(error))
            raise Refused from error
        self.saving_changed.emit()

    # -- saving ----------------------------------------------------------------------------------

    def _told(self, n_written: int, error: StorageError | None) -> None:
        """Called by a writer's thread."""
        self._post(self._on_saved)

    def _on_saved(self) -> None:
        self._close_written()
        self.saving_changed.emit()

    def _close_written(self) -> None:
        """Let go of what was only waited for."""
        for key, left in tuple(self._retired.items()):
            if left.study.writer.n_waiting == 0:
                del self._retired[key]
                if left.study not in (self._named, self._private):
                    left.study.close()
        for study in tuple(self._closing):
            if study.writer.n_waiting == 0:
                self._closing.remove(study)
                study.close()

    def save_now(self) -> None:
        """Try at once what the disk refused before."""
        for study in self._studies():
            study.writer.flush(0.0)

    def _retire(self, study: Study) -> None:
        if any(left.study is study for left in self._retired.values()):
            return  # with what was left
        if study.writer.n_waiting == 0:
            study.close()
        else:
            self._closing.append(study)

    def end(self) -> bool:
        """Wait for all to be on disk, and let go of it; False: something could not be written."""
        studies = self._studies()
        self._book = self._list_book = self._named = self._private = None
        self._retired.clear()
        self._closing.clear()
        closed = [study.close() for study in studies]  # all of them, whatever the first says
        return all(closed)
