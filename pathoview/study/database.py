"""Opening SQLite files safely, and saying in a sentence what went wrong."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pathoview.core.errors import StorageError
from pathoview.core.files import storage_error
from pathoview.core.translation import _

BUSY_SECONDS = 15.0
_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "lustre", "glusterfs", "fuse.sshfs")


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open an existing file; transactions are the caller's. Raises `sqlite3.Error`."""
    uri = path.absolute().as_uri()
    connection = _connect(f"{uri}?mode={'rw' if writable else 'ro'}")
    try:
        with closed_on_error(connection):
            connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.OperationalError:
        # A folder that cannot be written to has no room for the index of a write-ahead log.
        if writable or path.with_name(path.name + "-wal").exists():
            raise
        connection = _connect(f"{uri}?mode=ro&immutable=1")
    return connection


def create(path: Path) -> sqlite3.Connection:
    """Make a new, empty file. Raises `sqlite3.Error` and `OSError`."""
    path.touch(exist_ok=False)
    connection = connect(path, writable=True)
    with closed_on_error(connection):
        choose_journal(connection, path.parent)
    return connection


def choose_journal(connection: sqlite3.Connection, folder: Path) -> None:
    """Have a file written with the journal that suits the folder. Raises `sqlite3.Error`."""
    journal = "DELETE" if is_network_folder(folder) else "WAL"
    try:
        connection.execute(f"PRAGMA journal_mode={journal}")
    except sqlite3.OperationalError:  # no shared memory there
        connection.execute("PRAGMA journal_mode=DELETE")


def read_stamp(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return whose file it is, and the version of its schema. Raises `sqlite3.Error`."""
    application, version = (
        int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
        for pragma in ("application_id", "user_version")
    )
    return application, version


@contextlib.contextmanager
def closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Close the connection when the block raises."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def is_network_folder(folder: Path) -> bool:
    """Say whether a folder is on another machine, where a write-ahead log is not safe."""
    text = str(folder.absolute())
    if text.startswith("\\\\"):
        return True
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    mounts = [line.split(" ")[1:3] for line in lines]
    best = max(
        (mount for mount in mounts if Path(text).is_relative_to(mount[0])),
        key=lambda mount: len(mount[0]),
        default=["/", ""],
    )
    return best[1].startswith(_NETWORK)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block did, or none of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system say into a `StorageError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(*_sentence(path, error)) from error
    except FileExistsError as error:
        raise StorageError(_("“{name}” exists already.").format(name=path.name)) from error
    except OSError as error:
        raise storage_error(path, error) from error


def _sentence(path: Path, error: sqlite3.Error) -> tuple[str, str]:
    name = path.name
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return (
            _("“{name}” could not be saved: the disk is full.").format(name=name),
            _("Free some space; nothing that was saved before is lost."),
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return (
            _("“{name}” is being written by another program.").format(name=name),
            _("Wait until it has finished, then try again."),
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        if not path.exists():
            return (
                _("There is no file “{name}”.").format(name=name),
                _("It may have been moved or deleted."),
            )
        why = _("no permission") if not os.access(path, os.R_OK | os.W_OK) else str(error)
        return (
            _("“{name}” could not be opened or saved: {why}.").format(name=name, why=why),
            _("Check that you may write to its folder."),
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            _("“{name}” is not a file of PathoView, or it is damaged.").format(name=name),
            _("Choose another file, or make it again."),
        )
    return (
        _("“{name}” could not be read or saved: {why}.").format(name=name, why=str(error)),
        _("Check the disk, then try again."),
    )
