"""The history of the open slide as command lines, read in the background."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pathoview.session.notices import from_error
from pathoview.study.results import find_runs
from pathoview.study.study import Study
from pathoview.study.workflow import kept_workflow, workflow_script

if TYPE_CHECKING:
    from pathoview.session.session import Session

_PATIENCE_S = 10.0


def read_workflow(session: Session, then: Callable[[str], None]) -> None:
    """Have ``then`` called with the script of the open slide; an error is told as a notice."""
    book = session.studies.book
    if book is None:
        return

    def done(script: str | None, error: BaseException | None) -> None:
        if script is not None:
            then(script)
        elif error is not None:
            session.notice.emit(from_error(error))

    session.scheduler.submit(partial(_script, book.study, book.slide_hash), done)


def _script(study: Study, slide_hash: str) -> str:
    study.writer.flush(_PATIENCE_S)
    runs = [record for _path, record in find_runs(slide_hash)]
    if study.file is None:
        return workflow_script([], runs)
    return kept_workflow(study.file, slide_hash, runs)
