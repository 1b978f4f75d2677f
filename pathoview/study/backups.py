"""Backups of studies: one a day, and one before anything that cannot be undone.

They lie in the data folder, by the id of the study; the newest few of each sort are kept.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pathoview.core.errors import StorageError
from pathoview.core.paths import data_folder
from pathoview.core.translation import _
from pathoview.study.audit import add_audit
from pathoview.study.copying import copied, move_study
from pathoview.study.database import choose_journal, sentences
from pathoview.study.lock import Holder, StudyLock
from pathoview.study.study_file import StudyFile

SUFFIX = ".backup"
DAILY = "daily"
N_KEPT = 7
"""Of each sort."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A study as it was at a time."""

    path: Path
    time: datetime
    """UTC."""
    sort: str
    """`DAILY`, or what it was made before: ``compact``, ``merge``, ``restore``."""
    n_bytes: int


def back_up(path: Path, sort: str) -> Path:
    """Make a backup of a study now, and let go of the oldest; raises `StorageError`."""
    with StudyFile.open(path) as file:
        folder = _folder() / file.info.id
    with sentences(folder):
        folder.mkdir(exist_ok=True)
    target = folder / f"{path.stem}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{sort}{SUFFIX}"
    with copied(path, target):
        pass
    for old in [one for one in _listed(path.stem, [folder]) if one.sort == sort][N_KEPT:]:
        with contextlib.suppress(OSError):
            old.path.unlink()
    return target


def back_up_daily(path: Path) -> Path | None:
    """Make the backup of today, unless there is one; raises `StorageError`."""
    today = datetime.now(UTC).date()
    if any(one.sort == DAILY and one.time.date() == today for one in list_backups(path)):
        return None
    return back_up(path, DAILY)


def list_backups(path: Path) -> list[Backup]:
    """Return the backups of a study, the newest first; of one that is damaged or gone, too."""
    folders = [one for one in _folder().iterdir() if one.is_dir()]
    try:
        with StudyFile.open(path) as file:
            folders = [_folder() / file.info.id]
    except StorageError:  # its id cannot be read: the name must do
        pass
    return _listed(path.stem, folders)


def restore(backup: Path, path: Path, author: str = "") -> Path | None:
    """Put a backup in the place of a study; return where that lies now, if there was one.

    Raises `StorageError`, and leaves everything as it was, when the study is open or the backup
    cannot be read.
    """
    taken = StudyLock.take(path)
    if isinstance(taken, Holder):
        raise StorageError(
            _("“{name}” is open: {user} works with it on {host}.").format(
                name=path.name, user=taken.user, host=taken.host
            ),
            _("Close it there, then try again."),
        )
    aside: Path | None = None
    try:
        with copied(backup, path) as copy:
            choose_journal(copy, path.parent)
            add_audit(copy, author, "", _("Restored from a backup"))
            if path.exists():
                stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
                aside = path.with_name(f"{path.stem}-{stamp}-restore{SUFFIX}")
                move_study(path, aside)
    except BaseException:
        if aside is not None and not path.exists():
            move_study(aside, path)
        raise
    finally:
        taken.release()
    return aside


def _folder() -> Path:
    folder = data_folder() / "backups"
    folder.mkdir(exist_ok=True)
    return folder


def _listed(stem: str, folders: list[Path]) -> list[Backup]:
    name = re.compile(rf"{re.escape(stem)}-(\d{{8}}-\d{{6}}-\d{{6}})-([a-z]+){re.escape(SUFFIX)}")
    found = []
    for folder in folders:
        for path in folder.glob(f"*{SUFFIX}"):
            if parts := name.fullmatch(path.name):
                time = datetime.strptime(parts[1], "%Y%m%d-%H%M%S-%f").replace(tzinfo=UTC)
                found.append(Backup(path, time, parts[2], path.stat().st_size))
    return sorted(found, key=lambda one: one.time, reverse=True)
