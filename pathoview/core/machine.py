"""What the machine has."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_ASSUMED_BYTES = 4 * 2**30
"""Memory of a machine that does not tell."""
_KEPT_BYTES = 256 * 2**20
"""Freed memory is handed back to the system from this much on."""
_SMALLEST_MAPPED = 32 * 2**20
"""Larger pieces come from the system one by one, and go back to it at once."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""As the header of glibc numbers them."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Says what a container may take; ``max`` where it has no limit."""


def memory_bytes() -> int:
    """Return the memory that this program could have at most."""
    return int(min(_machine_bytes(), _container_bytes()))


def usable_cores() -> int:
    """Return how many cores this process may compute on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Have glibc use the memory of pictures again rather than hand it back after each of them.

    A picture of a megabyte is otherwise fetched from the system page by page every time it is
    made, which takes longer than painting it. Elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if set_option is not None:
        set_option(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        set_option(_M_MMAP_THRESHOLD, _SMALLEST_MAPPED)


def _container_bytes() -> float:
    try:
        return float(_CGROUP_LIMIT.read_text("ascii").replace("max", "inf"))
    except (OSError, ValueError):
        return float("inf")


def _machine_bytes() -> int:
    if sys.platform == "win32":
        status = _MemoryStatus()
        status.size = ctypes.sizeof(status)
        is_known = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return status.total_bytes if is_known else _ASSUMED_BYTES
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _ASSUMED_BYTES


class _MemoryStatus(ctypes.Structure):
    """Windows' MEMORYSTATUSEX; only its first numbers are named."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("percent_used", ctypes.c_uint32),
        ("total_bytes", ctypes.c_uint64),
        ("others", ctypes.c_uint64 * 6),
    )
    size: int
    total_bytes: int
