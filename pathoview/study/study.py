"""An open study: read at once, written in the background and in order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pathoview.core.errors import StorageError
from pathoview.core.paths import data_folder
from pathoview.core.translation import _
from pathoview.study.audit import add_audit
from pathoview.study.database import choose_journal, connect, sentences
from pathoview.study.default_classes import default_classes
from pathoview.study.lock import Holder, StudyLock
from pathoview.study.migration import migrate
from pathoview.study.model import LabelClass, Record, StudyInfo
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.step_rows import do_step, put_records, redo_step, undo_step
from pathoview.study.study_file import SUFFIX, VERSION, StudyFile, create_study
from pathoview.study.writer import OrderedWriter, Write

Told = Callable[[int, StorageError | None], None]


def private_path(slide_hash: str) -> Path:
    """Return where the private study of a slide lies, or would lie."""
    folder = data_folder() / "studies"
    folder.mkdir(exist_ok=True)
    return folder / f"{slide_hash}{SUFFIX}"


class Study:
    """One study file. Reading methods are those of `file`; every write is one transaction.

    A private study that does not exist yet is made with its first write.
    """

    def __init__(
        self, path: Path, told: Told, *, info: StudyInfo | None = None, read_only: bool = False
    ) -> None:
        """Open a study; ``info``: make it when it does not exist. Raises `StorageError`.

        ``told`` is called by another thread when writes are on disk, or cannot be brought there.
        """
        self.path = path
        self.holder: Holder | None = None
        """Who else has it open and writes it; None: nobody."""
        self.backup: Path | None = None
        """Made because the study was of an older version."""
        self.is_newer = False
        """Written by a newer PathoView: it is only read."""
        self._made_info = info or StudyInfo(name=path.stem)
        self._file: StudyFile | None = None
        self._lock: StudyLock | None = None
        if info is None and not path.exists():
            StudyFile.open(path)  # says why it cannot
        if not read_only:
            self._take_lock()
        self._writer = OrderedWriter(path, self._connect, told)
        file = self.file
        self._last_step = file.last_number() if file is not None else 0

    def _take_lock(self) -> None:
        if self.path.exists():
            with StudyFile.open(self.path) as file:
                self.is_newer = file.version > VERSION
        if self.is_newer:
            return
        taken = StudyLock.take(self.path)
        if isinstance(taken, Holder):
            self.holder = taken
            return
        self._lock = taken
        if self.path.exists():
            try:
                self.backup = migrate(self.path)
            except StorageError:
                self.close()
                raise

    @property
    def is_read_only(self) -> bool:
        return self._lock is None

    @property
    def file(self) -> StudyFile | None:
        """What is on disk; None: nothing yet."""
        if self._file is None and self.path.exists():
            self._file = StudyFile.open(self.path)
        return self._file

    @property
    def info(self) -> StudyInfo:
        file = self.file
        return self._made_info if file is None else file.info

    def classes(self) -> list[LabelClass]:
        """Return the classes by their numbers; those it begins with when it is not made yet."""
        file = self.file
        return default_classes() if file is None else file.classes()

    @property
    def writer(self) -> OrderedWriter:
        return self._writer

    def next_number(self) -> int:
        """Return the number for a new step."""
        self._last_step += 1
        return self._last_step

    # -- writing ---------------------------------------------------------------------------------

    def do(self, step: StudyStep) -> int:
        """Keep a step that was done; return the number of the write."""
        return self.submit(partial(do_step, step=step))

    def undo(self, number: int, author: str = "") -> int:
        """Keep that a step was taken back."""
        return self.submit(partial(undo_step, number=number, author=author))

    def redo(self, number: int, author: str = "") -> int:
        """Keep that a step was taken again."""
        return self.submit(partial(redo_step, number=number, author=author))

    def put(self, *records: Record) -> int:
        """Keep records that are no step of the history."""
        changes = [RecordChange.of(None, record) for record in records]
        return self.submit(partial(put_records, changes=changes))

    def tell(self, author: str, slide_hash: str, text: str) -> int:
        """Put a line into the audit trail."""
        return self.submit(partial(add_audit, author=author, slide_hash=slide_hash, text=text))

    def submit(self, write: Write) -> int:
        """Have something written after all that waits; raise `StorageError` when only read."""
        self.check_writable()
        return self._writer.submit(write)

    def check_writable(self) -> None:
        """Raise `StorageError` when the study is only read."""
        if self._lock is None:
            raise read_only_error(self)

    def _connect(self) -> sqlite3.Connection:
        """Open the file, or make it; on the writer's thread."""
        if not self.path.exists():
            create_study(self.path, self._made_info, default_classes())
        with sentences(self.path):
            connection = connect(self.path, writable=True)
            choose_journal(connection, self.path.parent)  # it may have been copied there by hand
            return connection

    def close(self) -> bool:
        """Write what waits, and let go of the file; return whether all is on disk."""
        if self._file is not None:  # the writer goes last: only it can empty SQLite's log
            self._file.close()
            self._file = None
        writer = getattr(self, "_writer", None)
        is_written = writer is None or writer.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        return is_written


def read_only_error(study: Study) -> StorageError:
    """Return why nothing can be written, and what to do."""
    name = study.path.name
    if study.holder is not None:
        return StorageError(
            _("“{name}” is only read here: {user} has it open on {host}, since {since}.").format(
                name=name, user=study.holder.user, host=study.holder.host, since=study.holder.since
            ),
            _("Close it there, or save a copy and work in that; copies can be merged."),
        )
    if study.is_newer:
        return StorageError(
            _("“{name}” was written by a newer PathoView: it is only read.").format(name=name),
            _("Update PathoView to go on with it."),
        )
    return StorageError(_("“{name}” was opened to be read only.").format(name=name))
