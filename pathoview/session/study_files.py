"""Studies as files: opened, made, kept, copied, looked after. Slow work is done in the background.

`StudyWork` does what must have the file for itself; the open slide stays on screen meanwhile.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pathoview.core.translation import _, ngettext
from pathoview.session.notices import Notice, from_error
from pathoview.session.study_upkeep import StudyUpkeep
from pathoview.session.study_work import PATIENCE_S, StudyWork
from pathoview.study.backups import back_up_daily
from pathoview.study.copying import keep_private, refuse_target, remove_study, save_copy
from pathoview.study.default_classes import default_classes
from pathoview.study.elsewhere import save_all_elsewhere
from pathoview.study.lock import break_lock
from pathoview.study.merging import plan_merge
from pathoview.study.model import StudyInfo
from pathoview.study.study import Study, private_path
from pathoview.study.study_file import SUFFIX as SUFFIX
from pathoview.study.study_file import create_study

if TYPE_CHECKING:
    from pathoview.session.session import Session


class StudyFiles:
    """All methods are called on the session's thread; notices tell how they ended."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._studies = session.studies
        self.work = StudyWork(session)
        self.upkeep = StudyUpkeep(self._studies, self.work)
        self._studies.changed.connect(self._look_for_private)

    @property
    def path(self) -> Path | None:
        """Where the open study lies; None: none is open, or a private one."""
        return self.work.path

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
        if self.work.busy_text:
            return False
        self._session.close_slide()
        if not self._studies.open(path):
            return False
        self._back_up()
        self._session.slides.open_next(0)
        return True

    def create(self, path: Path) -> bool:
        """Close what is open and make a new study; it must not exist."""
        if self.work.busy_text:
            return False
        self._session.close_slide()
        return self._studies.create(with_suffix(path))

    def close(self) -> None:
        """Close the study and its slide; what is not on disk yet is still written."""
        if not self.work.busy_text:
            self._session.close_slide()
            self._studies.close()

    def open_anyway(self) -> None:
        """Take the right to write away from whoever has it, and open the study again."""
        study = self._studies.study
        if study is not None:
            named = self.work.leave()
            break_lock(study.path)
            self.work.enter(named)

    def _back_up(self) -> None:
        """Make the backup of today, unless there is one."""
        study = self._studies.study
        if study is not None and not study.is_read_only:
            self._session.scheduler.submit(
                partial(back_up_daily, study.path), lambda _made, error: self.work.tell_error(error)
            )

    # -- what is done to the file ----------------------------------------------------------------

    def keep(self, path: Path, *, replace: bool = False) -> None:
        """Turn the private study of the open slide into a named one, and go on in that."""
        study, target = self._studies.study, with_suffix(path)
        if study is None or self._studies.is_named:
            return
        work = partial(_keep, study.path, target, self._studies.author, replace=replace)
        text = _("The labels of this slide are now in “{name}”.").format(name=target.name)
        self.work.alone(_("Keeping the study"), work, target, lambda _none: Notice(text))

    def save_copy(self, path: Path, *, replace: bool = False) -> None:
        """Write all that is on disk of the study to another file; work goes on in this one."""
        study, target = self._studies.study, with_suffix(path)
        if study is None:
            return
        work = partial(_flushed_copy, study, target, self._studies.author, replace=replace)
        text = _("“{name}” is written.").format(name=target.name)
        self.work.behind(_("Saving a copy"), work, lambda _none: Notice(text))

    def save_elsewhere(self, path: Path) -> None:
        """Write everything, what the disk refuses too, to another file, and go on in that."""
        study, target = self._studies.study, with_suffix(path)
        if study is None or self.work.busy_text:
            return
        self.work.set_busy(_("Saving elsewhere"))
        self._session.scheduler.submit(
            partial(save_all_elsewhere, study, target, self._studies.author),
            partial(self._on_elsewhere, study, target),
        )

    def _on_elsewhere(
        self, study: Study, target: Path, n_writes: int | None, error: BaseException | None
    ) -> None:
        self.work.set_busy("")
        if error is not None:
            self._session.notice.emit(from_error(error))
        elif n_writes != study.writer.n_submitted:  # something was drawn meanwhile
            remove_study(target)
            self.save_elsewhere(target)
        elif study is self._studies.study:
            study.writer.give_up()
            self.work.leave()
            self.work.enter(target)
            text = _("Everything is in “{name}” now; you go on in it.").format(name=target.name)
            self._session.notice.emit(Notice(text))

    def take_private(self) -> None:
        """Take over what was drawn on the open slide without a study."""
        if (slide := self._session.slide) is not None:
            self.upkeep.merge([private_path(slide.content_hash)])

    def _look_for_private(self) -> None:
        """Offer to take over what was drawn on the open slide without a study."""
        book, path = self._studies.book, self.path
        if book is None or path is None or book.study.is_read_only:
            return
        private = private_path(book.slide_hash)
        if private.exists():
            self.work.behind("", partial(_n_new, path, private), None, self._offer_private)

    def _offer_private(self, n: int) -> None:
        if n:
            text = ngettext(
                "{n} annotation was drawn on this slide without the study.",
                "{n} annotations were drawn on this slide without the study.",
                n,
            )
            way = (_("Take them over"), "study.take_private")
            self._session.notice.emit(Notice(text.format(n=n), "info", way))


def with_suffix(path: Path) -> Path:
    """Return the name of a study file as a person wrote it, or with the ending it needs."""
    return path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX)


def _keep(path: Path, target: Path, author: str, *, replace: bool) -> None:
    """Move a private study; one that was never written is made there."""
    if path.exists():
        keep_private(path, target, author, replace=replace)
    else:
        _make(path, target, replace=replace)


def _make(path: Path, target: Path, *, replace: bool) -> None:
    refuse_target(path, target, replace=replace)
    remove_study(target)
    create_study(target, StudyInfo(name=target.stem), default_classes())


def _flushed_copy(study: Study, target: Path, author: str, *, replace: bool) -> None:
    study.writer.flush(PATIENCE_S)
    if study.path.exists():
        save_copy(study.path, target, author, replace=replace)
    else:
        _make(study.path, target, replace=replace)


def _n_new(path: Path, private: Path) -> int:
    """Return how many annotations a private study has that a study has not."""
    return plan_merge(path, private).report.n_added
