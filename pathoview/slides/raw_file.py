"""A file that several threads read at once, each at its own place."""

from __future__ import annotations

import os
import threading
from pathlib import Path


class RawFile:
    """Reads pieces of a file. It is closed when nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._lock = threading.Lock()

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; raise `EOFError` when the file ends before."""
        if hasattr(os, "pread"):
            data = os.pread(self._descriptor, length, offset)
        else:  # Windows
            with self._lock:
                os.lseek(self._descriptor, offset, os.SEEK_SET)
                data = os.read(self._descriptor, length)
        if len(data) < length:
            raise EOFError(f"{len(data)} of {length} bytes at {offset}")
        return data

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)
