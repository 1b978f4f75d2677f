"""One memory for all caches: what was used longest ago makes room, whoever keeps it."""

from __future__ import annotations

import math
import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Array = TypeVar("Array", bound=npt.NDArray[Any])

PINNED = math.inf
"""`Share.at_least` of things that are never dropped."""


@dataclass(slots=True)
class _Entry:
    value: Any
    n_bytes: int
    last_used: int


class ByteCache:
    """A number of bytes that several `Share`s fill together. Thread-safe.

    The number can be changed at any time. A share that nobody holds any more leaves the memory by
    itself.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._shares: weakref.WeakSet[Share[Any, Any]] = weakref.WeakSet()
        self._clock = count()
        self._lock = threading.Lock()

    @property
    def max_bytes(self) -> int:
        return self._max_bytes

    @max_bytes.setter
    def max_bytes(self, max_bytes: int) -> None:
        with self._lock:
            self._max_bytes = max_bytes
            self._make_room()

    @property
    def n_bytes(self) -> int:
        """Bytes held by all shares together."""
        with self._lock:
            return sum(share.n_bytes for share in self._shares)

    def clear(self) -> None:
        """Drop everything that is not pinned."""
        with self._lock:
            for share in self._shares:
                if share.at_least != PINNED:
                    share._drop_all()

    def _make_room(self, newest: _Entry | None = None) -> None:
        too_many = sum(share.n_bytes for share in self._shares) - self._max_bytes
        while too_many > 0:
            candidates = [
                (share.is_entitled, oldest.last_used, share)
                for share in self._shares
                if share.at_least != PINNED
                and (oldest := share._oldest()) is not None
                and oldest is not newest
            ]
            if not candidates:
                return
            too_many -= min(candidates, key=lambda candidate: candidate[:2])[2]._drop_oldest()


class Share(Generic[K, V]):
    """What one user keeps in a `ByteCache`. Thread-safe.

    ``at_least``, ``at_most``: fractions of the whole memory. Up to the first, what others put does
    not push its things out; beyond the second, its own oldest make room for its new ones.
    """

    def __init__(
        self, memory: ByteCache, *, at_least: float = 0.0, at_most: float = math.inf
    ) -> None:
        self.memory = memory
        self.at_least = at_least
        self.at_most = at_most
        self.n_bytes = 0
        self._entries: OrderedDict[K, _Entry] = OrderedDict()
        with memory._lock:
            memory._shares.add(self)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_entitled(self) -> bool:
        """Whether it holds no more than it is granted."""
        return self.n_bytes <= self.at_least * self.memory.max_bytes

    def get(self, key: K) -> V | None:
        """Return what is kept under a key, which stays longer for it."""
        with self.memory._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            entry.last_used = next(self.memory._clock)
            value: V = entry.value
            return value

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[K]:
        """Go through the keys there are now, those used longest ago first."""
        with self.memory._lock:
            return iter(tuple(self._entries))

    def put(self, key: K, value: V, n_bytes: int) -> None:
        """Keep a value in place of the one before; not one that is larger than the share may be."""
        memory = self.memory
        with memory._lock:
            self._drop(key)
            most = self.at_most * memory.max_bytes
            if n_bytes > most:
                return
            while self.n_bytes + n_bytes > most:
                self._drop_oldest()
            entry = _Entry(value, n_bytes, next(memory._clock))
            self._entries[key] = entry
            self.n_bytes += n_bytes
            memory._make_room(entry)

    def discard(self, key: K) -> None:
        with self.memory._lock:
            self._drop(key)

    def clear(self) -> None:
        with self.memory._lock:
            self._drop_all()

    # -- under the memory's lock -----------------------------------------------------------------

    def _oldest(self) -> _Entry | None:
        return next(iter(self._entries.values()), None)

    def _drop_oldest(self) -> int:
        _key, entry = self._entries.popitem(last=False)
        self.n_bytes -= entry.n_bytes
        return entry.n_bytes

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.n_bytes -= entry.n_bytes

    def _drop_all(self) -> None:
        self._entries.clear()
        self.n_bytes = 0


def real_bytes(array: npt.NDArray[Any]) -> int:
    """Return the bytes that an array keeps in memory: those of all it is a view of."""
    owner: Any = array
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    if isinstance(owner, np.ndarray | memoryview):
        return owner.nbytes
    return len(owner) if isinstance(owner, bytes | bytearray) else array.nbytes


def owned(array: Array) -> Array:
    """Return the array, or a copy where it is a view that keeps a larger one in memory."""
    return array if real_bytes(array) <= array.nbytes else array.copy()
