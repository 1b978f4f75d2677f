"""Bringing all of a study to another disk when its own refuses: what is on disk, and what waits."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pathoview.core.errors import StorageError
from pathoview.core.translation import _
from pathoview.study.copying import refuse_target, remove_study, save_copy
from pathoview.study.database import connect, sentences, transaction
from pathoview.study.default_classes import default_classes
from pathoview.study.study import Study
from pathoview.study.study_file import create_study

_MOST_ATTEMPTS = 5
"""The writer may bring something to disk meanwhile."""


def save_all_elsewhere(study: Study, target: Path, author: str = "") -> int:
    """Write a study to a new file, with what its own disk did not take.

    Return how many of its writes are in there: later ones are not. The study goes on trying, see
    `OrderedWriter.give_up`. Raises `StorageError`; there is no new file then.
    """
    refuse_target(study.path, target, replace=False)
    for _attempt in range(_MOST_ATTEMPTS):
        try:
            n_written, n_waiting = _write(study, target, author)
        except BaseException:
            _remove(target)
            raise
        if n_written == study.writer.waiting()[0]:
            return n_written + n_waiting
        _remove(target)  # something was written twice, or may have been
    raise StorageError(_("The study is being saved just now."), _("Wait a moment, then try again."))


def _write(study: Study, target: Path, author: str) -> tuple[int, int]:
    n_written, writes = study.writer.waiting()
    if study.path.exists():
        save_copy(study.path, target, author)
    else:
        info = study.info.model_copy(update={"name": target.stem, "is_private": False})
        create_study(target, info, default_classes())
    with (
        sentences(target),
        contextlib.closing(connect(target, writable=True)) as copy,
        transaction(copy),
    ):
        for write in writes:
            write(copy)
    return n_written, len(writes)


def _remove(target: Path) -> None:
    with contextlib.suppress(OSError):
        remove_study(target)
