"""Studies as files: opened, made, kept, copied, looked after. Slow work is done in the background.

What must have the file for itself (compacting, say) is done while the study is closed for a moment;
the open slide stays on screen and gets its labels back afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from psygnal import Signal

from pathoview.core.errors import StorageError
from pathoview.core.translation import _
from pathoview.session.notices import Notice, from_error
from pathoview.study.backups import Backup as Backup
from pathoview.study.backups import back_up_daily, list_backups, restore
from pathoview.study.compacting import CompactPlan as CompactPlan
from pathoview.study.compacting import compact, plan_compact
from pathoview.study.copying import keep_private, refuse_target, remove_study, save_copy
from pathoview.study.default_classes import default_classes
from pathoview.study.elsewhere import save_all_elsewhere
from pathoview.study.erasing import ErasePlan as ErasePlan
from pathoview.study.erasing import erase_case, plan_erase
from pathoview.study.integrity import check_study
from pathoview.study.lock import break_lock
from pathoview.study.model import StudyInfo
from pathoview.study.study import Study
from pathoview.study.study_file import SUFFIX as SUFFIX
from pathoview.study.study_file import StudyFile, create_study

if TYPE_CHECKING:
    from pathoview.session.session import Session

T = TypeVar("T")

_PATIENCE_S = 60.0
"""For what is still to be written before a study is closed."""


class StudyFiles:
    """All methods are called on the session's thread; notices tell how they ended."""

    changed = Signal()
    """`busy_text`"""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._studies = session.studies
        self.busy_text = ""
        """What is being done to the file of the study; empty: nothing."""

    @property
    def path(self) -> Path | None:
        """Where the open study lies; None: none is open, or a private one."""
        study = self._studies.study
        return study.path if study is not None and self._studies.is_named else None

    @property
    def name(self) -> str:
        """Name of the open study; empty: none, or a private one."""
        return "" if self.path is None else self.path.stem

    @property
    def is_private(self) -> bool:
        """Whether the open slide's study is a private one that could be kept."""
        return self._studies.study is not None and not self._studies.is_named

    @property
    def suggested_folder(self) -> Path:
        """Where a new study or a copy may go: beside the open one, or the slide, or at home."""
        path = self.path or self._session.path
        return Path.home() if path is None else path.absolute().parent

    # -- opening ---------------------------------------------------------------------------------

    def open(self, path: Path) -> bool:
        """Close what is open, open a study and show its first slide."""
        if self.busy_text:
            return False
        self._session.close_slide()
        if not self._studies.open(path):
            return False
        self._back_up()
        self._session.slides.open_next(0)
        return True

    def create(self, path: Path) -> bool:
        """Close what is open and make a new study; it must not exist."""
        if self.busy_text:
            return False
        self._session.close_slide()
        return self._studies.create(with_suffix(path))

    def close(self) -> None:
        """Close the study and its slide; what is not on disk yet is still written."""
        if not self.busy_text:
            self._session.close_slide()
            self._studies.close()

    def open_anyway(self) -> None:
        """Take the right to write away from whoever has it, and open the study again."""
        study = self._studies.study
        if study is not None:
            named = self._leave()
            break_lock(study.path)
            self._enter(named)

    def _back_up(self) -> None:
        """Make the backup of today, unless there is one."""
        study = self._studies.study
        if study is not None and not study.is_read_only:
            self._session.scheduler.submit(
                partial(back_up_daily, study.path), lambda _made, error: self._tell_error(error)
            )

    # -- having the file alone -------------------------------------------------------------------

    def _leave(self) -> Path | None:
        """Close the study and return where it lies; the slide stays on screen, without labels."""
        session, path = self._session, self.path
        session.history.clear()
        session.annotations.set_slide(None)
        self._studies.set_slide(None)
        self._studies.close()
        return path

    def _enter(self, path: Path | None) -> None:
        """Open a study, or the private one, and give the slide its labels."""
        session = self._session
        self._studies.set_slide(None)
        if path is not None:
            self._studies.open(path)
        session.annotations.set_slide(session.slide)
        self._studies.set_slide(session.slide)

    def _alone(
        self, text: str, work: Callable[[], T], then: Path | None, tell: Callable[[T], str]
    ) -> None:
        """Do some work while nobody has the study open, then go on in ``then``."""
        study = self._studies.study
        if study is None or self.busy_text:
            return
        self._set_busy(text)
        writer = study.writer
        self._session.scheduler.submit(
            lambda: writer.flush(_PATIENCE_S), partial(self._on_flushed, study, work, then, tell)
        )

    def _on_flushed(
        self,
        study: Study,
        work: Callable[[], T],
        then: Path | None,
        tell: Callable[[T], str],
        is_written: bool | None,
        _error: BaseException | None,
    ) -> None:
        if study is not self._studies.study:
            self._set_busy("")
        elif not is_written:
            self._set_busy("")
            self._session.notice.emit(
                from_error(study.writer.error or StorageError(_("The study is still being saved.")))
            )
        elif study.writer.n_waiting:  # something was drawn meanwhile
            self._session.scheduler.submit(
                lambda: study.writer.flush(_PATIENCE_S),
                partial(self._on_flushed, study, work, then, tell),
            )
        else:
            here = self._leave()
            self._session.scheduler.submit(work, partial(self._on_done_alone, here, then, tell))

    def _on_done_alone(
        self,
        here: Path | None,
        then: Path | None,
        tell: Callable[[T], str],
        result: T | None,
        error: BaseException | None,
    ) -> None:
        self._set_busy("")
        self._enter(here if error is not None else then)
        if error is not None:
            self._session.notice.emit(from_error(error))
        else:
            self._session.notice.emit(Notice(tell(result)))  # type: ignore[arg-type]

    # -- what is done to the file ----------------------------------------------------------------

    def keep(self, path: Path, *, replace: bool = False) -> None:
        """Turn the private study of the open slide into a named one, and go on in that."""
        study, target = self._studies.study, with_suffix(path)
        if study is None or self._studies.is_named:
            return
        work = partial(_keep, study.path, target, self._studies.author, replace=replace)
        text = _("The labels of this slide are now in “{name}”.").format(name=target.name)
        self._alone(_("Keeping the study"), work, target, lambda _none: text)

    def save_copy(self, path: Path, *, replace: bool = False) -> None:
        """Write all that is on disk of the study to another file; work goes on in this one."""
        study, target = self._studies.study, with_suffix(path)
        if study is None:
            return
        work = partial(_flushed_copy, study, target, self._studies.author, replace=replace)
        text = _("“{name}” is written.").format(name=target.name)
        self._behind(_("Saving a copy"), work, lambda _none: text)

    def save_elsewhere(self, path: Path) -> None:
        """Write everything, what the disk refuses too, to another file, and go on in that."""
        study, target = self._studies.study, with_suffix(path)
        if study is None or self.busy_text:
            return
        self._set_busy(_("Saving elsewhere"))
        self._session.scheduler.submit(
            partial(save_all_elsewhere, study, target, self._studies.author),
            partial(self._on_elsewhere, study, target),
        )

    def _on_elsewhere(
        self, study: Study, target: Path, n_writes: int | None, error: BaseException | None
    ) -> None:
        self._set_busy("")
        if error is not None:
            self._session.notice.emit(from_error(error))
        elif n_writes != study.writer.n_submitted:  # something was drawn meanwhile
            remove_study(target)
            self.save_elsewhere(target)
        elif study is self._studies.study:
            study.writer.give_up()
            self._leave()
            self._enter(target)
            text = _("Everything is in “{name}” now; you go on in it.").format(name=target.name)
            self._session.notice.emit(Notice(text))

    def compact(self, plan: CompactPlan) -> None:
        """Drop old history, as was planned."""
        if (path := self.path) is not None:
            work = partial(compact, path, plan.before, self._studies.author)
            text = _("Dropped: {what}.")
            self._alone(_("Compacting"), work, path, lambda done: text.format(what=done.text))

    def erase(self, plan: ErasePlan) -> None:
        """Take a case out of everything, as was planned."""
        if (path := self.path) is not None:
            work = partial(erase_case, path, plan.case_id, self._studies.author)
            text = _("The case is erased.")
            self._alone(_("Erasing"), work, path, lambda _done: text)

    def restore(self, backup: Backup) -> None:
        """Put a backup in the study's place; what was there is kept beside it."""
        if (path := self.path) is not None:
            work = partial(restore, backup.path, path, self._studies.author)
            text = _("The backup is in place; what was there lies beside it.")
            self._alone(_("Restoring"), work, path, lambda _aside: text)

    def check(self, then: Callable[[Sequence[str]], None]) -> None:
        """Look for damage; ``then`` gets a sentence for each."""
        if (study := self._studies.study) is not None and study.path.exists():
            work = partial(check_study, study.path)
            self._behind(_("Checking"), work, None, lambda found: then([*map(str, found)]))

    # -- what is asked before --------------------------------------------------------------------

    def plan_compact(self, before: str, then: Callable[[CompactPlan], None]) -> None:
        """Find out what compacting would drop."""
        if (path := self.path) is not None:
            self._behind("", partial(plan_compact, path, before), None, then)

    def plan_erase(self, case_id: str, then: Callable[[ErasePlan], None]) -> None:
        """Find out what erasing a case would take away."""
        if (path := self.path) is not None:
            self._behind("", partial(plan_erase, path, case_id), None, then)

    def read_audit(self, then: Callable[[list[tuple[str, str, str, str]]], None]) -> None:
        """Read all lines of the audit trail: (time, author, hash of the slide, text)."""
        if (study := self._studies.study) is not None and study.path.exists():
            self._behind("", partial(_audit, study.path), None, then)

    def list_backups(self) -> Sequence[Backup]:
        return [] if self.path is None else list_backups(self.path)

    # -- pieces ----------------------------------------------------------------------------------

    def _behind(
        self,
        text: str,
        work: Callable[[], T],
        tell: Callable[[T], str] | None,
        then: Callable[[T], object] | None = None,
    ) -> None:
        """Do some work while the study stays open; ``text`` says what, for one at a time."""
        if text and self.busy_text:
            return
        self._set_busy(text or self.busy_text)

        def done(result: Any, error: BaseException | None) -> None:
            if text:
                self._set_busy("")
            self._tell_error(error)
            if error is None and tell is not None:
                self._session.notice.emit(Notice(tell(result)))
            if error is None and then is not None:
                then(result)

        self._session.scheduler.submit(work, done)

    def _tell_error(self, error: BaseException | None) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))

    def _set_busy(self, text: str) -> None:
        if text != self.busy_text:
            self.busy_text = text
            self.changed.emit()


def with_suffix(path: Path) -> Path:
    """Return the name of a study file as a person wrote it, or with the ending it needs."""
    return path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX)


def _keep(path: Path, target: Path, author: str, *, replace: bool) -> None:
    """Move a private study; one that was never written is made there."""
    if path.exists():
        keep_private(path, target, author, replace=replace)
        return
    refuse_target(path, target, replace=replace)
    remove_study(target)
    create_study(target, StudyInfo(name=target.stem), default_classes())


def _flushed_copy(study: Study, target: Path, author: str, *, replace: bool) -> None:
    study.writer.flush(_PATIENCE_S)
    save_copy(study.path, target, author, replace=replace)


def _audit(path: Path) -> list[tuple[str, str, str, str]]:
    with StudyFile.open(path) as file:
        return [*file.audit()]
