"""From which objects of which run an annotation was copied: it stands for them from then on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from itertools import chain
from uuid import UUID

import numpy as np
import numpy.typing as npt

_RUN = "run"
_BETWEEN = "+"
_BETWEEN_RUNS = ";"
_N_PARTS = 3


def origin_of(run_id: str, object_ids: Iterable[UUID]) -> str:
    """Return what `Feature.origin` says of an annotation that stands for objects of a run."""
    return "/".join((_RUN, run_id, _BETWEEN.join(map(str, object_ids))))


def stands_for(origin: str) -> list[bytes]:
    """Return the ids, of 16 bytes, of the objects of runs that an annotation stands for."""
    return [one.bytes for ids in _by_run([origin]).values() for one in ids]


def all_stood_for(origins: Iterable[str]) -> npt.NDArray[np.uint8]:
    """Return the ids, (n, 16) bytes, of the objects of runs that annotations stand for."""
    ids = chain.from_iterable(stands_for(one) for one in origins if one)
    return np.frombuffer(b"".join(ids), np.uint8).reshape(-1, 16)


def joined_origin(origins: Sequence[str]) -> str:
    """Return the origin of what is made of annotations: it stands for all that they stood for.

    Where they stood for nothing, it is that of the first.
    """
    found = _by_run(origins)
    if not found:
        return origins[0]
    return _BETWEEN_RUNS.join(origin_of(run_id, ids) for run_id, ids in found.items())


def _by_run(origins: Iterable[str]) -> dict[str, dict[UUID, None]]:
    """Return the ids of objects that origins name, each once and in their order, by run."""
    found: dict[str, dict[UUID, None]] = {}
    for origin in _BETWEEN_RUNS.join(origins).split(_BETWEEN_RUNS):
        parts = origin.split("/")
        if len(parts) != _N_PARTS or parts[0] != _RUN:
            continue
        for text in parts[-1].split(_BETWEEN):
            with contextlib.suppress(ValueError):
                found.setdefault(parts[1], {})[UUID(text)] = None
    return found
