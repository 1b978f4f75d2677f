"""Who has a study open: one writes, all others read. Works on network folders too.

A file beside the study names host, user and process. It is made in one step that only one can win,
and one that a crashed process of this machine left behind is taken over.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pathoview.core.files import storage_error
from pathoview.study.records import now

_SUFFIX = ".lock"


class Holder(BaseModel):
    """Who holds a lock."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    user: str
    process: int
    birth: str = ""
    """When the process began, as the system counts it: numbers of processes come again."""
    since: str

    @classmethod
    def of_this_process(cls) -> Holder:
        process = os.getpid()
        return cls(
            host=socket.gethostname(),
            user=user_name(),
            process=process,
            birth=_birth(process),
            since=now(),
        )

    @property
    def is_gone(self) -> bool:
        """Whether it is a process of this machine that has ended."""
        if self.host != socket.gethostname():
            return False
        return not _is_alive(self.process) or _birth(self.process) != self.birth


class StudyLock:
    """The right to write a study, until it is released."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self._path = path
        self._holder = holder

    @classmethod
    def take(cls, study: Path) -> StudyLock | Holder:
        """Take the lock of a study, or return who has it; raises `StorageError`."""
        path, holder = lock_path(study), Holder.of_this_process()
        for _attempt in range(2):
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(holder.model_dump_json())
                return cls(path, holder)
            except FileExistsError:
                other = _read(path)
                if other is not None and not other.is_gone:
                    return other
                break_lock(study)
            except OSError as error:
                raise storage_error(path, error) from error
        return _read(path) or holder

    def release(self) -> None:
        """Give the lock back, unless somebody else has taken it over."""
        if _read(self._path) == self._holder:
            with contextlib.suppress(OSError):
                self._path.unlink()


def holder_of(study: Path) -> Holder | None:
    """Return who has a study open to write it; None: nobody who is still there."""
    holder = _read(lock_path(study))
    return None if holder is None or holder.is_gone else holder


def break_lock(study: Path) -> None:
    """Take a lock away from whoever has it: a person has made sure that nobody writes."""
    with contextlib.suppress(OSError):
        lock_path(study).unlink()


def lock_path(study: Path) -> Path:
    """Return where the lock of a study lies."""
    return study.with_name(study.name + _SUFFIX)


def user_name() -> str:
    """Return the name under which a person is logged in; empty when the system does not tell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _read(path: Path) -> Holder | None:
    try:
        return Holder.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):  # a crash while it was written leaves an empty file
        return None


def _birth(process: int) -> str:
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, process)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
