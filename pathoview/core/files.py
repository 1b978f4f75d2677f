"""Writing a file so that the old one stays whole until the new one is complete."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pathoview.core.errors import StorageError
from pathoview.core.translation import _

_BUFFER_BYTES = 1 << 20


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``path`` that takes its place when the block ends well.

    When the block raises, or the disk refuses, the temporary file is removed and what was at
    ``path`` is untouched. Raises `StorageError` when the file cannot be written.
    """
    temporary = path.with_name(f".{path.name[:40]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with temporary.open("wb", buffering=_BUFFER_BYTES) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def storage_error(path: Path, error: OSError) -> StorageError:
    """Return the sentence for what the operating system said while writing ``path``."""
    name = path.name
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            _("“{name}” could not be written: the disk is full.").format(name=name),
            _("Free some space or choose another folder, then try again."),
        )
    if error.errno == errno.EFBIG:
        return StorageError(
            _("“{name}” could not be written: it is too large for this disk.").format(name=name),
            _("Choose another disk, or a name that ends in .gz."),
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(
            _("“{name}” could not be written: no permission.").format(name=name),
            _("Choose a folder you may write to."),
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return StorageError(
            _("“{name}” could not be written: its folder does not exist.").format(name=name),
            _("Make the folder first, or choose another."),
        )
    if error.errno == errno.EISDIR:
        return StorageError(
            _("“{name}” could not be written: it is a folder.").format(name=name),
            _("Give the name of a file."),
        )
    return StorageError(
        _("“{name}” could not be written: {why}.").format(
            name=name, why=error.strerror or type(error).__name__
        ),
        _("Choose another folder, then try again."),
    )
