"""From which objects of which run an annotation was copied: it stands for them from then on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from uuid import UUID

_RUN = "run"
_BETWEEN = "+"
_N_PARTS = 3


def origin_of(run_id: str, object_ids: Iterable[UUID]) -> str:
    """Return what `Feature.origin` says of an annotation that stands for objects of a run."""
    return "/".join((_RUN, run_id, _BETWEEN.join(map(str, object_ids))))


def stands_for(origin: str) -> list[bytes]:
    """Return the ids, of 16 bytes, of the objects of a run that an annotation stands for."""
    parts = origin.split("/")
    if len(parts) != _N_PARTS or parts[0] != _RUN:
        return []
    found = []
    for text in parts[-1].split(_BETWEEN):
        with contextlib.suppress(ValueError):
            found.append(UUID(text).bytes)
    return found
