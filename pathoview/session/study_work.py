"""Work on the file of the study, in the background; what must have it alone has it for a moment."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from psygnal import Signal

from pathoview.core.errors import StorageError
from pathoview.core.translation import _
from pathoview.session.notices import Notice, from_error
from pathoview.study.study import Study

if TYPE_CHECKING:
    from pathoview.session.session import Session

T = TypeVar("T")

PATIENCE_S = 60.0
"""For what is still to be written before a study is closed."""


class StudyWork:
    """One piece of work at a time. All methods are called on the session's thread."""

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

    def close_slide_of(self, hashes: Container[str]) -> None:
        """Close the open slide when it is one of some."""
        slide = self._session.slide
        if slide is not None and slide.content_hash in hashes:
            self._session.close_slide()

    def leave(self) -> Path | None:
        """Close the study and return where it lies; the slide stays on screen, without labels."""
        session, path = self._session, self.path
        session.history.clear()
        session.annotations.set_slide(None)
        self._studies.set_slide(None)
        self._studies.close()
        return path

    def enter(self, path: Path | None) -> None:
        """Open a study, or the private one, and give the slide its labels."""
        session = self._session
        self._studies.set_slide(None)
        if path is not None:
            self._studies.open(path)
        session.annotations.set_slide(session.slide)
        self._studies.set_slide(session.slide)

    def alone(
        self, text: str, work: Callable[[], T], then: Path | None, tell: Callable[[T], Notice]
    ) -> None:
        """Do some work while nobody has the study open, then go on in ``then``."""
        study = self._studies.study
        if study is None or self.busy_text:
            return
        self.set_busy(text)
        writer = study.writer
        self._session.scheduler.submit(
            lambda: writer.flush(PATIENCE_S), partial(self._on_flushed, study, work, then, tell)
        )

    def _on_flushed(
        self,
        study: Study,
        work: Callable[[], T],
        then: Path | None,
        tell: Callable[[T], Notice],
        is_written: bool | None,
        _error: BaseException | None,
    ) -> None:
        if study is not self._studies.study:
            self.set_busy("")
        elif not is_written:
            self.set_busy("")
            self._session.notice.emit(
                from_error(study.writer.error or StorageError(_("The study is still being saved.")))
            )
        elif study.writer.n_waiting:  # something was drawn meanwhile
            self._session.scheduler.submit(
                lambda: study.writer.flush(PATIENCE_S),
                partial(self._on_flushed, study, work, then, tell),
            )
        else:
            here = self.leave()
            self._session.scheduler.submit(work, partial(self._on_done_alone, here, then, tell))

    def _on_done_alone(
        self,
        here: Path | None,
        then: Path | None,
        tell: Callable[[T], Notice],
        result: T | None,
        error: BaseException | None,
    ) -> None:
        self.set_busy("")
        self.enter(here if error is not None else then)
        if error is not None:
            self._session.notice.emit(from_error(error))
        else:
            self._session.notice.emit(tell(result))  # type: ignore[arg-type]

    def behind(
        self,
        text: str,
        work: Callable[[], T],
        tell: Callable[[T], Notice] | None,
        then: Callable[[T], object] | None = None,
    ) -> None:
        """Do some work while the study stays open; ``text`` says what, for one at a time."""
        if text and self.busy_text:
            return
        self.set_busy(text or self.busy_text)

        def done(result: Any, error: BaseException | None) -> None:
            if text:
                self.set_busy("")
            self.tell_error(error)
            if error is None and tell is not None:
                self._session.notice.emit(tell(result))
            if error is None and then is not None:
                then(result)

        self._session.scheduler.submit(work, done)

    def tell_error(self, error: BaseException | None) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))

    def set_busy(self, text: str) -> None:
        if text != self.busy_text:
            self.busy_text = text
            self.changed.emit()
